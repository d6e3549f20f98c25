internal import CPlugboard
internal import HostServices
internal import PluginHost
internal import Spool

extension SpoolRecord {
    /// The record of an envelope that is to be stored.
    init(_ routed: RoutedEnvelope, core: RouterCore) {
        let envelope = routed.envelope.pointee
        let header = routed.header.pointee
        self.init(
            destination: core.runtimes[header.target].name,
            conversation: routed.conversationKey,
            source: header.source < 0 ? Self.routerSource : core.runtimes[header.source].name,
            remoteID: Self.remoteID(envelope),
            idempotencyKey: IdempotencyKey(of: routed.envelope),
            createdAt: header.createdAt,
            expiresAt: envelope.expires_ms,
            payload: FlatEnvelope.stored(routed.envelope, byteCount: header.imageBytes)
        )
    }

    /// The source of the router's own envelopes; no instance has a name with a space.
    static let routerSource = "the router"

    /// What tells a message that comes a second time; nil for what has no id, or may come again.
    ///
    /// The author's device is part of it, and so is a hash of the text: many clients count from 1 in each session. What is
    /// no message changes a state, and the same change may follow another one; a second copy of it does no harm.
    private static func remoteID(_ envelope: plugboard_envelope_t) -> String? {
        guard envelope.kind == PLUGBOARD_MESSAGE, envelope.id.count > 0, let content = envelope.content else {
            return nil
        }
        let text = content.load(as: plugboard_message_t.self).text
        var bytes: [UInt8] = []
        for field in [envelope.id, envelope.from_device, text] {
            // The length in front keeps ("ab", "c") apart from ("a", "bc").
            withUnsafeBytes(of: UInt64(field.count).littleEndian) { bytes.append(contentsOf: $0) }
            bytes.append(contentsOf: field.bytes)
        }
        return Digests.hexadecimal(bytes.withUnsafeBytes { Digests.sha256($0) })
    }
}

extension IdempotencyKey {
    /// An envelope's key.
    init(of envelope: UnsafePointer<plugboard_envelope_t>) {
        self = withUnsafeBytes(of: envelope.pointee.idempotency_key) { key in
            IdempotencyKey(
                high: key.loadUnaligned(as: UInt64.self).bigEndian,
                low: key.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian
            )
        }
    }
}
