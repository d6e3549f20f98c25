import Logging
import NIOConcurrencyHelpers

/// A log that a test can read.
final class CapturedLog: Sendable {
    private let captured = NIOLockedValueBox<[String]>([])
    private let whole = NIOLockedValueBox<[String]>([])

    /// The lines so far: `error raw-1 what happened`.
    var lines: [String] { captured.withLockedValue { $0 } }

    /// The same with all fields.
    var detailed: [String] { whole.withLockedValue { $0 } }

    /// A logger that writes here.
    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(log: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let log: CapturedLog
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let instance = metadata["provider"].map { "\($0)" } ?? "-"
            log.whole.withLockedValue { $0.append("\(event.message) \(metadata) \(event.metadata ?? [:])") }
            log.captured.withLockedValue { $0.append("\(event.level) \(instance) \(event.message)") }
        }
    }
}
