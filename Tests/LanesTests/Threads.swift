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
