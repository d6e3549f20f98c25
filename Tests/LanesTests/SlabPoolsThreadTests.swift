import Foundation
import Testing

@testable import Lanes

/// Threads in a circle: each makes slabs for the next one, and checks and releases those of the one before.
private final class Circle: Sendable {
    static let workers = 3
    /// Three workers and two foreign threads, which share the foreign pool.
    static let members = 5
    static let slabsEach = 4_000

    let pools = SlabPools(workers: workers)
    let faults = Faults()
    private let lanes = (0..<members).map { _ in Lane(producers: workers, capacity: 64) }

    func take(part member: Int) {
        let worker = min(member, Self.workers)
        let deadline = ContinuousClock.now + .seconds(20)
        var (sent, received) = (0, 0)
        while sent < Self.slabsEach || received < Self.slabsEach {
            let hasSent = sent < Self.slabsEach && self.send(sent, from: member, worker: worker)
            if hasSent { sent += 1 }
            let words = self.lanes[member].pop(3)
            for word in words {
                guard self.receive(word, number: received, worker: worker) else { return }
                received += 1
            }
            guard !hasSent, words.isEmpty else { continue }
            guard ContinuousClock.now < deadline else { return self.faults.add("member \(member) got no further") }
            sched_yield()
        }
    }

    /// A slab of this number's size, filled with it, goes to the next member; false when its lane is full.
    private func send(_ number: Int, from member: Int, worker: Int) -> Bool {
        let byteCount = Self.byteCount(number)
        let slab = self.pools.allocate(byteCount: byteCount, worker: worker)
        slab.storeBytes(of: number, as: Int.self)
        slab.storeBytes(of: ~number, toByteOffset: byteCount - 8, as: Int.self)
        let lane = self.lanes[(member + 1) % Self.members]
        let word = UInt(bitPattern: slab)
        if worker < Self.workers ? lane.push(word, producer: worker) : lane.pushForeign(word) { return true }
        self.pools.release(slab, worker: worker)
        return false
    }

    private func receive(_ word: UInt, number: Int, worker: Int) -> Bool {
        guard let slab = UnsafeMutableRawPointer(bitPattern: word) else {
            self.faults.add("a word that is no address")
            return false
        }
        let (first, last) = (
            slab.load(as: Int.self), slab.load(fromByteOffset: Self.byteCount(number) - 8, as: Int.self)
        )
        self.pools.release(slab, worker: worker)
        guard first == number, last == ~number else {
            self.faults.add("slab \(number) holds \(first) and \(~last)")
            return false
        }
        return true
    }

    private static func byteCount(_ number: Int) -> Int {
        [16, 1024, 1040, 4096, 16, 9000, 80_000, 1600][number % 8]
    }
}

@Suite struct SlabPoolsThreadTests {
    @Test("Slabs that cross threads are never in two hands, and all come back", .timeLimit(.minutes(1)))
    func circle() async {
        let circle = Circle()
        await onThreads((0..<Circle.members).map { member -> @Sendable () -> Void in { circle.take(part: member) } })
        #expect(circle.faults.all == [])
        #expect(circle.pools.outstanding == 0)
    }
}
