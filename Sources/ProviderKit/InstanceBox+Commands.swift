internal import CPlugboard

/// The provider extension `plugboard.commands/1`: commands are closures here, and no C functions.
enum CommandsExtension {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let table: UnsafePointer<plugboard_commands_extension_t> = {
        let table = UnsafeMutablePointer<plugboard_commands_extension_t>.allocate(capacity: 1)
        table.initialize(
            to: plugboard_commands_extension_t(
                struct_size: structSize(plugboard_commands_extension_t.self),
                reserved: 0,
                call: { instance, command, arguments, count in
                    let values = UnsafeBufferPointer(start: arguments, count: count)
                    InstanceBox.from(instance).call(command, values.compactMap(CommandArgument.init))
                }
            )
        )
        return UnsafePointer(table)
    }()
}

extension Host {
    private var commands: UnsafePointer<plugboard_commands_host_t>? {
        table.pointee.extension(context, PLUGBOARD_EXT_COMMANDS)?
            .assumingMemoryBound(to: plugboard_commands_host_t.self)
    }

    /// Tells the operator why the command that runs has failed.
    func failCommand(_ reason: String) {
        guard let commands else { return }
        _ = withBytes(reason) { commands.pointee.fail(context, $0) }
    }

    /// Answers the command that runs.
    func answerCommand(_ value: CommandArgument) {
        guard let commands else { return }
        let status = value.withABI { commands.pointee.answer(context, $0) }
        if status == PLUGBOARD_E_LIMIT { failCommand("its answer is too long to be shown") }
    }
}

extension CommandArgument {
    fileprivate init?(_ source: plugboard_value_t) {
        switch source.type {
        case PLUGBOARD_VALUE_INTEGER: self = .integer(source.integer)
        case PLUGBOARD_VALUE_NUMBER: self = .number(source.number)
        case PLUGBOARD_VALUE_TRUTH: self = .truth(source.integer != 0)
        case PLUGBOARD_VALUE_TEXT: self = .text(source.text.string)
        default: return nil
        }
    }

    fileprivate func withABI<R>(_ body: (UnsafePointer<plugboard_value_t>) -> R) -> R {
        var value = plugboard_value_t()
        value.struct_size = structSize(plugboard_value_t.self)
        var words = ""
        switch self {
        case .integer(let integer):
            value.type = PLUGBOARD_VALUE_INTEGER
            value.integer = integer
        case .number(let number):
            value.type = PLUGBOARD_VALUE_NUMBER
            value.number = number
        case .truth(let truth):
            value.type = PLUGBOARD_VALUE_TRUTH
            value.integer = truth ? 1 : 0
        case .text(let text):
            value.type = PLUGBOARD_VALUE_TEXT
            words = text
        }
        return withBytes(words) { bytes in
            if value.type == PLUGBOARD_VALUE_TEXT { value.text = bytes }
            return body(&value)
        }
    }
}
