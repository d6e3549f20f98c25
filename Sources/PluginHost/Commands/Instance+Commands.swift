internal import CPlugboard
internal import Glibc
package import NativeCalls

extension Instance {
    /// Carries out a command that an operator asks for.
    ///
    /// On the worker; it takes as long as the plugin takes.
    ///
    /// - Returns: the answer; nil if there is none.
    package func call(_ name: String, _ arguments: [String]) throws(CommandError) -> CommandValue? {
        guard isActive else { throw .notRunning(instance: id) }
        guard let command = plugin.description.commands.first(where: { $0.form.name == name }) else {
            if let refusal = plugin.description.commandRefusals.first(where: { $0.name == name }) {
                throw .refused(refusal, instance: id)
            }
            throw .unknown(command: name, instance: id, known: plugin.description.commands.map(\.form.name))
        }
        let values: [CommandValue]
        do throws(ArgumentError) {
            values = try command.form.values(of: arguments)
        } catch {
            throw .arguments(error)
        }
        let sink = CommandSink(command)
        commandSink = sink
        watch.enter(.command, index)
        defer {
            watch.leave()
            commandSink = nil
        }
        let answer =
            if let function = command.function {
                try callFunction(function, command, values)
            } else {
                try callExtension(command, values, sink)
            }
        if let failure = sink.failure { throw .failed(failure) }
        return answer
    }

    /// Calls a C function through libffi; its result is copied here.
    private func callFunction(
        _ function: UInt,
        _ command: PluginCommand,
        _ values: [CommandValue]
    ) throws(CommandError) -> CommandValue? {
        let form = command.form
        let signature = Signature(result: form.result, parameters: form.parameters.map(\.type))
        guard let interface = CallInterface(signature, leading: [.pointer]),
            let address = UnsafeRawPointer(bitPattern: function)
        else { throw .notCallable(command: form.name) }
        var slots = [UInt64(UInt(bitPattern: calls.pointer))]
        var texts: [UnsafeMutablePointer<CChar>] = []
        defer { for text in texts { free(text) } }
        for value in values {
            switch value {
            case .integer(let integer): slots.append(NativeType.i64.slot(integer))
            case .number(let number): slots.append(NativeType.f64.numberSlot(number))
            case .truth(let truth): slots.append(NativeType.bool.slot(truth ? 1 : 0))
            case .text(let text):
                guard let copy = strdup(text) else { throw .notCallable(command: form.name) }
                texts.append(copy)
                slots.append(UInt64(UInt(bitPattern: copy)))
            }
        }
        let slot = interface.call(address, slots)
        return try read(slot, of: form)
    }

    private func read(_ slot: UInt64, of form: CommandForm) throws(CommandError) -> CommandValue? {
        switch form.result {
        case .i64: return .integer(form.result.integer(in: slot))
        case .f64: return .number(Double(bitPattern: slot))
        case .bool: return .truth(form.result.integer(in: slot) != 0)
        case .string:
            guard let address = UnsafeMutableRawPointer(bitPattern: UInt(slot)) else { return nil }
            // The plugin has malloc()ed it for us (plugin.h).
            defer { free(address) }
            guard let text = NativeText.copy(address, bytesMax: CommandValue.answerBytesMax) else {
                let what = "it is longer than \(CommandValue.answerBytesMax) bytes"
                throw .badAnswer(command: form.name, what: what)
            }
            return .text(text)
        case .void, .i8, .u8, .i16, .u16, .i32, .u32, .u64, .f32, .pointer: return nil
        }
    }

    /// Lets the provider's extension carry it out; the answer comes through the host's.
    private func callExtension(
        _ command: PluginCommand,
        _ values: [CommandValue],
        _ sink: CommandSink
    ) throws(CommandError) -> CommandValue? {
        guard let found = calls.table.extension(calls.pointer, PLUGBOARD_EXT_COMMANDS) else {
            throw .notCarriedOut(command: command.form.name)
        }
        let table = found.assumingMemoryBound(to: plugboard_commands_extension_t.self)
        guard table.pointee.struct_size >= MemoryLayout<plugboard_commands_extension_t>.size,
            let call = table.pointee.call
        else { throw .notCarriedOut(command: command.form.name) }
        withTexts(values.map { if case .text(let text) = $0 { text } else { "" } }) { texts in
            let arguments = zip(values, texts).map { plugboard_value_t($0, text: $1) }
            arguments.withUnsafeBufferPointer { call(calls.pointer, command.index, $0.baseAddress, $0.count) }
        }
        return sink.answer
    }
}

extension plugboard_value_1 {
    /// A value whose text lives elsewhere.
    fileprivate init(_ value: CommandValue, text: plugboard_bytes_t) {
        self.init()
        struct_size = UInt32(MemoryLayout<plugboard_value_t>.size)
        switch value {
        case .integer(let integer):
            type = PLUGBOARD_VALUE_INTEGER
            self.integer = integer
        case .number(let number):
            type = PLUGBOARD_VALUE_NUMBER
            self.number = number
        case .truth(let truth):
            type = PLUGBOARD_VALUE_TRUTH
            integer = truth ? 1 : 0
        case .text:
            type = PLUGBOARD_VALUE_TEXT
            self.text = text
        }
    }
}
