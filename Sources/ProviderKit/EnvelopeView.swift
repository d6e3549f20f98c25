internal import CPlugboard
public import IMModel

/// An envelope that the host lends: its fields are read where they lie, and nothing is copied or allocated.
///
/// For a provider that passes text on as bytes and has many of them to pass, see ``Provider/deliver(lent:)``. It is valid
/// only inside the call that handed it out; ``copy()`` makes a value that can be kept. The fields are checked UTF-8, and
/// addresses are `user@domain` or a domain, as ``Address`` wants them.
public struct EnvelopeView {
    /// What an envelope carries.
    public enum Kind: UInt16, Hashable, Sendable, CaseIterable {
        case message = 1
        case receipt = 2
        case typing = 3
        case presence = 4
        case subscription = 5
        case contact = 6
        case call = 7
        case failure = 8
    }

    private let pointer: UnsafePointer<plugboard_envelope_t>

    init(_ pointer: UnsafePointer<plugboard_envelope_t>) {
        self.pointer = pointer
    }

    /// What it carries; nil for a kind that this version of the kit does not know.
    public var kind: Kind? { Kind(rawValue: pointer.pointee.kind) }
    /// The author's address.
    public var from: UnsafeRawBufferPointer { pointer.pointee.from.raw }
    /// The author's device; may be empty.
    public var fromDevice: UnsafeRawBufferPointer { pointer.pointee.from_device.raw }
    /// The recipient's address.
    public var to: UnsafeRawBufferPointer { pointer.pointee.to.raw }
    /// The one device it is for; empty: any.
    public var toDevice: UnsafeRawBufferPointer { pointer.pointee.to_device.raw }
    /// The source network's id of it; may be empty.
    public var id: UnsafeRawBufferPointer { pointer.pointee.id.raw }
    /// The thread it belongs to; may be empty.
    public var conversation: UnsafeRawBufferPointer { pointer.pointee.conversation.raw }
    /// The linked account it travels by; empty for federation.
    public var account: UnsafeRawBufferPointer { pointer.pointee.account.raw }
    /// When its author sent it, in ms since 1970.
    public var timestamp: Int64 { pointer.pointee.timestamp_ms }
    /// When it becomes worthless, in ms since 1970.
    public var expires: Int64 { pointer.pointee.expires_ms }
    /// Routers and providers crossed so far.
    public var hops: UInt32 { pointer.pointee.hops }
    /// It was handed to a provider before and may have reached the network.
    public var isRedelivered: Bool { pointer.pointee.flags & PLUGBOARD_ENVELOPE_REDELIVERED != 0 }
    /// It was stored on its way, and ``timestamp`` is when it was written.
    public var isDelayed: Bool { pointer.pointee.flags & PLUGBOARD_ENVELOPE_DELAYED != 0 }

    /// The router's own key of it, 16 bytes: the same for each attempt, across restarts.
    ///
    /// It tells a second attempt from a second message.
    public var idempotencyKey: (high: UInt64, low: UInt64) {
        withUnsafeBytes(of: pointer.pointee.idempotency_key) { bytes in
            (
                UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
                UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    /// The message that it is; nil if it is something else.
    public var message: MessageView? {
        guard pointer.pointee.kind == PLUGBOARD_MESSAGE, let content = pointer.pointee.content else { return nil }
        return MessageView(pointer: content.assumingMemoryBound(to: plugboard_message_t.self))
    }

    /// The receipt that it is; nil if it is something else, or of a kind that is not known.
    public var receipt: (kind: Receipt.Kind, messageID: UnsafeRawBufferPointer)? {
        guard pointer.pointee.kind == PLUGBOARD_RECEIPT,
            let content = pointer.pointee.content?.assumingMemoryBound(to: plugboard_receipt_t.self),
            let kind = Receipt.Kind(rawValue: content.pointee.receipt)
        else { return nil }
        return (kind, content.pointee.message_id.raw)
    }

    /// The typing state that it is; nil if it is something else, or a state that is not known.
    public var typing: Typing? {
        guard pointer.pointee.kind == PLUGBOARD_TYPING,
            let content = pointer.pointee.content?.assumingMemoryBound(to: plugboard_typing_t.self)
        else { return nil }
        return Typing(rawValue: content.pointee.state)
    }

    /// A copy that can be kept, of any kind; nil for a kind or value that this version of the kit does not know.
    public func copy() -> Envelope? { Envelope(borrowing: pointer) }
}

/// A message that the host lends; valid as long as the ``EnvelopeView`` that it is of.
public struct MessageView {
    fileprivate let pointer: UnsafePointer<plugboard_message_t>

    /// What the author wrote, as plain text.
    public var text: UnsafeRawBufferPointer { pointer.pointee.text.raw }
    /// May be empty.
    public var subject: UnsafeRawBufferPointer { pointer.pointee.subject.raw }
    /// BCP 47 language tag; may be empty.
    public var language: UnsafeRawBufferPointer { pointer.pointee.language.raw }
    /// The id of the message that this one corrects; may be empty.
    public var replaces: UnsafeRawBufferPointer { pointer.pointee.replaces.raw }
    /// The text with markup; may be empty.
    public var formatted: UnsafeRawBufferPointer { pointer.pointee.formatted.raw }
    /// The media type of ``formatted``.
    public var formattedType: UnsafeRawBufferPointer { pointer.pointee.formatted_type.raw }
    /// The author asks to be told when it was delivered.
    public var wantsDelivered: Bool { pointer.pointee.flags & PLUGBOARD_MESSAGE_WANTS_DELIVERED != 0 }
    /// The author asks to be told when it was read.
    public var wantsRead: Bool { pointer.pointee.flags & PLUGBOARD_MESSAGE_WANTS_READ != 0 }
    /// A nudge or buzz; the text may be empty.
    public var isAttention: Bool { pointer.pointee.flags & PLUGBOARD_MESSAGE_ATTENTION != 0 }
}

extension plugboard_bytes_1 {
    /// The borrowed bytes.
    fileprivate var raw: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: start, count: count) }
}

/// One envelope that the host lends to ``Provider/deliver(lent:)``.
public struct LentDelivery {
    /// What to send; valid only inside the call.
    public let envelope: EnvelopeView
    /// The host's name for it, which stays valid until it is completed: for ``Host/complete(_:_:)``.
    public let token: UInt64
    let host: Host

    /// Settles it at once, see ``Delivery/complete(_:)``.
    public func complete(_ outcome: Outcome) {
        host.complete(token, outcome)
    }
}
