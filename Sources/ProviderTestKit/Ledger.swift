internal import ProviderKit

/// A word that is found again in bytes and envelopes: put it into a message's text, and the simulation follows the
/// message through the plugin.
///
/// It is letters and digits only, so that no network's encoding changes it.
public struct Marker: Hashable, Sendable, CustomStringConvertible {
    /// Its number, 0...999,999.
    public let number: Int

    /// The marker of a number.
    ///
    /// - Precondition: 0...999,999.
    public init(_ number: Int) {
        precondition((0...999_999).contains(number), "a marker's number has six digits")
        self.number = number
    }

    /// Such as `mk000017km`.
    public var description: String {
        let digits = String(number)
        return "mk" + String(repeating: "0", count: 6 - digits.count) + digits + "km"
    }

    /// The number of the marker in a message's text; nil where there is none.
    static func number(in envelope: Envelope) -> Int? {
        guard case .message(let message) = envelope.content else { return nil }
        var scanner = MarkerScanner()
        var text = message.text
        return text.withUTF8 { scanner.scan($0).first }
    }
}

/// Finds markers in a stream of bytes that comes in pieces.
struct MarkerScanner {
    private var matched = 0
    private var number = 0

    /// The markers in bytes that stand for themselves.
    static func all(in bytes: some Sequence<UInt8>) -> [Int] {
        var scanner = MarkerScanner()
        return scanner.scan(bytes)
    }

    mutating func scan(_ bytes: some Sequence<UInt8>) -> [Int] {
        var found: [Int] = []
        for byte in bytes {
            switch (matched, byte) {
            case (0, 0x6D), (1, 0x6B), (8, 0x6B): matched += 1
            case (2...7, 0x30...0x39):
                number = number * 10 + Int(byte - 0x30)
                matched += 1
            case (9, 0x6D):
                found.append(number)
                (matched, number) = (0, 0)
            default:
                matched = byte == 0x6D ? 1 : 0
                number = 0
            }
        }
        return found
    }
}

/// Where each marked message is: what the rules about loss and order are judged by.
struct Ledger {
    private struct Outbound {
        var delivery: SimulatedDelivery
        var instance: SimulatedInstance
        var hasArrived = false
        var wasLost = false
        var isReported = false
    }

    private struct Inbound {
        var pipe: Int
        /// How many bytes of the pipe the plugin must have consumed to have it in full.
        var end: Int
        /// Its place among the messages of its pipe.
        var place: Int
        var isConsumed = false
        var submissions = 0
    }

    private var outbound: [Int: Outbound] = [:]
    private var inbound: [Int: Inbound] = [:]
    /// Messages of each pipe that are not consumed in full, in order.
    private var expected: [Int: [Int]] = [:]
    /// Pipes with garbage in them: what comes on these no plugin can be held to.
    private var spoiled: Set<Int> = []
    /// The place of the last message of each pipe that was submitted.
    private var lastPlace: [Int: Int] = [:]
    private var placeCount = 0
    /// What the plugin was told in datagrams and answers, and has not submitted.
    private var owed: Set<Int> = []
    /// The serial of the last new arrival of a conversation at a peer.
    private var lastSerial: [String: Int] = [:]

    /// Whether the plugin was told of messages that it has not submitted.
    var isOwed: Bool { !owed.isEmpty }
    var isEmpty: Bool { outbound.isEmpty && inbound.isEmpty }

    // MARK: To the peer

    mutating func sent(_ marker: Int, _ delivery: SimulatedDelivery, to instance: SimulatedInstance) {
        outbound[marker] = Outbound(delivery: delivery, instance: instance)
    }

    mutating func settled(_ marker: Int, _ outcome: Outcome) {
        if case .delivered = outcome { outbound[marker]?.isReported = true }
    }

    mutating func arrived(_ marker: Int, in simulation: Simulation) {
        guard var entry = outbound[marker] else { return }
        let isFirst = !entry.hasArrived
        entry.hasArrived = true
        outbound[marker] = entry
        // What was put off may come later than what followed it.
        guard isFirst, entry.delivery.outcomes.allSatisfy({ $0 == .delivered }) else { return }
        let conversation = entry.delivery.conversation
        if let last = lastSerial[conversation], last > entry.delivery.serial {
            simulation.violate(
                .reordered,
                "\(Marker(marker)) reached the peer after a later message of the same conversation",
                by: entry.instance
            )
        }
        lastSerial[conversation] = max(lastSerial[conversation] ?? 0, entry.delivery.serial)
    }

    /// It left the plugin in full, and no peer will read it in full.
    mutating func lost(_ marker: Int) { outbound[marker]?.wasLost = true }

    // MARK: From the peer

    mutating func said(_ marker: Int, on pipe: Pipe, upTo end: Int) {
        guard !spoiled.contains(pipe.number) else { return }
        placeCount += 1
        inbound[marker] = Inbound(pipe: pipe.number, end: end, place: placeCount)
        expected[pipe.number, default: []].append(marker)
    }

    /// A user of the network says it, in a datagram or an answer to come.
    mutating func saidSomehow(_ marker: Int) {
        placeCount += 1
        // No pipe has this number, and none of two such messages comes before the other.
        inbound[marker] = Inbound(pipe: -placeCount, end: .max, place: placeCount)
    }

    /// The plugin was told bytes that stand for themselves: what users say in them is its duty now.
    mutating func told(_ bytes: [UInt8]) {
        guard !inbound.isEmpty else { return }
        for marker in MarkerScanner.all(in: bytes) where inbound[marker] != nil {
            inbound[marker]?.isConsumed = true
            if inbound[marker]?.submissions == 0 { owed.insert(marker) }
        }
    }

    /// Garbage got into a pipe.
    mutating func spoil(_ pipe: Pipe) {
        spoiled.insert(pipe.number)
        expected[pipe.number] = nil
    }

    /// The plugin has consumed so many bytes of a pipe.
    mutating func consumed(_ pipe: Pipe, upTo end: Int) {
        guard !expected.isEmpty else { return }
        let id = pipe.number
        while let marker = expected[id]?.first, let entry = inbound[marker], entry.end <= end {
            inbound[marker]?.isConsumed = true
            expected[id]?.removeFirst()
        }
    }

    /// The first message of a pipe that is within so many bytes and was not consumed.
    func owed(_ pipe: Pipe, upTo end: Int) -> Marker? {
        guard let marker = expected[pipe.number]?.first, let entry = inbound[marker], entry.end <= end else {
            return nil
        }
        return Marker(marker)
    }

    mutating func submitted(_ marker: Int, by instance: SimulatedInstance) {
        guard var entry = inbound[marker] else { return }
        entry.submissions += 1
        inbound[marker] = entry
        owed.remove(marker)
        let simulation = instance.simulation
        guard entry.submissions == 1 else {
            simulation.violate(.submittedTwice, "\(Marker(marker)) was submitted twice", by: instance)
            return
        }
        if let last = lastPlace[entry.pipe], last > entry.place {
            simulation.violate(
                .reorderedInbound,
                "\(Marker(marker)) was submitted after a later message of the same connection",
                by: instance
            )
        }
        lastPlace[entry.pipe] = entry.place
    }

    // MARK: In the end

    /// What is wrong when all should be settled.
    func flaw(of instance: SimulatedInstance) -> (rule: Violation.Rule, what: String)? {
        for (marker, entry) in outbound.sorted(by: { $0.key < $1.key }) where entry.instance === instance {
            if entry.isReported, !entry.hasArrived, !entry.wasLost {
                let what = "\(Marker(marker)) was reported delivered, and was never written to a peer"
                return (.lost, what)
            }
        }
        for (marker, entry) in inbound.sorted(by: { $0.key < $1.key }) where entry.isConsumed && entry.submissions == 0
        {
            return (.lostInbound, "\(Marker(marker)) was consumed, and never submitted")
        }
        return nil
    }
}
