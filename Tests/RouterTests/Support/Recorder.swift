import NIOConcurrencyHelpers

/// Collects what happens on any thread, and lets a test wait for it.
final class Recorder<Element: Sendable>: Sendable {
    /// Somebody who waits until `isOver` says so of all elements or of the newest.
    private struct Waiter {
        var isOver: @Sendable (_ all: [Element], _ newest: Element) -> Bool
        var continuation: CheckedContinuation<Element, any Error>
    }

    private struct State {
        var elements: [Element] = []
        var waiters: [Int: Waiter] = [:]
        var lastWaiter = 0
    }

    private let state = NIOLockedValueBox(State())

    /// What has happened so far, in order.
    var all: [Element] { state.withLockedValue { $0.elements } }

    func append(_ element: Element) {
        let over = state.withLockedValue { state in
            state.elements.append(element)
            let over = state.waiters.filter { $0.value.isOver(state.elements, element) }
            for waiter in over.keys { state.waiters[waiter] = nil }
            return over.values.map(\.continuation)
        }
        for continuation in over { continuation.resume(returning: element) }
    }

    /// Waits until at least `count` things have happened; all that have.
    @discardableResult
    func wait(for count: Int) async throws -> [Element] {
        if all.count < count {
            _ = try await wait({ $0.count >= count ? $0.last : nil }, orUntil: { all, _ in all.count >= count })
        }
        return all
    }

    /// Waits for something like this, unless it has happened already.
    @discardableResult
    func first(where isMatch: @escaping @Sendable (Element) -> Bool) async throws -> Element {
        try await wait({ $0.first(where: isMatch) }, orUntil: { _, newest in isMatch(newest) })
    }

    private func wait(
        _ found: @escaping @Sendable ([Element]) -> Element?,
        orUntil isOver: @escaping @Sendable ([Element], Element) -> Bool
    ) async throws -> Element {
        let place = state.withLockedValue { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let result: Result<Element, any Error>? = state.withLockedValue { state in
                    if let found = found(state.elements) { return .success(found) }
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiters[place] = Waiter(isOver: isOver, continuation: continuation)
                    return nil
                }
                if let result { continuation.resume(with: result) }
            }
        } onCancel: {
            let waiter = state.withLockedValue { $0.waiters.removeValue(forKey: place) }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }
}
