internal import CPlugboard
internal import HostServices
internal import Logging
internal import PluginHost
internal import Routing
internal import Telemetry

/// Writes why envelopes did not get where they were to go.
///
/// What a peer can bring about is limited: so many lines for each cause in a while, and then how many were left out.
///
/// One thread's.
struct EnvelopeLog {
    /// Lines for one cause in ``pauseNs``; the next tells how many more there were.
    static let linesMax = 50
    static let pauseNs: UInt64 = 10_000_000_000

    private let logger: Logger
    private var limit = LogLimit<String>(pauseNs: pauseNs, linesMax: linesMax)

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// Logs a line about an envelope.
    ///
    /// - Parameters:
    ///   - provider: who handed it in, or did not deliver it.
    ///   - isHomeward: whether the other network's side is the sender.
    ///   - cause: a word; lines with the same one share a limit.
    mutating func write(
        _ level: Logger.Level,
        _ message: String,
        _ envelope: plugboard_envelope_t,
        provider: String,
        isHomeward: Bool,
        cause: String,
        _ more: [LogField: String]
    ) {
        guard level >= logger.logLevel,
            let held = limit.admit("\(message)\u{0}\(cause)", nowNs: HostClock.monotonicNs())
        else { return }
        var fields = more
        fields[.provider] = provider
        fields[.kind] = envelope.kind.kindName
        fields[.from] = envelope.from.string
        fields[.to] = envelope.to.string
        if envelope.id.count > 0 { fields[.messageID] = envelope.id.string }
        let other = isHomeward ? envelope.from.string : envelope.to.string
        if let at = other.lastIndex(of: "@") { fields[.partner] = String(other[other.index(after: at)...]) }
        if held > 0 { fields[.heldBack] = "\(held)" }
        logger.log(level, message, fields)
    }
}
