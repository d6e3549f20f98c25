internal import HostServices
internal import ProviderKit
internal import Telemetry

/// Says in the log what the home provider itself does not take of home users, as the router says what it refuses.
///
/// One thread's.
struct HomeRefusalLog {
    /// Why it is not taken.
    enum Cause: String {
        case notHomeUser = "not-home-user"
        case tooManyWaiting = "too-many-waiting"
    }

    private var limit = LogLimit<Cause>(pauseNs: EnvelopeLog.pauseNs, linesMax: EnvelopeLog.linesMax)

    /// Logs a refusal, unless there were many of the cause just now.
    mutating func write(_ envelope: Envelope, _ reason: Outcome.Reason, _ cause: Cause, to host: Host) {
        guard let held = limit.admit(cause, nowNs: HostClock.monotonicNs()) else { return }
        host.log(
            .notice,
            "an envelope was refused",
            [
                .kind: envelope.kindName, .from: envelope.from.description, .to: envelope.to.description,
                .partner: envelope.to.domain, .messageID: envelope.id, .reason: reason.text, .code: cause.rawValue,
                "held-back": "\(held)",
            ]
        )
    }
}

extension HomeProvider {
    /// What a sender is told whose envelope the home provider does not take; the operator reads it in the log.
    func refusal(of envelope: Envelope, _ reason: Outcome.Reason, _ cause: HomeRefusalLog.Cause) -> Outcome {
        refusalLog.write(envelope, reason, cause, to: host)
        return .failed(reason)
    }
}
