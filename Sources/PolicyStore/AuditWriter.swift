internal import Dispatch
internal import NIOConcurrencyHelpers
internal import Policy

/// Writes refusals into the audit log, at a rate that no peer can raise.
///
/// Any thread. What is more than the rate is counted, and the count is written with the next entry. Entries wait in memory
/// for the disk, a bounded number of them; the caller never does.
package final class AuditWriter: Sendable {
    private struct State {
        var bucket: AuditBucket
        var waiting: [AuditEntry] = []
        var isWriting = false
    }

    private let store: SeatStore
    private let state: NIOLockedValueBox<State>
    private let queue = DispatchQueue(label: "policy-audit")
    private let onError: @Sendable (PolicyStoreError) -> Void

    /// The most entries that wait for the disk.
    package static let waitingMax = 1000

    /// - Parameter onError: called on a thread of the writer's when entries are lost.
    package init(
        store: SeatStore,
        perSecond: Int = AuditBucket.perSecond,
        burst: Int = AuditBucket.burst,
        onError: @escaping @Sendable (PolicyStoreError) -> Void
    ) {
        self.store = store
        self.onError = onError
        state = NIOLockedValueBox(State(bucket: AuditBucket(perSecond: perSecond, burst: burst)))
    }

    /// Notes a refusal, unless there are too many.
    ///
    /// - Parameters:
    ///   - nowNs: of a clock that does not go back.
    ///   - entry: is made only if it is taken; it is told how many were left out since the last.
    package func note(nowNs: UInt64, _ entry: (_ leftOut: Int) -> AuditEntry) {
        let begins = state.withLockedValue { state in
            guard let leftOut = state.bucket.admit(nowNs: nowNs, hasRoom: state.waiting.count < Self.waitingMax) else {
                return false
            }
            state.waiting.append(entry(leftOut))
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if begins { queue.async { self.write() } }
    }

    /// Returns once what was noted before is on disk, or lost.
    package func flush() { queue.sync {} }

    private func write() {
        while true {
            let entries = state.withLockedValue { state in
                defer { state.waiting = [] }
                if state.waiting.isEmpty { state.isWriting = false }
                return state.waiting
            }
            guard !entries.isEmpty else { return }
            do throws(PolicyStoreError) {
                try store.append(entries)
            } catch {
                onError(error)
            }
        }
    }
}

/// Lets so many entries a second through, and counts the others.
///
/// Pure.
package struct AuditBucket: Sendable {
    /// Entries a second, of the whole router.
    package static let perSecond = 10
    /// Entries at once.
    package static let burst = 100

    private var tokensNs: UInt64
    private var lastNs: UInt64?
    private var leftOut = 0
    private let costNs: UInt64
    private let capacityNs: UInt64

    /// - Parameters:
    ///   - perSecond: 1 or more.
    ///   - burst: 1 or more.
    package init(perSecond: Int, burst: Int) {
        costNs = 1_000_000_000 / UInt64(max(1, perSecond))
        capacityNs = costNs * UInt64(max(1, burst))
        tokensNs = capacityNs
    }

    /// Asks for an entry.
    ///
    /// - Parameter hasRoom: false if there is no place for it, whatever the rate.
    /// - Returns: how many were left out since the last; nil if this one is, too.
    package mutating func admit(nowNs: UInt64, hasRoom: Bool = true) -> Int? {
        let last = lastNs ?? nowNs
        tokensNs = min(capacityNs, tokensNs + (nowNs > last ? min(nowNs - last, capacityNs) : 0))
        lastNs = max(last, nowNs)
        guard hasRoom, tokensNs >= costNs else {
            leftOut += 1
            return nil
        }
        tokensNs -= costNs
        defer { leftOut = 0 }
        return leftOut
    }
}
