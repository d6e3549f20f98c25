import HostServices
import NIOCore
import Synchronization
import Testing

import struct NIOConcurrencyHelpers.NIOLockedValueBox

@Suite("The worker's tick", .timeLimit(.minutes(1)))
struct WorkerTests {
    @Test("a tick runs work, then hooks, then flushes, and goes round until nothing is left")
    func order() async throws {
        try await withWorker { worker in
            let log = Log()
            try await worker.call {
                var rounds = 0
                let hook = worker.onTickEnd {
                    log.add("hook")
                    rounds += 1
                    return false
                }
                worker.enqueueFlush { log.add("flush") }
                worker.enqueue {
                    log.add("work")
                    worker.enqueue { log.add("late work") }
                }
                _ = hook
            }
            try await worker.call {}
            // The last round found nothing to do.
            #expect(log.entries == ["work", "hook", "flush", "late work", "hook", "hook"])
        }
    }

    @Test("work of a tick runs after the code that asked for it")
    func deferred() async throws {
        try await withWorker { worker in
            let log = Log()
            try await worker.call {
                worker.enqueue { log.add("later") }
                log.add("now")
            }
            try await worker.call {}
            #expect(log.entries == ["now", "later"])
        }
    }

    @Test("a hook that always has work does not keep the worker from its sockets and timers")
    func noStarvation() async throws {
        try await Rig.with { rig in
            try await rig.worker.call { _ = rig.worker.onTickEnd { true } }
            let (stream, accepted) = try await rig.pair()
            for n in 1...20 {
                try await rig.client.write(stream, "x")
                _ = try await rig.server.consumed(accepted, n)
            }
        }
    }

    @Test("a storm of wakes from other threads does not keep the worker from its sockets")
    func wakeStorm() async throws {
        try await Rig.with { rig in
            let isOver = Flag()
            let other = Worker(index: 1, name: "other")
            other.run { while !isOver.isSet { rig.worker.wake() } }
            let (stream, accepted) = try await rig.pair()
            for n in 1...20 {
                try await rig.client.write(stream, "x")
                _ = try await rig.server.consumed(accepted, n)
            }
            isOver.set()
            try await other.shutdown()
        }
    }

    @Test("every wake is followed by a run of the hooks, however many are made at once")
    func wakes() async throws {
        try await withWorker { worker in
            let asked = Atomic<Int>(0)
            let other = Worker(index: 1, name: "other")
            let seen = worker.eventLoop.makePromise(of: Void.self)
            let total = 100_000
            try await worker.call {
                var isDone = false
                _ = worker.onTickEnd {
                    guard !isDone, asked.load(ordering: .sequentiallyConsistent) == total else { return false }
                    isDone = true
                    seen.succeed()
                    return false
                }
            }
            other.run {
                for _ in 0..<total {
                    asked.add(1, ordering: .sequentiallyConsistent)
                    worker.wake()
                }
            }
            try await seen.futureResult.get()
            try await other.shutdown()
        }
    }

    @Test("a hook that was removed does not run any more")
    func removal() async throws {
        try await withWorker { worker in
            let log = Log()
            try await worker.call {
                let hook = worker.onTickEnd {
                    log.add("hook")
                    return false
                }
                worker.enqueue { worker.removeHook(hook) }
            }
            worker.wake()
            try await worker.call {}
            #expect(log.entries == [])
        }
    }

    private func withWorker(_ body: (Worker) async throws -> Void) async throws {
        let worker = Worker(index: 0, name: "test")
        try await body(worker)
        try await worker.shutdown()
    }
}

/// What happened, in order.
private final class Log: Sendable {
    private let lines = NIOLockedValueBox<[String]>([])
    func add(_ line: String) { lines.withLockedValue { $0.append(line) } }
    var entries: [String] { lines.withLockedValue { $0 } }
}

private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    func set() { value.store(true, ordering: .sequentiallyConsistent) }
    var isSet: Bool { value.load(ordering: .sequentiallyConsistent) }
}
