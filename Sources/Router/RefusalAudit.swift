internal import CPlugboard
internal import HostServices
internal import Logging
internal import PluginHost
internal import Policy
internal import PolicyStore
internal import Routing

/// Writes refusals by policy into the audit log.
///
/// Any thread; only refused envelopes come here.
struct RefusalAudit: Sendable {
    private let writer: AuditWriter

    init(_ store: SeatStore, _ logger: Logger) {
        writer = AuditWriter(store: store) { error in
            logger.error("refusals were not written into the audit log: \(error)")
        }
    }

    /// Returns once what was refused before is written.
    func flush() { writer.flush() }

    /// Notes a refusal if policy made it.
    ///
    /// - Parameter provider: who handed the envelope in.
    func refused(_ refusal: Refusal, _ envelope: plugboard_envelope_t, by provider: String) {
        let place: String
        switch refusal {
        case .policy(let refusal): place = " (\(refusal.place))"
        case .partnerTooFast, .partnerWatched, .tooManyPartners: place = " (policy.discovered)"
        case .noRoute, .foreignSender, .neitherSideHome, .loop, .hopLimit, .expired, .spoolFull, .spoolFailed,
            .tooLarge:
            return
        }
        writer.note(nowNs: HostClock.monotonicNs()) { leftOut in
            let others = leftOut == 0 ? "" : "; \(leftOut) more refusals before it were not written"
            return AuditEntry(
                at: HostClock.wallMs(),
                actor: provider,
                what: "refused",
                detail:
                    "\(envelope.kind.kindName) from \(envelope.from.string) to \(envelope.to.string): \(refusal)\(place)\(others)"
            )
        }
    }
}
