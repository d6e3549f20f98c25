internal import CPlugboard
package import NativeCalls

/// A command that a plugin offers, as its descriptor declares it.
package struct PluginCommand: Hashable, Sendable {
    /// Its place in the descriptor.
    package let index: Int
    package let form: CommandForm
    /// Where its function is; nil: the provider's extension carries it out.
    let function: UInt?
}

/// A command that is not offered, for its declaration is wrong.
package struct CommandRefusal: Hashable, Sendable, CustomStringConvertible {
    /// Its place in the descriptor; nil if the whole list is malformed.
    package let index: Int?
    /// As far as it could be read.
    package let name: String
    package let fault: CommandFault

    package var description: String {
        guard let index else { return "its commands are not offered: \(fault)" }
        let name = name.isEmpty ? "" : " '\(PlainText.shown(name))'"
        return "its command \(index)\(name) is not offered: \(fault)"
    }
}

/// The commands of a descriptor, each judged for itself.
struct CommandList {
    private(set) var commands: [PluginCommand] = []
    private(set) var refusals: [CommandRefusal] = []

    init(_ descriptor: plugboard_descriptor_t, _ reader: DescriptorReader) {
        let entries: [plugboard_command_t]
        do throws(PluginRefusal) {
            entries = try reader.list(descriptor.commands, descriptor.command_count, ABISize.command, "commands")
        } catch {
            refuse(nil, "", Self.fault(error))
            return
        }
        for (index, entry) in entries.enumerated() { add(entry, index, reader) }
    }

    private mutating func add(_ entry: plugboard_command_t, _ index: Int, _ reader: DescriptorReader) {
        var name = ""
        do throws(PluginRefusal) {
            try reader.check(entry.struct_size, atLeast: ABISize.command, "command")
            name = try reader.text(entry.name, "name")
            let signature = try reader.text(entry.signature, "signature")
            let names = try entry.argument_names.map { pointer throws(PluginRefusal) in
                try reader.text(pointer, "argument_names")
            }
            let help = try reader.text(entry.help, "help")
            do throws(CommandFault) {
                let form = try CommandForm(
                    name: name,
                    signature: signature,
                    argumentNames: names ?? "",
                    help: help
                )
                if let first = commands.first(where: { $0.form.name == name }) {
                    throw .duplicateCommand(first: first.index)
                }
                let function = entry.function.map { unsafeBitCast($0, to: UInt.self) }
                commands.append(PluginCommand(index: index, form: form, function: function))
            } catch {
                refuse(index, name, error)
            }
        } catch {
            refuse(index, name, Self.fault(error))
        }
    }

    private mutating func refuse(_ index: Int?, _ name: String, _ fault: CommandFault) {
        refusals.append(CommandRefusal(index: index, name: name, fault: fault))
    }

    /// The reader's complaint without the file, which whoever prints it names.
    private static func fault(_ refusal: PluginRefusal) -> CommandFault {
        if case .malformed(_, let what) = refusal { .malformed(what) } else { .malformed("\(refusal)") }
    }
}
