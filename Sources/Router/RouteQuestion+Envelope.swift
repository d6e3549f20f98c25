internal import CPlugboard
internal import IMModel
internal import Policy
internal import ProviderKit
internal import Routing

extension RouteTable.Question {
    /// What is asked about an envelope that a provider hands in; valid as long as it.
    ///
    /// - Parameter now: in ms since 1970.
    init(_ envelope: UnsafePointer<plugboard_envelope_t>, from source: Int, now: Int64) {
        let (from, to) = (envelope.pointee.from, envelope.pointee.to)
        self.init(
            from: UnsafeRawBufferPointer(start: from.start, count: from.count),
            to: UnsafeRawBufferPointer(start: to.start, count: to.count),
            source: source,
            hops: envelope.pointee.hops,
            expires: envelope.pointee.expires_ms,
            now: now,
            kind: PolicyQuestion.Kind(envelope.pointee.kind),
            vouching: Vouching(flags: envelope.pointee.flags)
        )
    }
}

extension PolicyQuestion.Kind {
    /// What a kind of envelope is in the eyes of policy.
    init(_ kind: UInt16) {
        switch kind {
        case PLUGBOARD_PRESENCE, PLUGBOARD_SUBSCRIPTION, PLUGBOARD_CONTACT: self = .presence
        case PLUGBOARD_CALL: self = .call
        default: self = .message
        }
    }
}
