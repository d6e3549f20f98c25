internal import CPlugboard
public import IMModel

/// A message written from bytes that the caller lends: nothing is copied but by the router, and nothing allocated.
///
/// For a provider that reads text as bytes and has many messages to hand in; ``Host/submit(_:tag:)`` takes it. The bytes must stay
/// valid during that call. The router checks them as it checks an ``Envelope``: UTF-8, addresses, lengths.
///
///     var draft = MessageDraft(from: sender, to: recipient, text: line)
///     draft.id = id
///     let submission = try host.submit(draft, tag: number)      // answered by submitted(_:_:)
public struct MessageDraft {
    /// The author's address, `user@domain`.
    public var from: UnsafeRawBufferPointer
    /// The author's device; empty: none.
    public var fromDevice = Self.empty
    /// The recipient's address, `user@domain`.
    public var to: UnsafeRawBufferPointer
    /// The one device it is for; empty: any.
    public var toDevice = Self.empty
    /// The source network's id of it; a message that comes again with it is dropped.
    public var id = Self.empty
    /// The thread it belongs to; empty: none.
    public var conversation = Self.empty
    /// The linked account it travels by; empty for federation.
    public var account = Self.empty
    /// When its author sent it, in ms since 1970; 0: now.
    public var timestamp: Int64 = 0
    /// When it becomes worthless, in ms since 1970; 0: the router's default.
    public var expires: Int64 = 0
    /// Routers and providers crossed so far; to be kept by whoever passes it on.
    public var hops: UInt32 = 0
    /// It was stored on its way, and ``timestamp`` is when it was written.
    public var isDelayed = false
    /// What the author's network says of the author; the router's policy may ask it.
    public var vouching = Vouching.absent
    /// What the author wrote, as plain text.
    public var text: UnsafeRawBufferPointer
    /// The author asks to be told when it was delivered.
    public var wantsDelivered = false
    /// The author asks to be told when it was read.
    public var wantsRead = false

    private static var empty: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

    /// A message from now, on its first hop.
    public init(from: UnsafeRawBufferPointer, to: UnsafeRawBufferPointer, text: UnsafeRawBufferPointer) {
        self.from = from
        self.to = to
        self.text = text
    }

    /// Lends the message in the ABI's form for the duration of `body`.
    func withABI<R>(_ body: (UnsafePointer<plugboard_envelope_t>) -> R) -> R {
        var message = plugboard_message_t()
        message.struct_size = structSize(plugboard_message_t.self)
        message.flags =
            (wantsDelivered ? PLUGBOARD_MESSAGE_WANTS_DELIVERED : 0) | (wantsRead ? PLUGBOARD_MESSAGE_WANTS_READ : 0)
        message.text = plugboard_bytes_t(lending: text)
        return withUnsafePointer(to: message) { message in
            var envelope = plugboard_envelope_t()
            envelope.struct_size = structSize(plugboard_envelope_t.self)
            envelope.kind = PLUGBOARD_MESSAGE
            envelope.flags = (isDelayed ? PLUGBOARD_ENVELOPE_DELAYED : 0) | vouching.flags
            envelope.timestamp_ms = timestamp
            envelope.expires_ms = expires
            envelope.hops = hops
            envelope.from = plugboard_bytes_t(lending: from)
            envelope.from_device = plugboard_bytes_t(lending: fromDevice)
            envelope.to = plugboard_bytes_t(lending: to)
            envelope.to_device = plugboard_bytes_t(lending: toDevice)
            envelope.id = plugboard_bytes_t(lending: id)
            envelope.conversation = plugboard_bytes_t(lending: conversation)
            envelope.account = plugboard_bytes_t(lending: account)
            envelope.content = UnsafeRawPointer(message)
            return withUnsafePointer(to: envelope, body)
        }
    }
}

extension plugboard_bytes_1 {
    fileprivate init(lending bytes: UnsafeRawBufferPointer) {
        self.init(start: bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), count: bytes.count)
    }
}

extension Host {
    /// The greatest tag: above it are the host's own.
    public static let tagMax: UInt64 = UInt64.max >> 1

    /// Hands in a message that is written from bytes; allocates nothing.
    ///
    /// - Parameter tag: the provider's own name for it, 1...``tagMax``: ``Provider/submitted(_:_:)`` is called with it exactly
    ///   once if the message was taken. 0: do not tell me.
    /// - Throws: ``HostError/invalidArgument``, ``HostError/limitReached``, ``HostError/shuttingDown``.
    public func submit(_ draft: MessageDraft, tag: UInt64 = 0) throws(HostError) -> Submission {
        precondition(tag <= Self.tagMax, "a tag is at most \(Self.tagMax)")
        let status = draft.withABI { table.pointee.submit(context, $0, tag) }
        guard status < 0 else { return .taken }
        if status == PLUGBOARD_BUSY { return .busy }
        throw HostError(status)
    }
}
