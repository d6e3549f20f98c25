internal import CPlugboard
public import ProviderKit

/// One envelope on its way through a simulated router to an instance.
public final class SimulatedDelivery {
    /// What is delivered.
    public let envelope: Envelope
    /// How often it was taken by the plugin.
    public internal(set) var attempts = 0
    /// What the plugin said each time.
    public internal(set) var outcomes: [Outcome] = []

    /// A raw kind to claim instead of the content's own, for tests of unknown kinds.
    var kindOverride: UInt16?
    /// Its place in the order of all.
    let serial: Int
    /// 16 bytes, the same at each attempt.
    let key: (UInt64, UInt64)
    /// The number of its marker, where it has one.
    let marker: Int?
    /// A newer state of the same sender came before this one was offered, which is worth nothing since then.
    public internal(set) var isReplaced = false
    var isRedelivered = false
    /// Sender and recipient, whose envelopes stay in order.
    let conversation: String

    init(_ envelope: Envelope, serial: Int, key: (UInt64, UInt64), marker: Int?) {
        self.envelope = envelope
        self.serial = serial
        self.key = key
        self.marker = marker
        conversation = "\(envelope.from) \(envelope.to)"
    }

    /// What became of it in the end; nil while it is under way, or put off.
    public var outcome: Outcome? {
        switch outcomes.last {
        case .delivered?, .failed?: outcomes.last
        case .accepted?, .deferred?, nil: nil
        }
    }

    /// Whether it was delivered.
    public var isDelivered: Bool { outcome == .delivered }
}

/// The envelopes for one instance: those that wait, those it holds, and the conversations that are put off.
struct SimulatedLane {
    struct Held {
        var delivery: SimulatedDelivery
        /// When it was taken, in ns.
        var since: UInt64
    }

    /// Not offered yet, or not taken, in order.
    var waiting: [SimulatedDelivery] = []
    /// Taken and not settled, by token.
    var inFlight: [UInt64: Held] = [:]
    var lastToken: UInt64 = 0x7_0000_0000
    /// Conversations whose first envelope was deferred, until a time in ns.
    var parked: [String: UInt64] = [:]
    /// deliver() took less than it was offered, at this time, and ready() was not called since.
    var blockedSince: UInt64?
    var wasReadied = false
    var isPumpPosted = false
    var lastSerial = 0
    /// Taken back before the plugin settled them: when it took them, in ns, by token.
    var overdue: [UInt64: UInt64] = [:]
    /// Presence and typing that wait for room, in order: of each sender, recipient and kind the latest.
    private var latest: [(key: StateKey, delivery: SimulatedDelivery)] = []

    /// Whose state it is, towards whom.
    private struct StateKey: Equatable {
        var isTyping: Bool
        var parties: [String]

        init?(_ envelope: Envelope) {
            switch envelope.content {
            case .typing: isTyping = true
            case .presence: isTyping = false
            case .message, .receipt, .subscription, .contact, .call, .failure: return nil
            }
            parties = [
                "\(envelope.from)", envelope.fromDevice, "\(envelope.to)", envelope.toDevice, envelope.account,
            ]
        }
    }

    /// Whether nothing waits for the plugin, and it owes nothing.
    var isEmpty: Bool { waiting.isEmpty && inFlight.isEmpty && overdue.isEmpty && latest.isEmpty }

    /// Takes an envelope for the plugin.
    ///
    /// - Parameter laneMax: when so many wait, states wait elsewhere, and only the latest of each.
    /// - Returns: the older state in whose place it waits now.
    mutating func append(_ delivery: SimulatedDelivery, laneMax: Int) -> SimulatedDelivery? {
        guard let key = StateKey(delivery.envelope) else {
            waiting.append(delivery)
            return nil
        }
        if let place = latest.firstIndex(where: { $0.key == key }) {
            defer { latest[place].delivery = delivery }
            return latest[place].delivery
        }
        if waiting.count < laneMax { waiting.append(delivery) } else { latest.append((key, delivery)) }
        return nil
    }

    /// Lets states in that waited for room.
    mutating func letIn(laneMax: Int) {
        while waiting.count < laneMax, !latest.isEmpty { waiting.append(latest.removeFirst().delivery) }
    }

    /// How many of a conversation the plugin holds.
    func heldCount(_ conversation: String) -> Int {
        inFlight.values.count { $0.delivery.conversation == conversation }
    }

    /// Takes the first that may be offered now.
    mutating func takeBatch(_ max: Int) -> [SimulatedDelivery] {
        var batch: [SimulatedDelivery] = []
        var rest: [SimulatedDelivery] = []
        for delivery in waiting {
            if batch.count < max, parked[delivery.conversation] == nil {
                batch.append(delivery)
            } else {
                rest.append(delivery)
            }
        }
        waiting = rest
        return batch
    }

    /// Puts one back in front of what follows it in its conversation.
    mutating func putBack(_ delivery: SimulatedDelivery) {
        let place = waiting.firstIndex { $0.serial > delivery.serial } ?? waiting.endIndex
        waiting.insert(delivery, at: place)
    }
}
