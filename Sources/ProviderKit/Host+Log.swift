internal import CPlugboard

/// The name of a field of a log line.
public struct LogField: RawRepresentable, Hashable, Sendable, ExpressibleByStringLiteral {
    /// Small letters, digits and hyphens, beginning with a letter.
    ///
    /// Up to 32 bytes; a field of another name is left out.
    public let rawValue: String

    /// Makes a name.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// Makes a name of the provider's own.
    public init(stringLiteral name: String) { self.init(rawValue: name) }

    /// The domain on the other side.
    public static let partner: LogField = "partner"
    /// The other side's address and port.
    public static let peer: LogField = "peer"
    /// The sender's address, or domain.
    public static let from: LogField = "from"
    /// The recipient's address, or domain.
    public static let to: LogField = "to"
    /// The id that the sender gave a message.
    public static let messageID: LogField = "message-id"
    /// A kind of envelope.
    public static let kind: LogField = "kind"
    /// Why, as a sentence.
    public static let reason: LogField = "reason"
    /// Why, as the network's word.
    public static let code: LogField = "code"
    /// When it is tried again, in ms from now.
    public static let retryInMs: LogField = "retry-in-ms"
    /// How many.
    public static let count: LogField = "count"
}

extension Host {
    /// Writes a line to the host's log: secrets never, message text at `debug` and below only.
    ///
    /// - Parameters:
    ///   - message: the same each time, for the host holds back what comes too often by it.
    ///   - fields: what changes; up to 16, values of up to 1024 bytes. A host without fields gets them in the sentence.
    public func log(_ level: LogLevel, _ message: String, _ fields: KeyValuePairs<LogField, String> = [:]) {
        guard !fields.isEmpty, let log = extensionTable(PLUGBOARD_EXT_LOG, as: plugboard_log_t.self) else {
            let rest = fields.map { "\($0.key.rawValue)=\($0.value)" }.joined(separator: " ")
            return write(level, rest.isEmpty ? message : "\(message) (\(rest))")
        }
        var texts = StringBlock()
        texts.append(message)
        for (name, value) in fields.prefix(Int(PLUGBOARD_LOG_FIELDS_MAX)) {
            texts.append(name.rawValue)
            texts.append(value)
        }
        texts.withSpans { spans in
            let abi = stride(from: 1, to: spans.count, by: 2).map { index in
                plugboard_log_field_t(
                    struct_size: structSize(plugboard_log_field_t.self),
                    reserved: 0,
                    name: spans[index],
                    value: spans[index + 1]
                )
            }
            abi.withUnsafeBufferPointer {
                _ = log.write(context, level.rawValue, spans[0], $0.baseAddress, $0.count)
            }
        }
    }

    private func write(_ level: LogLevel, _ line: String) {
        withBytes(line) { table.pointee.log(context, level.rawValue, $0) }
    }
}
