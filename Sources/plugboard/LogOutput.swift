internal import Configuration
internal import Foundation
internal import Glibc
internal import Logging
internal import Telemetry

internal import struct NIOConcurrencyHelpers.NIOLockedValueBox

/// Which lines are logged, and how they look: changed by a reload.
///
/// Any thread.
final class LogOutput: Sendable {
    private struct Settings {
        var level: Logger.Level
        var parts: [String: Logger.Level]
        var format: LogSection.Format
    }

    private let settings: NIOLockedValueBox<Settings>
    /// One line at a time.
    private let descriptor = NIOLockedValueBox(STDERR_FILENO)

    /// The part of lines that are about no provider.
    static let routerPart = "router"

    init(_ configuration: RouterConfiguration) {
        settings = NIOLockedValueBox(Self.settings(configuration))
    }

    /// Takes another configuration over.
    func change(to configuration: RouterConfiguration) {
        settings.withLockedValue { $0 = Self.settings(configuration) }
    }

    private static func settings(_ configuration: RouterConfiguration) -> Settings {
        let parts = configuration.log.parts.map { ($0.name, Self.level($0.level)) }
        return Settings(
            level: level(configuration.log.level ?? configuration.router.log),
            parts: Dictionary(parts) { first, _ in first },
            format: configuration.log.format
        )
    }

    private static func level(_ level: LogLevel) -> Logger.Level { Logger.Level(rawValue: level.rawValue) ?? .info }

    /// The least severe level that any part logs: what is below it need not be made into a line.
    var leastLevel: Logger.Level {
        settings.withLockedValue { settings in settings.parts.values.reduce(settings.level) { min($0, $1) } }
    }

    /// The level of one part.
    func level(of part: String) -> Logger.Level {
        settings.withLockedValue { $0.parts[part] ?? $0.level }
    }

    /// Writes a line, unless its part does not log it.
    func write(_ line: LogLine) {
        let format = settings.withLockedValue { settings -> LogSection.Format? in
            line.level >= settings.parts[line.part] ?? settings.level ? settings.format : nil
        }
        guard let format else { return }
        let bytes = Array((format == .json ? line.json : line.text).utf8) + [UInt8(ascii: "\n")]
        descriptor.withLockedValue { descriptor in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                guard count > 0 || errno == EINTR else { return }
                rest = rest.dropFirst(max(count, 0))
            }
        }
    }
}

/// One line of the log.
struct LogLine {
    /// In milliseconds since 1970.
    var time: Int64
    var level: Logger.Level
    /// The provider that it is about, if it is about one.
    var provider: String?
    var message: String
    /// What else is known, by name, sorted.
    var fields: [(name: String, value: String)]

    /// The provider, or ``LogOutput/routerPart``: what `log.parts` names.
    var part: String { provider ?? LogOutput.routerPart }

    /// The form for people.
    ///
    /// For example `2026-11-24T10:13:18.123Z info xmpp: a provider runs (plugin=org.plugboard.xmpp)`
    var text: String {
        let rest = fields.isEmpty ? "" : " (\(fields.map { "\($0.name)=\($0.value)" }.joined(separator: " ")))"
        // A line stays one, whatever a peer has written into it.
        return Output.plain("\(timestamp) \(level) \(part): \(message)\(rest)")
    }

    /// A JSON object (RFC 8259), all of whose values are strings.
    var json: String {
        var pairs = [("time", timestamp), ("level", "\(level)"), ("part", part), ("message", message)]
        // A name that is taken would come twice.
        let taken = Set(pairs.map(\.0))
        if let provider { pairs.append((LogField.provider.rawValue, provider)) }
        pairs += fields.map { (taken.contains($0.name) ? "\($0.name)_" : $0.name, $0.value) }
        return "{" + pairs.map { "\(Self.quoted($0)):\(Self.quoted($1))" }.joined(separator: ",") + "}"
    }

    /// The time in RFC 3339, UTC, with milliseconds.
    private var timestamp: String {
        var seconds = time_t(time / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: Int, _ width: Int = 2) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = [padded(Int(parts.tm_year) + 1900, 4), padded(Int(parts.tm_mon) + 1), padded(Int(parts.tm_mday))]
        let clock = [padded(Int(parts.tm_hour)), padded(Int(parts.tm_min)), padded(Int(parts.tm_sec))]
        return "\(date.joined(separator: "-"))T\(clock.joined(separator: ":")).\(padded(Int(time % 1000), 3))Z"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}

/// Makes lines of what the router and its plugins log.
struct RouterLogHandler: LogHandler {
    let output: LogOutput
    var metadata: Logger.Metadata = [:]

    init(_ output: LogOutput) {
        self.output = output
    }

    /// What the configuration says: it cannot be set for one logger alone.
    var logLevel: Logger.Level {
        get {
            guard case .string(let part)? = metadata[LogField.provider.rawValue] else { return output.leastLevel }
            return output.level(of: part)
        }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        // That it is a provider's own line cannot be undone by what the line says.
        var fields = (event.metadata ?? [:]).merging(metadata) { _, bound in bound }
        let provider = fields.removeValue(forKey: LogField.provider.rawValue).map { "\($0)" }
        output.write(
            LogLine(
                time: Int64(Date().timeIntervalSince1970 * 1000),
                level: event.level,
                provider: provider,
                message: "\(event.message)",
                fields: fields.map { ($0.key, "\($0.value)") }.sorted { $0.0 < $1.0 }
            )
        )
    }
}
