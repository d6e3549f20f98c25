import Synchronization
import Testing

@testable import Lanes

/// Who takes part in a lane's traffic, and how much there is of it.
struct Cast: Sendable, CustomTestStringConvertible {
    let workers: Int
    let foreigners: Int
    let wordsEach: Int
    let capacity: Int
    let popMax: Int
    /// How often the consumer is woken by something that is not the lane.
    var otherWakes = 0

    var senders: Int { self.workers + self.foreigners }
    var testDescription: String {
        "\(self.workers) workers, \(self.foreigners) foreign, \(self.wordsEach) words each, capacity \(self.capacity), "
            + "pops of \(self.popMax), \(self.otherWakes) other wakes"
    }
}

/// A lane with its users as machines that take one call a step, so that a test picks who runs next.
private struct Play {
    enum Sender: Hashable {
        case pushing, offeringWake, registering, waiting, done
    }

    enum Consumer: Hashable {
        case popping, wakingSenders, announcing, sleeping
    }

    /// All that decides what can happen from here on.
    struct Position: Hashable {
        var senders: [Sender]
        var sent: [Int]
        var wakes: [Int]
        var consumer = Consumer.popping
        var consumerWakes = 0
        var otherWakes: Int
        var received: [Int]
        var foreignQueue: [Int] = []
        var lane: [UInt64] = []
    }

    private let cast: Cast
    private let lane: Lane
    private(set) var position: Position
    private(set) var fault: String?

    init(_ cast: Cast) {
        self.cast = cast
        self.lane = Lane(producers: max(cast.workers, 1), capacity: cast.capacity)
        let zeros = [Int](repeating: 0, count: cast.senders)
        self.position = Position(
            senders: zeros.map { _ in .pushing },
            sent: zeros,
            wakes: zeros,
            otherWakes: cast.otherWakes,
            received: zeros
        )
    }

    /// Who can take a step; the number after the last sender is the consumer, the one after that something else that wakes it.
    var able: [Int] {
        var able = (0..<self.cast.senders).filter { sender in
            switch self.position.senders[sender] {
            case .pushing, .offeringWake, .registering: true
            case .waiting: self.position.wakes[sender] > 0
            case .done: false
            }
        }
        if self.position.consumer != .sleeping || self.position.consumerWakes > 0 { able.append(self.cast.senders) }
        if self.position.consumer == .sleeping, self.position.otherWakes > 0 { able.append(self.cast.senders + 1) }
        return able
    }

    /// Whether nothing will happen any more by the lane's own doing.
    var isAtRest: Bool { self.able.allSatisfy { $0 > self.cast.senders } }

    var isComplete: Bool {
        self.position.senders.allSatisfy { $0 == .done }
            && self.position.received.allSatisfy { $0 == self.cast.wordsEach }
    }

    mutating func step(_ actor: Int) {
        if actor < self.cast.senders {
            self.stepSender(actor)
        } else if actor == self.cast.senders {
            self.stepConsumer()
        } else {
            self.position.otherWakes -= 1
            self.lane.cancelSleep()
            self.position.consumer = .popping
        }
        let control = self.lane.control
        self.position.lane = [
            control.asleep.pointee.load(ordering: .relaxed) ? 1 : 0,
            control.roomWaiters.pointee.load(ordering: .relaxed),
            UInt64(control.nextSource.pointee),
            control.foreignWaitSeen.pointee ? UInt64(control.foreignWaitStart.pointee) : .max,
        ]
    }

    private mutating func stepSender(_ sender: Int) {
        let isWorker = sender < self.cast.workers
        switch self.position.senders[sender] {
        case .pushing:
            let word = Tagged(sender: sender, number: self.position.sent[sender]).word
            if isWorker ? self.lane.push(word, producer: sender) : self.lane.pushForeign(word) {
                self.position.sent[sender] += 1
                if !isWorker { self.position.foreignQueue.append(sender) }
                self.position.senders[sender] = .offeringWake
            } else {
                self.position.senders[sender] = .registering
            }
        case .offeringWake:
            if self.lane.shouldWakeConsumer() { self.position.consumerWakes += 1 }
            self.position.senders[sender] = self.position.sent[sender] == self.cast.wordsEach ? .done : .pushing
        case .registering:
            let waits = isWorker ? self.lane.waitForRoom(producer: sender) : self.lane.waitForForeignRoom()
            self.position.senders[sender] = waits ? .waiting : .pushing
        case .waiting:
            self.position.wakes[sender] -= 1
            self.position.senders[sender] = .pushing
        case .done:
            break
        }
    }

    private mutating func stepConsumer() {
        switch self.position.consumer {
        case .popping:
            let words = self.lane.pop(self.cast.popMax)
            for tagged in words.map(Tagged.init(word:)) {
                if tagged.number != self.position.received[tagged.sender] { self.fault = "\(tagged) is out of order" }
                self.position.received[tagged.sender] += 1
                if tagged.sender >= self.cast.workers { self.position.foreignQueue.removeFirst() }
            }
            self.position.consumer = words.isEmpty ? .announcing : .wakingSenders
        case .wakingSenders:
            let waiters = self.lane.takeRoomWaiters()
            for sender in 0..<self.cast.senders {
                let bit = sender < self.cast.workers ? 1 << UInt64(sender) : Lane.foreignWaiterBit
                // A thread that does not wait would find the wake-up later; one is as good as many.
                if waiters & bit != 0 { self.position.wakes[sender] = 1 }
            }
            self.position.consumer = .popping
        case .announcing:
            self.position.consumer = self.lane.prepareToSleep() ? .sleeping : .popping
        case .sleeping:
            self.position.consumerWakes -= 1
            self.position.consumer = .popping
        }
    }
}

@Suite struct LaneScheduleTests {
    @Test(
        "However the calls interleave, no word is left behind and nobody sleeps for ever",
        arguments: [
            Cast(workers: 1, foreigners: 0, wordsEach: 6, capacity: 2, popMax: 1, otherWakes: 1),
            Cast(workers: 2, foreigners: 0, wordsEach: 3, capacity: 2, popMax: 1),
            Cast(workers: 2, foreigners: 0, wordsEach: 3, capacity: 2, popMax: 3, otherWakes: 1),
            Cast(workers: 1, foreigners: 1, wordsEach: 3, capacity: 2, popMax: 2),
            Cast(workers: 0, foreigners: 2, wordsEach: 3, capacity: 2, popMax: 1),
            Cast(workers: 1, foreigners: 0, wordsEach: 12, capacity: 8, popMax: 3),
        ]
    )
    func everySchedule(cast: Cast) {
        var seen: Set<Play.Position> = []
        var schedules: [[Int]] = [[]]
        var restings = 0
        while let schedule = schedules.popLast() {
            var play = Play(cast)
            for actor in schedule { play.step(actor) }
            // Follow one way to its end without starting over, and keep the other ways for later.
            var path = schedule
            while seen.insert(play.position).inserted {
                if let fault = play.fault { return Self.fail(fault, path) }
                if play.isAtRest {
                    restings += 1
                    guard play.isComplete else { return Self.fail("everybody sleeps with words to move", path) }
                }
                guard let first = play.able.first else { break }
                for other in play.able.dropFirst() { schedules.append(path + [other]) }
                play.step(first)
                path.append(first)
            }
        }
        #expect(restings > 0)
    }

    private static func fail(_ fault: String, _ schedule: [Int]) {
        Issue.record("\(fault) after the steps \(schedule)")
    }
}
