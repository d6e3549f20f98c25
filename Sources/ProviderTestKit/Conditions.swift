/// How a simulated network treats connections.
public struct NetworkConditions: Sendable {
    /// The time of a segment from one end to the other.
    public var delay: ClosedRange<Duration> = .microseconds(50)...Duration.milliseconds(40)
    /// Bytes that are on their way or unread at the receiver before the sender's host has to keep the rest.
    public var window: ClosedRange<Int> = 65_536...65_536
    /// One in so many segments is split at a random place; 0: none.
    public var splitOneIn = 3
    /// One in so many connects is refused; 0: none.
    public var refuseOneIn = 0
    /// One in so many datagrams is lost; 0: none.
    public var datagramLossOneIn = 0
    /// One in so many datagrams arrives twice; 0: none.
    public var datagramCopyOneIn = 0
    /// One in so many datagrams is overtaken by those behind it; 0: none.
    public var datagramDetourOneIn = 0
    /// One in so many connections that were kept for another HTTP request is closed when it comes; 0: none.
    public var staleOneIn = 0

    /// A network that delays and splits, and loses nothing.
    public init() {}

    /// Like ``init()``, but datagrams get lost, doubled and overtaken, and kept connections grow stale.
    public static var lossy: NetworkConditions {
        var conditions = NetworkConditions()
        conditions.datagramLossOneIn = 4
        conditions.datagramCopyOneIn = 4
        conditions.datagramDetourOneIn = 4
        conditions.staleOneIn = 3
        return conditions
    }

    /// Like ``init()``, with windows so small that every few messages fill them.
    public static var narrow: NetworkConditions {
        var conditions = NetworkConditions()
        conditions.window = 64...512
        return conditions
    }
}

/// How a simulated router treats envelopes.
public struct RouterConditions: Sendable {
    /// One in so many submits is answered BUSY, and so all that follow until there is room; 0: none.
    public var busyOneIn = 0
    /// How long it takes until there is room again.
    public var roomAfter: ClosedRange<Duration> = .milliseconds(1)...Duration.milliseconds(500)
    /// How long the router takes to answer a submit.
    public var answerAfter: ClosedRange<Duration> = .zero...Duration.milliseconds(20)
    /// The most envelopes of one deliver().
    public var batchMax = 16
    /// When a deferred envelope is offered again, unless the plugin named a later time.
    public var retryAfter: ClosedRange<Duration> = .seconds(1)...Duration.seconds(30)
    /// Envelopes that an instance may hold unsettled.
    public var inFlightMax = 65_536
    /// How long an instance may hold an envelope before it is taken back, and up to a quarter longer.
    public var settleTime = Duration.seconds(120)
    /// Envelopes that wait for an instance; of presence and typing that come beyond, only the latest wait.
    public var laneMax = 4096

    /// A router that always has room.
    public init() {}

    /// A router that often has none.
    public static var busy: RouterConditions {
        var conditions = RouterConditions()
        conditions.busyOneIn = 3
        return conditions
    }
}

/// The bounds on what an instance may hold, as the real host has them.
public struct HostLimits: Sendable {
    /// Streams, accepted and connected together.
    public var streamsMax = 16_384
    /// Listening sockets.
    public var listenersMax = 16
    /// Running timers.
    public var timersMax = 65_536
    /// The longest delay of a timer: 30 days.
    public var timerDelayMsMax: UInt64 = 30 * 24 * 3600 * 1000
    /// Names being looked up.
    public var resolutionsMax = 256
    /// Bytes written to a stream and not sent; past it a write answers E_LIMIT.
    public var writeBufferMax = 4 << 20
    /// Bytes written and not sent from which a write answers HIGH.
    public var writeHighWater = 256 << 10
    /// Unconsumed input of a stream, in bytes, unless the stream's options say otherwise.
    public var inputMax = 1 << 20
    /// The most that the options may ask for.
    public var inputMaxMax = 16 << 20
    /// For name and connection, where the options say nothing.
    public var connectTimeout = Duration.seconds(30)
    /// For a TLS handshake.
    public var handshakeTimeout = Duration.seconds(15)
    /// For the peer to take what was written before finish.
    public var finishTimeout = Duration.seconds(30)
    /// For the peer's own end after that.
    public var lingerTimeout = Duration.seconds(2)
    /// When a connection whose bytes nobody acknowledges is given up, as by Linux's TCP.
    public var silenceTimeout = Duration.seconds(924)

    /// Datagram sockets.
    public var udpSocketsMax = 64
    /// HTTP requests that are not finished.
    public var httpRequestsMax = 256
    /// A whole HTTP exchange, unless the request says otherwise.
    public var httpTimeout = Duration.seconds(30)
    /// The longest time that a request may ask for, in ms.
    public var httpTimeoutMsMax: UInt32 = 3_600_000
    /// Header fields of a request, and of an answer.
    public var httpFieldsMax = 128
    /// Names and values of these, in bytes.
    public var httpHeadMax = 64 << 10
    /// Body of a request, in bytes.
    public var httpRequestBodyMax = 4 << 20
    /// Body of an answer that comes as a whole, in bytes.
    public var httpBodyMax = 4 << 20
    /// Body of an answer that comes piece by piece, in bytes.
    public var httpStreamMax = 1 << 30
    /// Redirects that a request may ask to be followed.
    public var httpRedirectsMax: UInt32 = 10

    /// A connect may not ask for more, in ms.
    static let connectTimeoutMsMax: UInt32 = 24 * 3600 * 1000

    /// The real host's.
    public init() {}
}

/// What can go wrong with a connection.
public enum Fault: Sendable, Hashable, CustomStringConvertible {
    /// The connection is reset: both ends lose it, and all that is on its way.
    case cut
    /// Nothing arrives any more, in both directions, and nobody is told.
    case halfOpen
    /// What is on its way takes so much longer.
    case delay(Duration)
    /// So many random bytes come in front of the peer's.
    case garbage(Int)

    /// In a word.
    public var description: String {
        switch self {
        case .cut: "cut"
        case .halfOpen: "half-open"
        case .delay(let time): "delay of \(time)"
        case .garbage(let count): "\(count) bytes of garbage"
        }
    }
}

/// Which faults come when.
///
/// A network step is the arrival of one segment at one end.
public struct FaultPlan: Sendable {
    var planned: [Int: Fault] = [:]
    var kinds: [Fault] = []
    var oneIn = 0

    /// No faults.
    public static var none: FaultPlan { FaultPlan() }

    /// One fault, at the network step of this number, from 1.
    public static func at(_ step: Int, _ fault: Fault) -> FaultPlan {
        var plan = FaultPlan()
        plan.planned[step] = fault
        return plan
    }

    /// At one in so many network steps a fault of one of these kinds.
    public static func random(oneIn count: Int, _ kinds: [Fault] = standardKinds) -> FaultPlan {
        var plan = FaultPlan()
        plan.oneIn = count
        plan.kinds = kinds
        return plan
    }

    /// One of each kind that a correct peer's network can bring about.
    public static let standardKinds: [Fault] = [.cut, .halfOpen, .delay(.seconds(3))]

    /// The fault at a step, if one is due.
    mutating func fault(at step: Int, _ random: inout SeededRandom) -> Fault? {
        if let fault = planned.removeValue(forKey: step) { return fault }
        guard !kinds.isEmpty, random.oneIn(oneIn) else { return nil }
        return kinds[random.pick(0...kinds.count - 1)]
    }
}
