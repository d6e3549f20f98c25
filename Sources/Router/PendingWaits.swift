internal import struct NIOConcurrencyHelpers.NIOLockedValueBox

/// Answers that are waited for from a worker's loop, which may never come.
///
/// Any thread.
final class PendingWaits: Sendable {
    /// One answer: the first that is given counts.
    final class Wait<T: Sendable>: Sendable {
        private let continuation: NIOLockedValueBox<CheckedContinuation<T?, Never>?>

        init(_ continuation: CheckedContinuation<T?, Never>) {
            self.continuation = NIOLockedValueBox(continuation)
        }

        func answer(_ value: T?) {
            continuation.withLockedValue { $0.take() }?.resume(returning: value)
        }
    }

    private struct Entry {
        /// Waits also for a worker that is stuck, and may go on.
        var isPatient: Bool
        var giveUp: @Sendable () -> Void
    }

    private struct State {
        var isLost = false
        var isStuck = false
        var last = 0
        var entries: [Int: Entry] = [:]
    }

    private let state = NIOLockedValueBox(State())

    /// Whether the loop is held up now.
    var isStuck: Bool { state.withLockedValue { $0.isStuck } }

    /// Whether the loop is given up for ever.
    var isLost: Bool { state.withLockedValue { $0.isLost } }

    /// Notes a wait; nil, and it is given up, if there is nothing to wait for.
    func add<T>(_ wait: Wait<T>, isPatient: Bool) -> Int? {
        let place: Int? = state.withLockedValue { state in
            guard !state.isLost, isPatient || !state.isStuck else { return nil }
            state.last += 1
            state.entries[state.last] = Entry(isPatient: isPatient) { wait.answer(nil) }
            return state.last
        }
        if place == nil { wait.answer(nil) }
        return place
    }

    /// The answer has come.
    func remove(_ place: Int) {
        state.withLockedValue { _ = $0.entries.removeValue(forKey: place) }
    }

    /// The loop is held up, or goes on: those who are not patient wait no longer.
    func setStuck(_ isStuck: Bool) {
        let over = state.withLockedValue { state in
            state.isStuck = isStuck
            return isStuck ? Self.take(&state) { !$0.isPatient } : []
        }
        for entry in over { entry.giveUp() }
    }

    /// The loop is given up: nobody waits any longer.
    func setLost() {
        let over = state.withLockedValue { state in
            state.isLost = true
            return Self.take(&state) { _ in true }
        }
        for entry in over { entry.giveUp() }
    }

    private static func take(_ state: inout State, _ isOver: (Entry) -> Bool) -> [Entry] {
        let over = state.entries.filter { isOver($0.value) }
        for place in over.keys { state.entries[place] = nil }
        return Array(over.values)
    }
}
