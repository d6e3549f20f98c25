internal import CPlugboard
internal import HostServices
internal import Logging
internal import NIOConcurrencyHelpers
internal import Telemetry

/// Where a plugin's own lines go.
///
/// Any thread. What a peer can make a plugin say is limited: see `ext/log.h`.
final class PluginLog: Sendable {
    private struct Limits {
        var sentences = LogLimit<String>(pauseNs: PluginLog.pauseNs, linesMax: PluginLog.sentenceLinesMax)
        var all = LogLimit<Int>(pauseNs: PluginLog.pauseNs, linesMax: PluginLog.linesMax)
    }

    /// The most bytes of one line's sentence; the rest is cut off.
    static let sentenceBytesMax = 4096
    /// Lines with the same sentence in ``pauseNs``.
    static let sentenceLinesMax = 50
    /// Lines of any kind in ``pauseNs``.
    static let linesMax = 1000
    static let pauseNs: UInt64 = 10_000_000_000
    private static let nameBytesMax = 32
    /// Names that are the host's.
    private static let reserved: Set<String> = [
        LogField.provider.rawValue, LogField.heldBack.rawValue, "time", "level", "part", "message",
    ]

    let logger: Logger
    private let limits = NIOLockedValueBox(Limits())

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// Writes a line, unless there were too many.
    func write(_ abiLevel: UInt32, _ message: plugboard_bytes_t, _ fields: [plugboard_log_field_t] = []) {
        let level = Logger.Level(abi: abiLevel)
        guard level >= logger.logLevel else { return }
        let sentence = String(decoding: message.bytes.prefix(Self.sentenceBytesMax), as: UTF8.self)
        var metadata: Logger.Metadata = [:]
        if level > .debug {
            guard let held = admit(sentence) else { return }
            if held > 0 { metadata[LogField.heldBack.rawValue] = "\(held)" }
        }
        for field in fields {
            guard let name = Self.name(field.name) else { continue }
            let value = field.value.bytes.prefix(Int(PLUGBOARD_LOG_VALUE_BYTES_MAX))
            metadata[name] = "\(String(decoding: value, as: UTF8.self))"
        }
        logger.log(level: level, "\(sentence)", metadata: metadata)
    }

    /// How many lines were held back before this one; nil if it is, too.
    private func admit(_ sentence: String) -> Int? {
        let now = HostClock.monotonicNs()
        return limits.withLockedValue { limits in
            guard let held = limits.sentences.admit(sentence, nowNs: now),
                let more = limits.all.admit(0, nowNs: now)
            else { return nil }
            return held + more
        }
    }

    private static func name(_ bytes: plugboard_bytes_t) -> String? {
        guard (1...nameBytesMax).contains(bytes.count), let first = bytes.bytes.first,
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first),
            bytes.bytes.allSatisfy({ byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"):
                    true
                default: false
                }
            })
        else { return nil }
        let name = bytes.string
        return reserved.contains(name) ? nil : name
    }
}

/// The host extension `plugboard.log/1`.
enum LogTable {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let table = HostExtensions.immortal(
        plugboard_log_t(
            struct_size: UInt32(MemoryLayout<plugboard_log_t>.size),
            reserved: 0,
            write: { context, level, message, fields, count in
                guard let context, message.isWellFormed,
                    let fields = abiElements(fields, count, max: Int(PLUGBOARD_LOG_FIELDS_MAX)),
                    fields.allSatisfy({ $0.name.isWellFormed && $0.value.isWellFormed })
                else { return PLUGBOARD_E_INVALID }
                Unmanaged<HostContext>.fromOpaque(context).takeUnretainedValue().log.write(level, message, fields)
                return PLUGBOARD_OK
            }
        )
    )
}

extension Logger.Level {
    fileprivate init(abi level: UInt32) {
        switch level {
        case PLUGBOARD_LOG_TRACE: self = .trace
        case PLUGBOARD_LOG_DEBUG: self = .debug
        case PLUGBOARD_LOG_INFO: self = .info
        case PLUGBOARD_LOG_NOTICE: self = .notice
        case PLUGBOARD_LOG_WARNING: self = .warning
        default: self = .error
        }
    }
}
