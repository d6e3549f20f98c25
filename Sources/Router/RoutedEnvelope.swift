internal import CPlugboard
internal import Lanes
internal import PluginHost

/// One block of pooled memory on its way through the router: a header of the router's own, and the
/// envelope behind it.
///
/// It has one owner at a time: whoever has put it into a lane may not look at it any more.
struct RoutedEnvelope {
    /// What the router knows of an envelope, apart from what is in it.
    struct Header {
        /// Size of the envelope behind the header, in bytes; 0: there is none.
        var imageBytes = 0
        /// What its next owner is to do with it.
        var step = Step.deliver
        var isDurable = false
        /// Index of the instance that handed it in; -1: the router itself.
        var source = -1
        /// Which of the source's instances it was, see ``Seat/generation``.
        var generation: UInt16 = 0
        /// Which of the target's instances has taken it.
        var holder: UInt16 = 0
        /// Counts what the target was offered.
        var offer: UInt64 = 0
        /// Index of the instance that is to deliver it.
        var target = -1
        /// The source's own name for it; 0: it does not want to know.
        var cookie: UInt64 = 0
        /// Its place in the spool; 0 before it has one.
        var sequence: Int64 = 0
        /// Hash of sender and recipient: the order within which envelopes must stay.
        var conversation: UInt64 = 0
        /// Deliveries that were tried before.
        var attempts = 0
        /// When the router took it, in ms since 1970.
        var createdAt: Int64 = 0
        /// Not to be tried before, in ms since 1970; 0: at once.
        var retryAt: Int64 = 0
        /// For the steps to the dead letters: the class of the failure.
        var failureClass: UInt16 = 0
        /// Words that go along with a step.
        ///
        /// Retained; see ``RoutedEnvelope/release(to:worker:)``.
        var note: Unmanaged<Note>?
        /// For the steps to the dead letters: the failure that tells the author, to be stored in the same commit; a word, 0:
        /// none.
        ///
        /// Owned.
        var notice: UInt = 0
    }

    /// What the next owner is to do.
    enum Step: UInt8 {
        /// Instance: hand it to the network.
        case deliver
        /// Spool: store it.
        case append
        /// Spool: forget it.
        case forget
        /// Spool: keep it for another attempt.
        case `defer`
        /// Spool: move it to the dead letters.
        case bury
        /// Spool: the same, for its time is over.
        case expire
        /// Spool: the same, for its attempts are used up.
        case exhaust
        /// Spool: the same, for the next attempt would come after its time.
        case outlive
        /// Spool: read the waiting rows of a conversation again; the note is its key.
        case reload
        /// Instance: the rows of a reloaded conversation follow.
        case unpark
        /// Instance: the conversation has more rows than were read; the note is its key.
        case more
        /// Instance: the conversation could not be read; ask again at `retryAt`; the note is its key.
        case unread
    }

    /// Words that go along with a step: a reason, or the key of a conversation.
    final class Note {
        let text: String

        init(_ text: String) {
            self.text = text
        }
    }

    /// Where the envelope begins, counted from the block's start; keeps its alignment.
    static let imageOffset = (MemoryLayout<Header>.stride + 15) & ~15

    let block: UnsafeMutableRawPointer

    /// Takes over what a lane brought.
    init(word: UInt) {
        guard let block = UnsafeMutableRawPointer(bitPattern: word) else {
            preconditionFailure("a lane brought an empty word")
        }
        self.block = block
    }

    /// Takes memory from a pool for an envelope of `imageBytes` bytes, which is still to be written.
    ///
    /// - Parameter worker: the calling worker's index, or the pools' `workers` from any other thread.
    init(imageBytes: Int, from pools: SlabPools, worker: Int) {
        block = pools.allocate(byteCount: Self.imageOffset + imageBytes, worker: worker)
        block.bindMemory(to: Header.self, capacity: 1).initialize(to: Header(imageBytes: imageBytes))
    }

    /// Gives the memory back, with all that goes along.
    func release(to pools: SlabPools, worker: Int) {
        if header.pointee.note != nil || header.pointee.notice != 0 { releaseAdditions(to: pools, worker: worker) }
        pools.release(block, worker: worker)
    }

    /// Gives back what few have.
    @inline(never)
    private func releaseAdditions(to pools: SlabPools, worker: Int) {
        header.pointee.note?.release()
        header.pointee.note = nil
        takeNotice()?.release(to: pools, worker: worker)
    }

    /// The form in which a lane carries it.
    var word: UInt { UInt(bitPattern: block) }

    var header: UnsafeMutablePointer<Header> { block.assumingMemoryBound(to: Header.self) }

    var image: UnsafeMutableRawPointer { block + Self.imageOffset }

    /// Valid once an envelope was copied to ``image``.
    var envelope: UnsafeMutablePointer<plugboard_envelope_t> {
        image.assumingMemoryBound(to: plugboard_envelope_t.self)
    }

    /// The words that go along.
    var note: String { header.pointee.note?.takeUnretainedValue().text ?? "" }

    /// Gives words along with the next step.
    func setNote(_ text: String) {
        header.pointee.note?.release()
        header.pointee.note = Unmanaged.passRetained(Note(text))
    }

    /// Gives a failure for the author along with the next step.
    func setNotice(_ notice: RoutedEnvelope) { header.pointee.notice = notice.word }

    /// The failure for the author, which stays with the envelope.
    var notice: RoutedEnvelope? { header.pointee.notice == 0 ? nil : RoutedEnvelope(word: header.pointee.notice) }

    /// The failure for the author, which is the caller's from now on.
    func takeNotice() -> RoutedEnvelope? {
        defer { header.pointee.notice = 0 }
        return notice
    }

    /// The spool's order key of it.
    var conversationKey: String { "\(envelope.pointee.from.string)|\(envelope.pointee.to.string)" }

    /// Gives it the router's own key.
    func setKey(_ key: (high: UInt64, low: UInt64)) {
        withUnsafeMutableBytes(of: &envelope.pointee.idempotency_key) { bytes in
            bytes.storeBytes(of: key.high, as: UInt64.self)
            bytes.storeBytes(of: key.low, toByteOffset: 8, as: UInt64.self)
        }
    }

    /// The router's own key of it: the same for each attempt, across restarts.
    var idempotencyKey: [UInt8] { withUnsafeBytes(of: envelope.pointee.idempotency_key) { Array($0) } }

    /// The spool's order key, hashed: for the header.
    static func conversation(_ envelope: plugboard_envelope_t) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(bytes: envelope.from.bytes)
        hasher.combine(UInt8(0))
        hasher.combine(bytes: envelope.to.bytes)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}

extension UInt16 {
    /// Whether this kind of envelope is on disk before it counts as accepted.
    var isDurableKind: Bool {
        switch self {
        case PLUGBOARD_MESSAGE, PLUGBOARD_SUBSCRIPTION, PLUGBOARD_CONTACT, PLUGBOARD_FAILURE: true
        default: false
        }
    }

    /// Whether only the latest of a sender's to a recipient is worth anything.
    var isLatestOnly: Bool { self == PLUGBOARD_TYPING || self == PLUGBOARD_PRESENCE }

    /// Whether its author is told when it fails.
    ///
    /// A failure's failure is nobody's news.
    var isAnsweredByFailure: Bool { isDurableKind && self != PLUGBOARD_FAILURE }
}
