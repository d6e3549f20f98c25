import CLanePeers

/// One kind of queue.
struct Candidate {
    let name: String
    /// Whether its time is the one that is compared with the best peer's.
    var isMeasuredAgainst = false
    /// Whether it is one of the peers.
    var isPeer = false
    /// Makes a queue for a case; nil when this candidate is not made for it.
    let makeQueue: (Case) -> (any BenchmarkedQueue)?
}

/// A queue while it is measured; each thread runs one of its two loops.
///
/// A producer pushes the words `first`, `first` + 1, …, none 0. A consumer pops until it finds nothing although `done` was set before
/// it looked. Both call `lane_bench_wait` when they cannot go on.
protocol BenchmarkedQueue: AnyObject {
    func produce(producer: Int, first: UInt64, count: UInt64, batch: Int)
    func consume(consumer: Int, batch: Int, done: UnsafePointer<UInt32>) -> lane_bench_tally_t
}

/// How many threads, and how many words in a call.
struct Case: Hashable {
    let producers: Int
    let consumers: Int
    let batch: Int

    /// As in `2P1C`.
    var shape: String { "\(self.producers)P\(self.consumers)C" }
    var threads: Int { self.producers + self.consumers }

    static let shapes = [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 4)]
    static let batches = [1, 32]
    static let all = Self.shapes.flatMap { shape in
        Self.batches.map { Case(producers: shape.0, consumers: shape.1, batch: $0) }
    }
}

extension Candidate {
    /// Everything that is measured, in the order of the table.
    static func all(cores: Int) -> [Candidate] {
        let ours = [
            Candidate(name: "lanes", isMeasuredAgainst: true) { LaneQueue($0, wakes: false) },
            Candidate(name: "lanes, wakes and room") { LaneQueue($0, wakes: true) },
            Candidate(name: "MPMCRing") { _ in MPMCRingQueue() },
        ]
        var count = 0
        guard let peers = lane_peers(&count) else { return ours }
        return ours + (0..<count).compactMap { peers[$0].map { Self.peer($0, cores: cores) } }
    }

    private static func peer(_ peer: UnsafePointer<lane_peer_t>, cores: Int) -> Candidate {
        Candidate(name: String(cString: peer.pointee.name), isPeer: true) { test in
            let (producersMax, consumersMax) = (Int(peer.pointee.producers_max), Int(peer.pointee.consumers_max))
            guard producersMax == 0 || test.producers <= producersMax else { return nil }
            guard consumersMax == 0 || test.consumers <= consumersMax else { return nil }
            guard peer.pointee.needs_cores == 0 || test.threads <= cores else { return nil }
            return PeerQueue(peer, test)
        }
    }
}

/// A peer's queue: its loops are its own.
private final class PeerQueue: BenchmarkedQueue {
    private let peer: UnsafePointer<lane_peer_t>
    private let queue: UnsafeMutableRawPointer?

    init(_ peer: UnsafePointer<lane_peer_t>, _ test: Case) {
        self.peer = peer
        self.queue = peer.pointee.create(UInt32(test.producers), UInt32(test.consumers))
    }

    deinit {
        self.peer.pointee.destroy(self.queue)
    }

    func produce(producer: Int, first: UInt64, count: UInt64, batch: Int) {
        self.peer.pointee.produce(self.queue, UInt32(producer), first, count, UInt32(batch))
    }

    func consume(consumer: Int, batch: Int, done: UnsafePointer<UInt32>) -> lane_bench_tally_t {
        self.peer.pointee.consume(self.queue, UInt32(consumer), UInt32(batch), done)
    }
}
