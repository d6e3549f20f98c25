import Testing

@testable import Lanes

/// How much goes through a lane, and in what portions.
struct Scale: Sendable, CustomTestStringConvertible {
    var workers = 3
    var foreigners = 2
    let capacity: Int
    /// Words that a sender offers in one push; foreign threads push singly.
    let batch: Int
    let popMax: Int
    /// Between rounds the consumer stops until every sender is held up by a full ring.
    var rounds = 8
    var wordsPerRound = 300

    var senders: Int { self.workers + self.foreigners }
    var testDescription: String { "capacity \(self.capacity), pushes of \(self.batch), pops of \(self.popMax)" }
}

/// A lane with threads that send through it and sleep when it is full, and one that receives and sleeps when it is empty.
private final class Traffic: Sendable {
    let scale: Scale
    let lane: Lane
    let faults = Faults()
    let (received, announcements, wakes, holdUps) = (Tally(), Tally(), Tally(), Tally())
    private let consumerBed = Bed()
    private let senderBeds: [Bed]
    /// Woken once a sender and round: when it is first held up, or through the round without that.
    private let heldUp = Bed()

    init(_ scale: Scale) {
        self.scale = scale
        self.lane = Lane(producers: scale.workers, capacity: scale.capacity)
        self.senderBeds = (0..<scale.senders).map { _ in Bed() }
    }

    func run() async {
        let senders = (0..<self.scale.senders).map { sender -> @Sendable () -> Void in { self.send(sender) } }
        await onThreads(senders + [{ self.receive() }])
    }

    private func send(_ sender: Int) {
        let isWorker = sender < self.scale.workers
        var next = 0
        for round in 1...self.scale.rounds {
            var hasSaidHeldUp = false
            while next < round * self.scale.wordsPerRound {
                let end = min(next + (isWorker ? self.scale.batch : 1), round * self.scale.wordsPerRound)
                let words = (next..<end).map { Tagged(sender: sender, number: $0).word }
                let taken = isWorker ? self.lane.push(words, producer: sender) : self.lane.pushForeign(words[0]) ? 1 : 0
                next += taken
                if taken > 0, self.lane.shouldWakeConsumer() {
                    self.wakes.add()
                    self.consumerBed.wake()
                }
                guard taken < words.count else { continue }
                guard isWorker ? self.lane.waitForRoom(producer: sender) : self.lane.waitForForeignRoom() else {
                    continue
                }
                self.holdUps.add()
                if !hasSaidHeldUp { self.heldUp.wake() }
                hasSaidHeldUp = true
                guard self.senderBeds[sender].sleep() else {
                    return self.faults.add("sender \(sender) was never woken")
                }
            }
            if !hasSaidHeldUp { self.heldUp.wake() }
        }
    }

    private func receive() {
        var received = [Int](repeating: 0, count: self.scale.senders)
        for round in 1...self.scale.rounds {
            for _ in 0..<self.scale.senders {
                guard self.heldUp.sleep() else { return self.faults.add("a sender went missing in round \(round)") }
            }
            while received.contains(where: { $0 < round * self.scale.wordsPerRound }) {
                let words = self.lane.pop(self.scale.popMax)
                guard !words.isEmpty else {
                    guard self.sleepUnlessWork() else { return self.faults.add("the consumer was never woken") }
                    continue
                }
                self.wakeSenders(self.lane.takeRoomWaiters())
                for tagged in words.map(Tagged.init(word:)) {
                    let expected = received[tagged.sender]
                    guard tagged.number == expected else { return self.faults.add("\(tagged) came, not \(expected)") }
                    received[tagged.sender] += 1
                }
                self.received.add(words.count)
            }
        }
    }

    private func sleepUnlessWork() -> Bool {
        self.announcements.add()
        guard self.lane.prepareToSleep() else { return true }
        return self.consumerBed.sleep()
    }

    private func wakeSenders(_ waiters: UInt64) {
        for worker in 0..<self.scale.workers where waiters & (1 << UInt64(worker)) != 0 {
            self.senderBeds[worker].wake()
        }
        guard waiters & Lane.foreignWaiterBit != 0 else { return }
        for foreigner in self.scale.workers..<self.scale.senders { self.senderBeds[foreigner].wake() }
    }
}

@Suite struct LaneThreadTests {
    @Test(
        "With senders that outrun a consumer that stops and resumes, nothing is lost, doubled or out of order",
        .timeLimit(.minutes(1)),
        arguments: [
            Scale(capacity: 2, batch: 1, popMax: 1),
            Scale(capacity: 2, batch: 3, popMax: 5),
            Scale(capacity: 8, batch: 5, popMax: 3),
            Scale(capacity: 8, batch: 1, popMax: 64),
        ]
    )
    func outrun(scale: Scale) async {
        let traffic = Traffic(scale)
        await traffic.run()
        #expect(traffic.faults.all == [])
        #expect(traffic.received.value == scale.senders * scale.rounds * scale.wordsPerRound)
        #expect(traffic.lane.isEmpty)
        #expect(traffic.holdUps.value >= scale.senders)
        #expect(traffic.lane.pushedTotal == traffic.lane.poppedTotal)
        #expect(traffic.wakes.value <= traffic.announcements.value)
    }

    @Test(
        "Two threads that sleep for each word of the other never miss one",
        .timeLimit(.minutes(1)),
        arguments: [2, 8]
    )
    func pingPong(capacity: Int) async {
        let turns: UInt = 3_000
        let (there, back) = (Lane(producers: 1, capacity: capacity), Lane(producers: 1, capacity: capacity))
        let (thereBed, backBed) = (Bed(), Bed())
        let faults = Faults()
        let send: @Sendable (UInt, Lane, Bed) -> Void = { word, lane, bed in
            if !lane.push(word, producer: 0) { faults.add("no room for one word") }
            if lane.shouldWakeConsumer() { bed.wake() }
        }
        let receive: @Sendable (Lane, Bed) -> UInt? = { lane, bed in
            while true {
                if let word = lane.pop(1).first { return word }
                if lane.prepareToSleep(), !bed.sleep() {
                    faults.add("a wake-up was lost")
                    return nil
                }
            }
        }
        await onThreads([
            {
                for turn in 0..<turns {
                    send(turn, there, thereBed)
                    guard let answer = receive(back, backBed) else { return }
                    if answer != turn + 1 { return faults.add("\(turn) was answered by \(answer)") }
                }
            },
            {
                for _ in 0..<turns {
                    guard let word = receive(there, thereBed) else { return }
                    send(word + 1, back, backBed)
                }
            },
        ])
        #expect(faults.all == [])
    }
}
