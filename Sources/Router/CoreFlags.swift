internal import Synchronization

/// What the whole router says to every message: three numbers, apart from the core so that a worker can hold them.
///
/// Any thread.
final class CoreFlags: Sendable {
    private let isOld = Atomic<Bool>(false)
    private let isLost = Atomic<Bool>(false)
    private let expire: Atomic<Int64>

    init(expireMs: Int64) {
        expire = Atomic(expireMs)
    }

    /// Whether there are claims that no table has.
    var isTableOld: Bool { isOld.load(ordering: .relaxed) }

    /// Notes that there are claims that no table has; false if that was known.
    func claimed() -> Bool { !isOld.exchange(true, ordering: .acquiringAndReleasing) }

    /// Notes that a table is being made; before the claims are read.
    func makingTable() { isOld.store(false, ordering: .sequentiallyConsistent) }

    /// Whether the spool has failed for good, so that nothing can be stored until a restart.
    var isSpoolLost: Bool { isLost.load(ordering: .relaxed) }

    /// Notes that the spool has failed for good.
    func loseSpool() { isLost.store(true, ordering: .relaxed) }

    /// How long a message may wait, in ms, if it does not say so itself.
    var expireMs: Int64 {
        get { expire.load(ordering: .relaxed) }
        set { expire.store(newValue, ordering: .relaxed) }
    }
}
