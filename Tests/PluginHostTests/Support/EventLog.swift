import NIOConcurrencyHelpers
import PluginHost

/// What a session told.
final class EventLog: Sendable {
    private struct Waiter {
        var isOver: @Sendable ([ForeignEvent]) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var events: [ForeignEvent] = []
        var waiters: [Waiter] = []
        /// The test's time is over.
        var isCancelled = false
    }

    private let state = NIOLockedValueBox(State())

    var all: [ForeignEvent] { state.withLockedValue { $0.events } }

    func append(_ event: ForeignEvent) {
        let over = state.withLockedValue { state in
            state.events.append(event)
            let over = state.waiters.filter { $0.isOver(state.events) }
            state.waiters.removeAll { $0.isOver(state.events) }
            return over
        }
        for waiter in over { waiter.continuation.resume() }
    }

    /// Waits until all of these have been told, each as often as is asked.
    func wait(for wanted: ForeignEvent..., times: Int = 1) async {
        let isOver: @Sendable ([ForeignEvent]) -> Bool = { events in
            wanted.allSatisfy { event in events.count { $0 == event } >= times }
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOverNow = state.withLockedValue { state in
                    if state.isCancelled || isOver(state.events) { return true }
                    state.waiters.append(Waiter(isOver: isOver, continuation: continuation))
                    return false
                }
                if isOverNow { continuation.resume() }
            }
        } onCancel: {
            let waiters = state.withLockedValue { state in
                defer { state.waiters = [] }
                state.isCancelled = true
                return state.waiters
            }
            for waiter in waiters { waiter.continuation.resume() }
        }
    }
}
