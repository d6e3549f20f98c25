import Foundation
import Synchronization
import Testing

/// What was asked of a queue, and what came back.
enum QueueOperation: Hashable, Sendable {
    /// Of `words`, the first `taken` were appended to the queue with this index.
    case push(words: [UInt], taken: Int, queue: Int)
    /// These words were taken, none if empty.
    case pop([UInt])
}

/// One call of a recorded history.
///
/// The moments are drawn from one counter. A call that returned before another was invoked happened before it; of others nothing
/// is known, and a checker may put them in either order.
struct Call: Hashable, Sendable {
    let thread: Int
    let operation: QueueOperation
    let invoked: Int
    let returned: Int
}

/// A queue whose calls can be recorded; which thread may make which call is the queue's own rule.
protocol RecordedQueue: AnyObject, Sendable {
    /// Appends as many of `words` as have room; `source` is the thread's index among those that push.
    func push(_ words: UnsafeBufferPointer<UInt>, source: Int) -> Int
    /// Takes the next words, as many as there are and `words` holds.
    func pop(into words: UnsafeMutableBufferPointer<UInt>) -> Int
}

/// Numbers moments in the order in which they happened.
///
/// Each moment acquires and releases, as any word would by which a thread tells another that its call has returned: this is the
/// "before" that linearizability speaks of. So calls of one history that do not overlap are ordered by it, whatever the queue
/// does. That a queue orders memory by itself is for the tests to show that know no such counter, under ThreadSanitizer.
final class Moments: Sendable {
    private let last = Atomic<Int>(0)

    func next() -> Int {
        self.last.add(1, ordering: .acquiringAndReleasing).newValue
    }
}

/// The calls that one thread makes, as it makes them.
struct Recorder: ~Copyable {
    private let thread: Int
    private let queue: any RecordedQueue
    private let moments: Moments
    private let buffer: UnsafeMutableBufferPointer<UInt>
    private(set) var calls: [Call] = []
    private var pushed = 0

    /// The most words in one pop.
    static let popMax = 4

    init(thread: Int, queue: any RecordedQueue, moments: Moments) {
        self.thread = thread
        self.queue = queue
        self.moments = moments
        self.buffer = .allocate(capacity: Self.popMax)
        self.calls.reserveCapacity(16)
    }

    deinit {
        self.buffer.deallocate()
    }

    /// Pushes `count` new words; those that have no room are gone, and are no more pushed.
    mutating func push(_ count: Int) {
        // Numbers begin with 1: a slot that was never written holds 0, which is nobody's word.
        let words = (1...count).map { Tagged(sender: self.thread, number: self.pushed + $0).word }
        self.pushed += count
        let invoked = self.moments.next()
        let taken = words.withUnsafeBufferPointer { self.queue.push($0, source: self.thread) }
        let returned = self.moments.next()
        let operation = QueueOperation.push(words: words, taken: taken, queue: self.thread)
        self.calls.append(Call(thread: self.thread, operation: operation, invoked: invoked, returned: returned))
    }

    /// Pops up to `count` words, 1...``popMax``.
    mutating func pop(_ count: Int) {
        let target = UnsafeMutableBufferPointer(rebasing: self.buffer[..<count])
        let invoked = self.moments.next()
        let taken = self.queue.pop(into: target)
        let returned = self.moments.next()
        let operation = QueueOperation.pop(Array(target[..<taken]))
        self.calls.append(Call(thread: self.thread, operation: operation, invoked: invoked, returned: returned))
    }
}

/// What the threads of a history do: each has its own script, chosen by chance from a seed.
struct Script: Sendable, CustomTestStringConvertible {
    /// What a thread may do with the queue.
    enum Role: Sendable {
        case pushes, pops, both
    }

    let name: String
    let roles: [Role]
    /// Calls that each thread makes.
    var length = 5
    /// The most words in one call, 1...``Recorder/popMax``.
    var batchMax = 1
    var histories = 2_000

    var testDescription: String { self.name }

    /// The histories of one thread.
    ///
    /// Safe to share: the thread writes it, and it is read when all threads have ended.
    private final class Log: @unchecked Sendable {
        var calls: [[Call]] = []
    }

    /// Plays the script on a fresh queue for each history, with the same threads.
    func record(seed: UInt64 = 0, _ makeQueue: () -> any RecordedQueue) async -> [[Call]] {
        let queues = (0..<self.histories).map { _ in makeQueue() }
        let moments = Moments()
        let line = StartingLine(threads: self.roles.count)
        let logs = self.roles.map { _ in Log() }
        await onThreads(
            self.roles.enumerated().map { thread, role in
                {
                    var chance = Chance(seed: seed &+ UInt64(thread))
                    logs[thread].calls = queues.enumerated().map { index, queue in
                        var recorder = Recorder(thread: thread, queue: queue, moments: moments)
                        line.meet(round: index + 1, lag: chance.below(20))
                        for _ in 0..<self.length { self.act(role, &recorder, &chance) }
                        return recorder.calls
                    }
                }
            }
        )
        return queues.indices.map { index in logs.flatMap { $0.calls[index] } }
    }

    private func act(_ role: Role, _ recorder: inout Recorder, _ chance: inout Chance) {
        let count = 1 + chance.below(self.batchMax)
        // On a busy machine the threads may have one core, and would take their turns a history at a time.
        if chance.below(3) == 0 { sched_yield() }
        switch role {
        case .pushes: recorder.push(count)
        case .pops: recorder.pop(count)
        case .both: if chance.below(2) == 0 { recorder.push(count) } else { recorder.pop(count) }
        }
    }
}

/// Numbers that look random and are the same in each run: the splitmix64 sequence.
struct Chance {
    private var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    /// A number of 0..<`bound`.
    mutating func below(_ bound: Int) -> Int {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
    }
}
