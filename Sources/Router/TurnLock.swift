internal import NIOConcurrencyHelpers

/// Lets one task after the other through, in the order in which they came.
final class TurnLock: Sendable {
    private struct State {
        var isTaken = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = NIOLockedValueBox(State())

    /// Waits for the turn; ``give()`` ends it.
    func take() async {
        await withCheckedContinuation { continuation in
            let isFree = state.withLockedValue { state in
                guard state.isTaken else {
                    state.isTaken = true
                    return true
                }
                state.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    /// Lets the next one through.
    func give() {
        let next = state.withLockedValue { state in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() as CheckedContinuation? }
            state.isTaken = false
            return nil
        }
        next?.resume()
    }
}
