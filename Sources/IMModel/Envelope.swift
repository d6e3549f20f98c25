/// The one thing that is routed: a message, receipt, presence…, with where it comes from and goes to.
public struct Envelope: Hashable, Sendable {
    /// The author.
    public var from: Address
    /// The author's device (an XMPP resource, a SIP GRUU); may be empty.
    public var fromDevice: String
    /// The recipient.
    public var to: Address
    /// The one device it is for; empty: any.
    public var toDevice: String
    /// The source network's id of it, 0...1023 bytes; a message that comes again with it is dropped.
    public var id: String
    /// The thread it belongs to; may be empty.
    public var conversation: String
    /// When its author sent it, in ms since 1970; 0 on submit: now.
    public var timestamp: Int64
    /// When it becomes worthless, in ms since 1970; 0: the router's default.
    public var expires: Int64
    /// Routers and providers crossed so far; to be kept by whoever passes it on.
    public var hops: UInt32
    /// The linked account it travels by; empty for federation.
    public var account: String
    /// It was handed to a provider before and may have reached the network.
    public var isRedelivered: Bool
    /// It was stored on its way, and `timestamp` is when it was written.
    public var isDelayed: Bool
    /// What the author's network says of the author.
    ///
    /// On submit alone: the router's policy asks it, and it is passed on to nobody.
    public var vouching: Vouching
    /// What it carries.
    public var content: Content

    /// An envelope from now, on its first hop.
    public init(from: Address, to: Address, id: String = "", content: Content) {
        self.from = from
        self.fromDevice = ""
        self.to = to
        self.toDevice = ""
        self.id = id
        self.conversation = ""
        self.timestamp = 0
        self.expires = 0
        self.hops = 0
        self.account = ""
        self.isRedelivered = false
        self.isDelayed = false
        self.vouching = .absent
        self.content = content
    }

    /// What an envelope can carry.
    public enum Content: Hashable, Sendable {
        case message(Message)
        case receipt(Receipt)
        case typing(Typing)
        case presence(Presence)
        case subscription(Subscription)
        case contact(ContactChange)
        case call(CallEvent)
        case failure(Failure)
    }

    /// The name of the content's kind, for logs and people.
    public var kindName: String {
        switch content {
        case .message: "message"
        case .receipt: "receipt"
        case .typing: "typing"
        case .presence: "presence"
        case .subscription: "subscription"
        case .contact: "contact"
        case .call: "call"
        case .failure: "failure"
        }
    }
}
