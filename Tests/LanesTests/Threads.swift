import Dispatch
import Foundation
import Synchronization

import struct NIOConcurrencyHelpers.NIOLockedValueBox

/// Runs each body on a thread of its own and returns when all have ended.
func onThreads(_ bodies: [@Sendable () -> Void]) async {
    let running = Countdown(bodies.count)
    await withCheckedContinuation { continuation in
        for body in bodies {
            Thread {
                body()
                if running.isLast() { continuation.resume() }
            }
            .start()
        }
    }
}

private final class Countdown: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int) {
        self.left = Atomic(count)
    }

    func isLast() -> Bool {
        self.left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0
    }
}

/// Lets threads start each round at the same moment, so that their calls overlap as closely as they can.
final class StartingLine: Sendable {
    private let arrived = Atomic<Int>(0)
    private let threads: Int

    /// - Parameter threads: how many take part.
    init(threads: Int = 2) {
        self.threads = threads
    }

    /// Returns when all threads have called it for the `round`th time, counted from 1.
    ///
    /// - Parameter lag: how much later than at once; varied, so that some rounds overlap whoever arrived first.
    func meet(round: Int, lag: Int = 0) {
        self.arrived.add(1, ordering: .acquiringAndReleasing)
        var spins = 0
        while self.arrived.load(ordering: .acquiring) < self.threads * round {
            spins += 1
            // The other threads may need this core.
            if spins % 100 == 0 { sched_yield() }
        }
        for _ in 0..<lag { _ = self.arrived.load(ordering: .relaxed) }
    }
}

/// Where a thread sleeps until another wakes it.
final class Bed: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    /// Longer than any machine needs; reached only when the wake-up was lost.
    private static let patienceSeconds = 20

    func wake() {
        self.semaphore.signal()
    }

    /// Sleeps; false when nobody came.
    func sleep() -> Bool {
        self.semaphore.wait(timeout: .now() + .seconds(Self.patienceSeconds)) == .success
    }
}

/// What went wrong on threads that cannot record an issue of their test.
final class Faults: Sendable {
    private let list = NIOLockedValueBox<[String]>([])

    func add(_ fault: String) {
        self.list.withLockedValue { $0.append(fault) }
    }

    var all: [String] { self.list.withLockedValue { $0 } }
}

/// A number that threads add to.
final class Tally: Sendable {
    private let total = Atomic<Int>(0)

    func add(_ count: Int = 1) {
        self.total.add(count, ordering: .relaxed)
    }

    var value: Int { self.total.load(ordering: .acquiring) }
}

/// A word that says who sent it and which of its words it is.
struct Tagged: Hashable {
    let sender: Int
    let number: Int

    init(sender: Int, number: Int) {
        self.sender = sender
        self.number = number
    }

    init(word: UInt) {
        self.sender = Int(word >> 48)
        self.number = Int(word & 0xFFFF_FFFF_FFFF)
    }

    var word: UInt { UInt(self.sender) << 48 | UInt(self.number) }
}
