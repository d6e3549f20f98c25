internal import CPlugboard
internal import PluginHost

/// One block of pooled memory on its way through the router: a header of the router's own, and the
/// envelope behind it. It has one owner at a time; lanes pass it on by its address.
struct RoutedEnvelope {
    /// What the router knows of an envelope, apart from what is in it.
    struct Header {
        /// Size of the envelope behind the header, in bytes.
        var imageBytes = 0
        /// What its next owner is to do with it.
        var step = Step.deliver
        var isDurable = false
        /// It came off the disk, so it may have been handed to the network before.
        var isReloaded = false
        /// Index of the instance that handed it in; -1: the router itself.
        var source = -1
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
        /// For `defer`: when to try again, in ms since 1970.
        var retryAt: Int64 = 0
        /// Words that go along with a step. Retained; see ``RoutedEnvelope/takeNote()``.
        var note: Unmanaged<Note>?
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
        /// Spool: read the waiting rows of a conversation again, behind `sequence`.
        case reload
        /// Instance: the rows of a reloaded conversation follow.
        case unpark
        /// Instance: more rows are on disk, behind `sequence`.
        case reloadMore
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

    /// Takes over fresh memory of `imageOffset` and `imageBytes` bytes.
    init(uninitialized block: UnsafeMutableRawPointer, imageBytes: Int) {
        self.block = block
        let header = Header(imageBytes: imageBytes)
        block.bindMemory(to: Header.self, capacity: 1).initialize(to: header)
    }

    /// The form in which a lane carries it.
    var word: UInt { UInt(bitPattern: block) }

    var header: UnsafeMutablePointer<Header> { block.assumingMemoryBound(to: Header.self) }

    var image: UnsafeMutableRawPointer { block + Self.imageOffset }

    /// Valid once an envelope was copied to ``image``.
    var envelope: UnsafeMutablePointer<plugboard_envelope_t> { image.assumingMemoryBound(to: plugboard_envelope_t.self) }

    /// Gives words along with the next step.
    func setNote(_ text: String) {
        header.pointee.note?.release()
        header.pointee.note = Unmanaged.passRetained(Note(text))
    }

    /// Takes the words that came along.
    func takeNote() -> String {
        guard let note = header.pointee.note else { return "" }
        header.pointee.note = nil
        return note.takeRetainedValue().text
    }

    /// The spool's order key of it.
    var conversationKey: String { "\(envelope.pointee.from.string)|\(envelope.pointee.to.string)" }
}

extension UInt16 {
    /// Whether this kind of envelope is on disk before it counts as accepted.
    var isDurableKind: Bool {
        switch self {
        case PLUGBOARD_MESSAGE, PLUGBOARD_SUBSCRIPTION, PLUGBOARD_CONTACT, PLUGBOARD_FAILURE: true
        default: false
        }
    }
}
