import Testing

@testable import Lanes

extension Lane {
    /// Pops up to `count` words.
    func pop(_ count: Int) -> [UInt] {
        var buffer = [UInt](repeating: 0, count: count)
        let taken = buffer.withUnsafeMutableBufferPointer { self.pop(into: $0) }
        return Array(buffer.prefix(taken))
    }

    func push(_ words: [UInt], producer: Int) -> Int {
        words.withUnsafeBufferPointer { self.push($0, producer: producer) }
    }
}

@Suite struct LaneTests {
    @Test("Each producer has room of its own, and so have foreign threads")
    func capacity() {
        let lane = Lane(producers: 2, capacity: 3)
        #expect(lane.capacity == 4)
        #expect(lane.push([1, 2, 3, 4, 5], producer: 0) == 4)
        #expect(!lane.push(6, producer: 0))
        #expect(lane.push(7, producer: 1))
        for word: UInt in 10..<14 { #expect(lane.pushForeign(word)) }
        #expect(!lane.pushForeign(14))
        #expect(lane.count == 9)
        #expect(Set(lane.pop(100)) == [1, 2, 3, 4, 7, 10, 11, 12, 13])
        #expect(lane.isEmpty)
        #expect(lane.count == 0)
        #expect((lane.pushedTotal, lane.poppedTotal) == (9, 9))
    }

    @Test("A sweep goes on where the last one stopped, so a busy producer starves nobody")
    func fairness() {
        let lane = Lane(producers: 3, capacity: 8)
        #expect(lane.push([1, 2, 3, 4, 5, 6], producer: 0) == 6)
        #expect(lane.push([11, 12], producer: 1) == 2)
        #expect(lane.push([21], producer: 2) == 1)
        #expect(lane.pushForeign(31))
        #expect(lane.pop(2) == [1, 2])
        #expect(lane.pop(2) == [11, 12])
        #expect(lane.pop(3) == [21, 31, 3])
        #expect(lane.pop(8) == [4, 5, 6])
        #expect(lane.pop(8) == [])
    }

    @Test("Single pops stay with a ring for one turn, and no longer than that")
    func turns() {
        let lane = Lane(producers: 2, capacity: 4 * Lane.turnMax)
        let first = (1...UInt(2 * Lane.turnMax + 1)).map { $0 }
        #expect(lane.push(first, producer: 0) == first.count)
        #expect(lane.push([1001, 1002], producer: 1) == 2)
        #expect(lane.pushForeign(2001))
        let popped = (0..<first.count + 3).map { _ in lane.pop() }
        let (turn, rest) = (first.prefix(Lane.turnMax), first.dropFirst(Lane.turnMax))
        #expect(popped == turn + [1001, 1002, 2001] + rest)
        #expect(lane.pop() == nil)
    }

    @Test("A turn is over with the words that were there when it began")
    func turnEnds() {
        let lane = Lane(producers: 2, capacity: 8)
        #expect(lane.push([1, 2], producer: 0) == 2)
        #expect(lane.pop() == 1)
        #expect(lane.push([3], producer: 0) == 1)
        #expect(lane.push([11], producer: 1) == 1)
        #expect([lane.pop(), lane.pop(), lane.pop(), lane.pop()] == [2, 11, 3, nil])
    }

    @Test("Single pops and batches can be mixed")
    func mixedPops() {
        let lane = Lane(producers: 2, capacity: 8)
        #expect(lane.push([1, 2, 3, 4, 5], producer: 0) == 5)
        #expect(lane.push([11, 12], producer: 1) == 2)
        #expect(lane.pop() == 1)
        #expect(lane.push([6], producer: 0) == 1)
        #expect(lane.pop(2) == [11, 12])
        #expect(lane.pop() == 2)
        // The batch goes past the end of the turn that the first pop began.
        #expect(lane.pop(8) == [3, 4, 5, 6])
        #expect(lane.pop() == nil)
        #expect(lane.push([7], producer: 0) == 1)
        #expect(lane.pop() == 7)
        #expect(lane.pop() == nil)
        #expect(lane.isEmpty)
    }

    @Test("A pop into no buffer takes nothing")
    func emptyBuffer() {
        let lane = Lane(producers: 1, capacity: 2)
        #expect(lane.push(1, producer: 0))
        #expect(lane.pop(into: UnsafeMutableBufferPointer(start: nil, count: 0)) == 0)
        #expect(lane.pop(1) == [1])
    }

    @Test("A lane takes as many producers as the waiters' mask has bits for")
    func mostProducers() {
        let lane = Lane(producers: Lane.producersMax, capacity: 2)
        let last = Lane.producersMax - 1
        #expect(lane.push([1, 2], producer: last) == 2)
        #expect(lane.waitForRoom(producer: last))
        #expect(lane.pop(2) == [1, 2])
        #expect(lane.takeRoomWaiters() == 1 << UInt64(last))
    }

    @Test("One producer past the most traps")
    func tooManyProducers() async {
        await #expect(processExitsWith: .failure) { _ = Lane(producers: Lane.producersMax + 1, capacity: 2) }
    }

    @Test("A producer that the lane does not have traps")
    func unknownProducer() async {
        await #expect(processExitsWith: .failure) { _ = Lane(producers: 2, capacity: 2).push(1, producer: 2) }
    }
}

@Suite struct LaneSleepTests {
    @Test("An announced sleep is answered once, whoever pushes and however often")
    func coalesced() {
        let lane = Lane(producers: 2, capacity: 8)
        #expect(!lane.shouldWakeConsumer())
        #expect(lane.prepareToSleep())
        #expect(lane.push(1, producer: 0))
        #expect(lane.push(2, producer: 1))
        #expect(lane.pushForeign(3))
        #expect(lane.shouldWakeConsumer())
        #expect(!lane.shouldWakeConsumer())
        #expect(lane.pop(8).count == 3)
        #expect(lane.prepareToSleep())
        #expect(lane.shouldWakeConsumer())
    }

    @Test("A consumer that finds words does not sleep, and is owed no wake-up", arguments: [0, 1, 2])
    func recheck(source: Int) {
        let lane = Lane(producers: 2, capacity: 2)
        #expect(source == 2 ? lane.pushForeign(1) : lane.push(1, producer: source))
        #expect(!lane.prepareToSleep())
        #expect(!lane.shouldWakeConsumer())
        #expect(lane.pop(1) == [1])
        #expect(lane.prepareToSleep())
    }

    @Test("A sleep taken back is not answered")
    func cancelled() {
        let lane = Lane(producers: 1, capacity: 2)
        #expect(lane.prepareToSleep())
        lane.cancelSleep()
        #expect(lane.push(1, producer: 0))
        #expect(!lane.shouldWakeConsumer())
    }
}

@Suite struct LaneRoomTests {
    @Test("A producer with room does not wait, and is not woken")
    func roomAlready() {
        let lane = Lane(producers: 1, capacity: 8)
        #expect(lane.push(Array(1...7), producer: 0) == 7)
        #expect(!lane.waitForRoom(producer: 0))
        #expect(lane.pop(8).count == 7)
        #expect(lane.takeRoomWaiters() == 0)
    }

    @Test("A producer is woken once, when its ring is half empty and not before", arguments: [2, 4, 8])
    func hysteresis(capacity: Int) {
        let lane = Lane(producers: 3, capacity: capacity)
        #expect(lane.push(Array(0..<UInt(capacity)), producer: 1) == capacity)
        #expect(lane.waitForRoom(producer: 1))
        #expect(lane.takeRoomWaiters() == 0)
        for popped in 1...capacity {
            #expect(lane.pop(1).count == 1)
            #expect(lane.takeRoomWaiters() == (popped == capacity / 2 ? 0b10 : 0))
        }
    }

    @Test("Several producers are woken each for its own ring")
    func several() {
        let lane = Lane(producers: 2, capacity: 2)
        for producer in 0..<2 {
            #expect(lane.push([1, 2], producer: producer) == 2)
            #expect(lane.waitForRoom(producer: producer))
        }
        #expect(lane.pop(1).count == 1)
        #expect(lane.takeRoomWaiters() == 0b01)
        #expect(lane.pop(3).count == 3)
        #expect(lane.takeRoomWaiters() == 0b10)
    }

    @Test("A producer that gave up waiting is not woken")
    func cancelled() {
        let lane = Lane(producers: 1, capacity: 2)
        #expect(lane.push([1, 2], producer: 0) == 2)
        #expect(lane.waitForRoom(producer: 0))
        lane.cancelRoomWait(producer: 0)
        #expect(lane.pop(2).count == 2)
        #expect(lane.takeRoomWaiters() == 0)
    }

    @Test("Foreign threads are woken together at half, and one that finds room does not unregister the others")
    func foreign() {
        let lane = Lane(producers: 1, capacity: 4)
        for word: UInt in 0..<4 { #expect(lane.pushForeign(word)) }
        #expect(lane.waitForForeignRoom())
        #expect(lane.pop(1) == [0])
        #expect(lane.takeRoomWaiters() == 0)
        #expect(!lane.waitForForeignRoom())
        #expect(lane.pop(1) == [1])
        #expect(lane.takeRoomWaiters() == Lane.foreignWaiterBit)
        #expect(lane.takeRoomWaiters() == 0)
    }

    @Test("A foreign thread is woken after half a ring although others keep the ring full")
    func foreignStarvation() {
        let lane = Lane(producers: 1, capacity: 8)
        for word: UInt in 0..<8 { #expect(lane.pushForeign(word)) }
        #expect(lane.waitForForeignRoom())
        #expect(lane.takeRoomWaiters() == 0)
        for popped in 1...4 {
            #expect(lane.pop(1).count == 1)
            #expect(lane.takeRoomWaiters() == (popped == 4 ? Lane.foreignWaiterBit : 0))
            #expect(lane.pushForeign(9))
        }
        #expect(lane.waitForForeignRoom())
        #expect(lane.takeRoomWaiters() == 0)
    }
}
