internal import CPlugboard
internal import NativeCalls

/// What a command that runs says of itself.
final class CommandSink {
    private let command: PluginCommand
    private(set) var failure: String?
    private(set) var answer: CommandValue?

    /// The most bytes of a reason that are kept.
    static let reasonBytesMax = 1024

    init(_ command: PluginCommand) {
        self.command = command
    }

    func fail(_ reason: plugboard_bytes_t) -> plugboard_status_t {
        guard reason.isWellFormed else { return PLUGBOARD_E_INVALID }
        failure = String(decoding: reason.bytes.prefix(Self.reasonBytesMax), as: UTF8.self)
        return PLUGBOARD_OK
    }

    func answer(_ value: plugboard_value_t) -> plugboard_status_t {
        guard command.function == nil else { return PLUGBOARD_E_STATE }
        let read: CommandValue
        switch value.type {
        case PLUGBOARD_VALUE_INTEGER: read = .integer(value.integer)
        case PLUGBOARD_VALUE_NUMBER: read = .number(value.number)
        case PLUGBOARD_VALUE_TRUTH: read = .truth(value.integer != 0)
        case PLUGBOARD_VALUE_TEXT:
            guard value.text.isWellFormed else { return PLUGBOARD_E_INVALID }
            guard value.text.count <= CommandValue.answerBytesMax else { return PLUGBOARD_E_LIMIT }
            read = .text(value.text.string)
        default: return PLUGBOARD_E_INVALID
        }
        guard read.type == command.form.result else { return PLUGBOARD_E_INVALID }
        answer = read
        return PLUGBOARD_OK
    }
}

/// The host extension `plugboard.commands/1`.
enum CommandTable {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let table: UnsafePointer<plugboard_commands_host_t> = {
        let table = UnsafeMutablePointer<plugboard_commands_host_t>.allocate(capacity: 1)
        table.initialize(
            to: plugboard_commands_host_t(
                struct_size: UInt32(MemoryLayout<plugboard_commands_host_t>.size),
                reserved: 0,
                fail: { context, reason in
                    guard let sink = HostTable.active(context)?.commandSink else { return PLUGBOARD_E_STATE }
                    return sink.fail(reason)
                },
                answer: { context, value in
                    guard let sink = HostTable.active(context)?.commandSink else { return PLUGBOARD_E_STATE }
                    guard let value, value.pointee.struct_size >= MemoryLayout<plugboard_value_t>.size else {
                        return PLUGBOARD_E_INVALID
                    }
                    return sink.answer(value.pointee)
                }
            )
        )
        return UnsafePointer(table)
    }()
}
