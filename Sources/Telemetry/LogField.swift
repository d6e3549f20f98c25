package import Logging

/// What a log line says beside its sentence: one name for one thing, in all lines of the router.
///
/// `Telemetry.docc/Watching.md` lists them; plugins add fields of their own.
package enum LogField: String, CaseIterable, Sendable {
    /// The provider that the line is about, by its name in the configuration.
    case provider
    /// The domain on the other side of a federated network.
    case partner
    /// The sender's address.
    case from
    /// The recipient's address.
    case to
    /// The id that the sender gave the message.
    case messageID = "message-id"
    /// The kind of envelope.
    case kind
    /// Why, as a sentence.
    case reason
    /// Why, as a word: a refusal's, or the network's own.
    case code
    /// Whose fault a failed delivery is, as a word of the plugin ABI's classes.
    case failureClass = "class"
    /// Deliveries that were tried.
    case attempts
    /// When it is tried again, in ms from now.
    case retryInMs = "retry-in-ms"
    /// Lines of the same kind that were left out since the last.
    case heldBack = "held-back"
    /// How many.
    case count
    /// How long, with its unit.
    case duration
    /// Envelopes that a provider has and has not settled.
    case inFlight = "in-flight"
    /// Envelopes that wait in a provider's lane.
    case waiting
    /// Envelopes that a provider may hand in a second.
    case perSecond = "per-second"
    /// The function of the plugin that was called.
    case callback
    /// A thread that carries messages.
    case worker
    /// A message's number on disk.
    case sequence
    /// The plugin's id.
    case plugin
    /// Its version.
    case version
    /// A file of the router's or of its operator's.
    case path
    /// What a reload or an upgrade has done, as a sentence.
    case change
    /// The place in a file: line and column.
    case position
    /// The configuration's key.
    case key
    /// Whom the router talks to: an address and a port.
    case peer
    /// A port of this machine.
    case port
    /// The router's name.
    case router
    /// Where the control socket is.
    case control
}

extension Logger.Metadata {
    /// Fields in the form of the log's library.
    package init(_ fields: [LogField: String]) {
        self = Dictionary(uniqueKeysWithValues: fields.map { ($0.key.rawValue, .string($0.value)) })
    }
}

extension Logger {
    /// Logs a sentence and what it is about; nothing is made of `fields` that is not logged.
    package func log(_ level: Level, _ message: String, _ fields: @autoclosure () -> [LogField: String]) {
        guard level >= logLevel else { return }
        log(level: level, "\(message)", metadata: Metadata(fields()))
    }
}
