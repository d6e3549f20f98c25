import Testing

@testable import Lanes

/// How many take part in a mesh and how much they send.
struct MeshScale: Sendable, CustomTestStringConvertible {
    var workers = 3
    var foreigners = 2
    let capacity: Int
    let batch: Int
    let popMax: Int
    /// Slabs from each sender to each worker but itself.
    var slabsEach = 600

    var testDescription: String { "capacity \(self.capacity), pushes of \(self.batch), pops of \(self.popMax)" }
}

/// Workers that all send to each other as a router's do, and foreign threads that send to them.
///
/// Each worker has a lane, and one bed for all that it waits for. Words are slabs.
///
/// What a slab holds is written and read plainly. So ThreadSanitizer sees whether a slab's whole way, out through a lane and
/// home through a return ring, orders the memory behind it: by the rings' releasing stores and acquiring loads, which it
/// understands. It does not understand fences. Here none orders memory that a plain access touches: fences only order a flag
/// with an index, both atomic, and a missing one means a sleeper with work, which the beds' patience, `LaneFenceTests` and
/// the model behind `make verify-lanes` look for.
private final class Mesh: Sendable {
    let scale: MeshScale
    let pools: SlabPools
    let faults = Faults()
    let (received, sleeps, holdUps) = (Tally(), Tally(), Tally())
    private let lanes: [Lane]
    private let beds: [Bed]

    init(_ scale: MeshScale) {
        self.scale = scale
        self.pools = SlabPools(workers: scale.workers)
        self.lanes = (0..<scale.workers).map { _ in Lane(producers: scale.workers, capacity: scale.capacity) }
        self.beds = (0..<scale.workers + scale.foreigners).map { _ in Bed() }
    }

    func run() async {
        let workers = (0..<self.scale.workers).map { worker -> @Sendable () -> Void in { self.work(worker) } }
        let foreigners = (self.scale.workers..<self.beds.count).map { sender -> @Sendable () -> Void in
            { self.sendForeign(sender) }
        }
        await onThreads(workers + foreigners)
    }

    // MARK: A worker

    private func work(_ worker: Int) {
        let senders = self.beds.count
        var sent = [Int](repeating: 0, count: self.scale.workers)
        sent[worker] = self.scale.slabsEach
        var received = [Int](repeating: 0, count: senders)
        received[worker] = self.scale.slabsEach
        while true {
            let hasSent = self.sendBatches(from: worker, &sent)
            guard let hasReceived = self.receiveBatch(worker, &received) else { return }
            let isDone = !(sent + received).contains { $0 < self.scale.slabsEach }
            if isDone { return }
            guard !hasSent, !hasReceived, self.lanes[worker].prepareToSleep() else { continue }
            self.sleeps.add()
            guard self.beds[worker].sleep() else { return self.faults.add("worker \(worker) was never woken") }
            // It may have been room that woke it, and not words.
            self.lanes[worker].cancelSleep()
        }
    }

    /// One batch to each that has room; false when all that is left to send must wait for room, which is registered.
    private func sendBatches(from worker: Int, _ sent: inout [Int]) -> Bool {
        var canSendMore = false
        for target in sent.indices where sent[target] < self.scale.slabsEach {
            let count = min(self.scale.batch, self.scale.slabsEach - sent[target])
            let words = (0..<count).map { self.makeSlab(worker, number: sent[target] + $0, worker: worker) }
            let taken = self.lanes[target].push(words, producer: worker)
            for word in words[taken...] { self.release(word, worker: worker) }
            sent[target] += taken
            if taken > 0, self.lanes[target].shouldWakeConsumer() { self.beds[target].wake() }
            guard taken < count, self.lanes[target].waitForRoom(producer: worker) else {
                canSendMore = true
                continue
            }
            self.holdUps.add()
        }
        return canSendMore
    }

    /// Whether there was anything; nil when it was wrong.
    private func receiveBatch(_ worker: Int, _ received: inout [Int]) -> Bool? {
        let lane = self.lanes[worker]
        let words = lane.pop(self.scale.popMax)
        guard !words.isEmpty else { return false }
        self.wake(lane.takeRoomWaiters())
        for word in words {
            guard let tagged = self.open(word, worker: worker), tagged.number == received[tagged.sender] else {
                self.faults.add("worker \(worker) got a slab that is damaged, lost, doubled or out of order")
                return nil
            }
            received[tagged.sender] += 1
        }
        self.received.add(words.count)
        return true
    }

    private func wake(_ waiters: UInt64) {
        for worker in 0..<self.scale.workers where waiters & (1 << UInt64(worker)) != 0 { self.beds[worker].wake() }
        guard waiters & Lane.foreignWaiterBit != 0 else { return }
        for bed in self.beds[self.scale.workers...] { bed.wake() }
    }

    // MARK: A foreign thread

    private func sendForeign(_ sender: Int) {
        for number in 0..<self.scale.slabsEach {
            for (target, lane) in self.lanes.enumerated() {
                let word = self.makeSlab(sender, number: number, worker: self.scale.workers)
                while !lane.pushForeign(word) {
                    guard lane.waitForForeignRoom() else { continue }
                    self.holdUps.add()
                    guard self.beds[sender].sleep() else { return self.faults.add("sender \(sender) was never woken") }
                }
                if lane.shouldWakeConsumer() { self.beds[target].wake() }
            }
        }
    }

    // MARK: Slabs

    private func makeSlab(_ sender: Int, number: Int, worker: Int) -> UInt {
        let byteCount = Self.byteCount(number)
        let slab = self.pools.allocate(byteCount: byteCount, worker: worker)
        let tag = Tagged(sender: sender, number: number).word
        slab.storeBytes(of: tag, as: UInt.self)
        slab.storeBytes(of: ~tag, toByteOffset: byteCount - 8, as: UInt.self)
        return UInt(bitPattern: slab)
    }

    /// Releases the slab and returns what it says; nil when its end is not what its beginning says.
    private func open(_ word: UInt, worker: Int) -> Tagged? {
        guard let slab = UnsafeMutableRawPointer(bitPattern: word) else { return nil }
        let tag = slab.load(as: UInt.self)
        let tagged = Tagged(word: tag)
        guard tagged.sender < self.beds.count, tagged.number < self.scale.slabsEach else { return nil }
        let end = slab.load(fromByteOffset: Self.byteCount(tagged.number) - 8, as: UInt.self)
        self.release(word, worker: worker)
        return end == ~tag ? tagged : nil
    }

    private func release(_ word: UInt, worker: Int) {
        if let slab = UnsafeMutableRawPointer(bitPattern: word) { self.pools.release(slab, worker: worker) }
    }

    private static func byteCount(_ number: Int) -> Int {
        [64, 1024, 2048, 64, 9000, 16][number % 6]
    }
}

@Suite struct MeshTests {
    @Test(
        "Workers and foreign threads that send to each other, and sleep for words and for room, lose no slab and no wake-up",
        .timeLimit(.minutes(1)),
        arguments: [
            MeshScale(capacity: 2, batch: 1, popMax: 1),
            MeshScale(capacity: 4, batch: 3, popMax: 32),
            MeshScale(capacity: 64, batch: 16, popMax: 7),
        ]
    )
    func mesh(scale: MeshScale) async {
        let mesh = Mesh(scale)
        await mesh.run()
        #expect(mesh.faults.all == [])
        #expect(mesh.received.value == scale.workers * (scale.workers - 1 + scale.foreigners) * scale.slabsEach)
        #expect(mesh.pools.outstanding == 0)
        #expect(mesh.sleeps.value + mesh.holdUps.value > 0)
    }
}
