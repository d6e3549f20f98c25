import NIOCore
import Testing

@testable import HostServices

@Suite("The queue of timers")
struct TimerQueueTests {
    @Test("timers are due by deadline, and in the order started among equals")
    func order() {
        var queue = TimerQueue()
        let c = queue.start(deadline: 30)
        let a1 = queue.start(deadline: 10)
        let b = queue.start(deadline: 20)
        let a2 = queue.start(deadline: 10)
        #expect(queue.nextDeadline() == 10)
        #expect(queue.takeDue(now: 9) == [])
        #expect(queue.takeDue(now: 20) == [a1, a2, b])
        #expect(queue.nextDeadline() == 30)
        #expect(queue.takeDue(now: 30) == [c])
        #expect(queue.nextDeadline() == nil)
    }

    @Test("a cancelled timer is never due, and its handle is good for nothing")
    func cancel() {
        var queue = TimerQueue()
        let first = queue.start(deadline: 10)
        let second = queue.start(deadline: 10)
        #expect(queue.cancel(first) == true)
        #expect(queue.cancel(first) == false)
        // It has the slot of the first, and another generation.
        let third = queue.start(deadline: 5)
        #expect(third.index == first.index && third != first)
        #expect(queue.cancel(first) == false)
        #expect(queue.takeDue(now: 10) == [third, second])
    }

    @Test("timers restarted over and over do not pile up")
    func memory() {
        var queue = TimerQueue()
        let lasting = queue.start(deadline: 1_000_000)
        for deadline in 0..<10_000 {
            let timer = queue.start(deadline: UInt64(deadline))
            #expect(queue.cancel(timer) == true)
        }
        #expect(queue.count == 1)
        #expect(queue.entryCount <= 66)
        #expect(queue.takeDue(now: 1_000_000) == [lasting])
    }

    @Test("a long random run agrees with a sorted list")
    func model() {
        var queue = TimerQueue()
        var model: [(deadline: UInt64, handle: TimerHandle)] = []
        var state: UInt64 = 7
        func random(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        var now: UInt64 = 0
        for _ in 0..<20_000 {
            switch random(3) {
            case 0:
                let deadline = now + random(100)
                model.append((deadline, queue.start(deadline: deadline)))
            case 1 where !model.isEmpty:
                #expect(queue.cancel(model.remove(at: Int(random(UInt64(model.count)))).handle) == true)
            default:
                now += random(5)
                // Stable, as the order of starting decides among equals.
                let due = model.filter { $0.deadline <= now }.enumerated()
                    .sorted { ($0.element.deadline, $0.offset) < ($1.element.deadline, $1.offset) }
                    .map(\.element.handle)
                model.removeAll { $0.deadline <= now }
                #expect(queue.takeDue(now: now) == due)
                for handle in due { #expect(queue.cancel(handle) == true) }
            }
        }
        #expect(queue.count == model.count)
    }
}

@Suite("An instance's timers", .timeLimit(.minutes(1)))
struct TimerServiceTests {
    // Safe: used on the worker's loop alone.
    private final class Waiter: TimerDelegate, @unchecked Sendable {
        let service: TimerService
        var fired: [TimerHandle] = []
        var onFired: (TimerHandle) -> Void = { _ in }

        init(_ worker: Worker, _ limits: ServiceLimits) {
            self.service = TimerService(worker: worker, limits: limits)
            service.delegate = self
        }

        func timerFired(_ timer: TimerHandle) {
            fired.append(timer)
            onFired(timer)
        }
    }

    private func withWaiter(
        _ limits: ServiceLimits = ServiceLimits(),
        _ body: (Worker, Waiter) async throws -> Void
    ) async throws {
        let worker = Worker(index: 0, name: "test")
        try await body(worker, Waiter(worker, limits))
        try await worker.shutdown()
    }

    @Test("timers fire in order, not early, and their handles are stale then")
    func firing() async throws {
        try await withWaiter { worker, waiter in
            let done = worker.eventLoop.makePromise(of: Void.self)
            let started = HostClock.monotonicNs()
            let timers = try await worker.call {
                let timers = try [20, 0, 10].map { try waiter.service.start(afterMs: $0) }
                waiter.onFired = { timer in
                    #expect(throws: ServiceError.unknownHandle(timer.rawValue)) { try waiter.service.cancel(timer) }
                    if waiter.fired.count == 3 { done.succeed() }
                }
                return timers
            }
            try await done.futureResult.get()
            #expect(HostClock.monotonicNs() - started >= 20_000_000)
            try await worker.call {
                #expect(waiter.fired == [timers[1], timers[2], timers[0]])
                #expect(waiter.service.count == 0)
            }
        }
    }

    @Test("a timer cancelled by another that fires with it stays silent")
    func cancelledInside() async throws {
        try await withWaiter { worker, waiter in
            let done = worker.eventLoop.makePromise(of: Void.self)
            let first = try await worker.call {
                let first = try waiter.service.start(afterMs: 5)
                let second = try waiter.service.start(afterMs: 5)
                let last = try waiter.service.start(afterMs: 15)
                waiter.onFired = { timer in
                    if timer == first { #expect(throws: Never.self) { try waiter.service.cancel(second) } }
                    if timer == last { done.succeed() }
                }
                return first
            }
            try await done.futureResult.get()
            let fired = try await worker.call { waiter.fired }
            #expect(fired.count == 2 && fired[0] == first)
        }
    }

    @Test("a timer restarted when it fires lets the worker do other things")
    func restarted() async throws {
        try await withWaiter { worker, waiter in
            let done = worker.eventLoop.makePromise(of: Void.self)
            try await worker.call {
                waiter.onFired = { _ in
                    #expect(throws: Never.self) { try waiter.service.start(afterMs: 0) }
                    if waiter.fired.count == 10 { done.succeed() }
                }
                _ = try waiter.service.start(afterMs: 0)
            }
            try await done.futureResult.get()
            try await worker.call { waiter.service.closeAll() }
        }
    }

    @Test("timers and delays up to the limits are taken, past them refused")
    func limits() async throws {
        var limits = ServiceLimits()
        limits.timersMax = 2
        limits.timerDelayMsMax = 1000
        try await withWaiter(limits) { worker, waiter in
            try await worker.call {
                let service = waiter.service
                #expect(throws: ServiceError.limitReached(.timerDelay, limit: 1000)) {
                    try service.start(afterMs: 1001)
                }
                let first = try service.start(afterMs: 1000)
                _ = try service.start(afterMs: 1000)
                #expect(throws: ServiceError.limitReached(.timers, limit: 2)) { try service.start(afterMs: 1) }
                try service.cancel(first)
                _ = try service.start(afterMs: 1000)
                #expect(throws: ServiceError.limitReached(.timerDelay, limit: 1000)) {
                    try service.start(afterMs: .max)
                }
            }
        }
    }

    @Test("a stopped instance's timers do not fire")
    func stopped() async throws {
        try await withWaiter { worker, waiter in
            let later = worker.eventLoop.makePromise(of: Void.self)
            try await worker.call {
                _ = try waiter.service.start(afterMs: 1)
                waiter.service.closeAll()
                #expect(throws: ServiceError.stopped) { try waiter.service.start(afterMs: 1) }
                worker.eventLoop.scheduleTask(in: .milliseconds(5)) { later.succeed() }
            }
            try await later.futureResult.get()
            try await worker.call { #expect(waiter.fired.isEmpty) }
        }
    }
}
