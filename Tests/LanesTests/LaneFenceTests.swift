import Synchronization
import Testing

@testable import Lanes

/// What one thread has to say to the other after a round.
private final class Answer: Sendable {
    private let value = Atomic<Bool>(false)

    func set(_ answer: Bool) {
        self.value.store(answer, ordering: .releasing)
    }

    var isTrue: Bool { self.value.load(ordering: .acquiring) }
}

/// Both protocols rest on "I write mine, fence, read yours" on both sides; without a fence each side can miss the other's write.
///
/// Before each round a side reads what it will read in the round, so that its read is quick and its write, to a line that the
/// other side has read too, is slow: that is when a processor swaps them. A missing fence then shows in some rounds of a hundred,
/// given two idle cores, and in the second test an optimised build too; on one core it never shows.
@Suite(.serialized) struct LaneFenceTests {
    private static let rounds = 15_000

    @Test("A push that meets an announced sleep halfway is seen by one side or the other", .timeLimit(.minutes(1)))
    func sleep() async {
        let lane = Lane(producers: 1, capacity: 2)
        let (ready, start, end) = (StartingLine(), StartingLine(), StartingLine())
        let willWake = Answer()
        let faults = Faults()
        await onThreads([
            {
                for round in 1...Self.rounds {
                    ready.meet(round: round)
                    if lane.shouldWakeConsumer() { faults.add("a sleep taken back is still there in round \(round)") }
                    start.meet(round: round, lag: round % 13)
                    if !lane.push(1, producer: 0) { faults.add("no room for one word") }
                    willWake.set(lane.shouldWakeConsumer())
                    end.meet(round: round)
                }
            },
            {
                for round in 1...Self.rounds {
                    ready.meet(round: round)
                    if !lane.isEmpty { faults.add("a word too many in round \(round)") }
                    start.meet(round: round, lag: round % 11)
                    let sleeps = lane.prepareToSleep()
                    end.meet(round: round)
                    if sleeps, !willWake.isTrue { faults.add("a sleeper was left with a word in round \(round)") }
                    lane.cancelSleep()
                    if lane.pop(2) != [1] { faults.add("the word is not there in round \(round)") }
                }
            },
        ])
        #expect(faults.all == [])
    }

    @Test("A pop that meets a producer about to wait is seen by one side or the other", .timeLimit(.minutes(1)))
    func room() async {
        let lane = Lane(producers: 1, capacity: 2)
        let (ready, start, end) = (StartingLine(), StartingLine(), StartingLine())
        let willWake = Answer()
        let faults = Faults()
        await onThreads([
            {
                for round in 1...Self.rounds {
                    while lane.push(1, producer: 0) {}
                    ready.meet(round: round)
                    start.meet(round: round, lag: round % 13)
                    let waits = lane.waitForRoom(producer: 0)
                    end.meet(round: round)
                    if waits, !willWake.isTrue { faults.add("a producer was left waiting in round \(round)") }
                    lane.cancelRoomWait(producer: 0)
                }
            },
            {
                // One buffer for all rounds: to make one takes longer than the moment that counts.
                let word = UnsafeMutableBufferPointer<UInt>.allocate(capacity: 1)
                defer { word.deallocate() }
                for round in 1...Self.rounds {
                    ready.meet(round: round)
                    if lane.takeRoomWaiters() != 0 { faults.add("a wait given up is still there in round \(round)") }
                    start.meet(round: round, lag: round % 11)
                    let popped = lane.pop(into: word)
                    willWake.set(lane.takeRoomWaiters() != 0)
                    if popped != 1 { faults.add("nothing to pop in round \(round)") }
                    end.meet(round: round)
                }
            },
        ])
        #expect(faults.all == [])
    }
}
