import CPlugboard
import PluginHost

/// A router that goes nowhere and remembers what it was asked.
final class TestRouter: EnvelopeRouter {
    var submitted: [(facts: Facts, cookie: UInt64)] = []
    var completed: [(token: UInt64, result: UInt16, reason: String)] = []
    var claims: [String] = []
    var readies = 0
    /// Whether there is room.
    var isBusy = false

    func submit(
        _ envelope: UnsafePointer<plugboard_envelope_t>,
        cookie: UInt64,
        from instance: Instance
    ) -> plugboard_status_t {
        do throws(FlatEnvelope.Flaw) {
            _ = try FlatEnvelope.measure(envelope)
        } catch {
            return error == .tooLarge ? PLUGBOARD_E_LIMIT : PLUGBOARD_E_INVALID
        }
        if isBusy { return PLUGBOARD_BUSY }
        submitted.append((Facts(envelope), cookie))
        return PLUGBOARD_OK
    }

    func complete(
        _ token: UInt64,
        _ outcome: UnsafePointer<plugboard_outcome_t>,
        from instance: Instance
    ) -> plugboard_status_t {
        guard !completed.contains(where: { $0.token == token }) else { return PLUGBOARD_E_HANDLE }
        completed.append((token, outcome.pointee.result, outcome.pointee.reason.string))
        return PLUGBOARD_OK
    }

    func ready(_ instance: Instance) { readies += 1 }

    func claim(_ scope: UInt32, _ subject: plugboard_bytes_t, by instance: Instance) -> plugboard_status_t {
        claims.append("\(scope) \(subject.string)")
        return PLUGBOARD_OK
    }
}
