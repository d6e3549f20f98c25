@_exported public import IMModel

/// A network, as an engine: envelopes and bytes go in, bytes and envelopes come out.
///
/// The host makes one object of the conforming class for each configured instance, and calls it on
/// one thread only. Sockets, TLS, timers and names are asked of the ``Host``; their answers come
/// back as calls, never while a call to the host is under way. A minimal provider implements
/// ``descriptor``, ``init(host:instance:)``, ``start()`` and ``deliver(_:)``.
public protocol Provider: AnyObject {
    /// What the plugin says of itself.
    static var descriptor: Descriptor { get }

    /// Checks settings for what the schema cannot say, such as combinations that make no sense.
    ///
    /// It runs without an instance, also for `plugboard check`. The standard one finds no fault.
    static func check(_ instance: InstanceInfo, problems: inout Problems)

    /// Makes an instance; the host can be kept, but not used before ``start()``.
    init(host: Host, instance: InstanceInfo) throws(ProviderError)

    /// Begins work: listen, connect, claim addresses.
    func start() throws(ProviderError)

    /// Sends one envelope to the network.
    ///
    /// - Returns: true if it was taken: then it must be completed exactly once, now or later, with
    ///   ``Delivery/complete(_:)``. False if there is no room: then the host waits for ``Host/ready()``.
    func deliver(_ delivery: Delivery) -> Bool

    /// The same, with an envelope that is lent and not copied: for providers with many messages to pass on as bytes.
    ///
    /// A provider that implements it is never called with ``deliver(_:)``, whose implementation may be empty. The standard
    /// one copies the envelope and calls ``deliver(_:)``.
    ///
    /// - Returns: the same as ``deliver(_:)``; what was taken is completed with ``LentDelivery/complete(_:)`` at once, or later
    ///   by its token with ``Host/complete(_:_:)``.
    func deliver(lent delivery: LentDelivery) -> Bool

    /// Answers ``Host/submit(_:tag:)``: accepted, or failed with the reason.
    func submitted(_ tag: UInt64, _ outcome: Outcome)

    /// ``Host/submit(_:then:)`` may be tried again after it answered `busy`.
    func room()

    /// Ends work in an orderly way: finish what is in flight, close the streams.
    func drain()

    /// The last call. All streams are closed, all timers cancelled.
    func stop()

    /// What the operator sees of the links to the network.
    func links() -> [LinkReport]

    /// The organisation serves these domains from now on, in place of ``InstanceInfo/homeDomains``.
    ///
    /// - Returns: true to go on with them; the streams stay open. False, as the standard implementation says, to let the
    ///   router start another instance, which is told the domains, and drain this one.
    func homeDomainsChanged(to domains: [String]) -> Bool
}

extension Provider {
    /// Finds no fault.
    public static func check(_ instance: InstanceInfo, problems: inout Problems) {}
    /// Copies the envelope and calls ``deliver(_:)``; one of a kind that the kit does not know has failed.
    public func deliver(lent delivery: LentDelivery) -> Bool {
        guard let envelope = delivery.envelope.copy() else {
            let reason = Outcome.Reason(.content, "this plugin does not know this kind of content")
            delivery.complete(.failed(reason))
            return true
        }
        let key = delivery.envelope.idempotencyKey
        return deliver(
            Delivery(envelope: envelope, token: delivery.token, idempotencyKey: key, host: delivery.host)
        )
    }
    /// Does nothing.
    public func submitted(_ tag: UInt64, _ outcome: Outcome) {}
    /// Does nothing.
    public func room() {}
    /// Does nothing.
    public func drain() {}
    /// Does nothing.
    public func stop() {}
    /// There are none.
    public func links() -> [LinkReport] { [] }
    /// Leaves it to another instance.
    public func homeDomainsChanged(to domains: [String]) -> Bool { false }
}

/// Why an instance could not be made or started.
public struct ProviderError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The setting at fault, such as `partners[0].domain`; empty if it is none.
    public let setting: String
    /// What is wrong, and how to mend it.
    ///
    /// It never contains a secret.
    public let sentence: String

    /// An error, about one setting or the whole.
    public init(_ sentence: String, setting: String = "") {
        self.setting = setting
        self.sentence = sentence
    }

    /// The setting, if it is about one, and what is wrong.
    public var description: String { setting.isEmpty ? sentence : "\(setting): \(sentence)" }
}

/// One envelope that the host hands over for the network.
public struct Delivery {
    /// What to send.
    public let envelope: Envelope
    /// The host's name for it.
    public let token: UInt64
    /// The same for each attempt, across restarts: for networks that recognise what comes twice.
    public let idempotencyKey: (high: UInt64, low: UInt64)
    private let host: Host

    init(envelope: Envelope, token: UInt64, idempotencyKey: (high: UInt64, low: UInt64), host: Host) {
        self.envelope = envelope
        self.token = token
        self.idempotencyKey = idempotencyKey
        self.host = host
    }

    /// Settles it: delivered, deferred (the router tries again later) or failed (its author is told).
    ///
    /// To be called exactly once; a second call is logged by the host and changes nothing.
    public func complete(_ outcome: Outcome) {
        host.complete(token, outcome)
    }
}

/// The state of one link, for the operator.
public struct LinkReport: Hashable, Sendable {
    /// How the link stands.
    public enum State: UInt32, Hashable, Sendable {
        case down = 0
        case connecting = 1
        case up = 2
        case backingOff = 3
    }

    /// The partner's domain, or the account.
    public var name: String
    /// How it stands.
    public var state: State
    /// `out, TLSv1.3, EXTERNAL`, or the last error in plain words.
    public var detail: String
    /// Envelopes handed to the peer since start.
    public var sent: UInt64
    /// Envelopes that came from it since start.
    public var received: UInt64
    /// Envelopes queued for it.
    public var waiting: UInt64
    /// When it came into this state, in ms since 1970.
    public var since: Int64

    /// A link's state.
    public init(
        name: String,
        state: State,
        detail: String,
        sent: UInt64 = 0,
        received: UInt64 = 0,
        waiting: UInt64 = 0,
        since: Int64 = 0
    ) {
        self.name = name
        self.state = state
        self.detail = detail
        self.sent = sent
        self.received = received
        self.waiting = waiting
        self.since = since
    }
}
