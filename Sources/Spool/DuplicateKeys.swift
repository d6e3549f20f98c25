/// Makes the keys by which a message that comes a second time is recognised.
///
/// A key covers the source instance, the conversation and the source network's id. The whole conversation, not the sender
/// alone: networks let one id stand for a message to several people, and each of them is to get it. It is a
/// keyed hash, so that remembering a million messages stays small whatever ids peers choose.
struct DuplicateKeys: Sendable {
    private let hash: SipHash

    init(hash: SipHash) {
        self.hash = hash
    }

    func key(source: String, conversation: String, remoteID: String) -> SipHash.Digest {
        var message: [UInt8] = []
        message.reserveCapacity(source.utf8.count + conversation.utf8.count + remoteID.utf8.count + 24)
        for field in [source, conversation, remoteID] {
            // The length in front keeps ("ab", "c") apart from ("a", "bc").
            withUnsafeBytes(of: UInt64(field.utf8.count).littleEndian) { message.append(contentsOf: $0) }
            message.append(contentsOf: field.utf8)
        }
        return self.hash.digest(message)
    }
}
