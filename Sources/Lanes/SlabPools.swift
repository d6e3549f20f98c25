/// Flat memory for envelopes, kept for reuse by the thread that first asked for it.
///
/// A pool for each worker and one for all threads that are no worker ("foreign"). A slab travels: one thread allocates it, another
/// releases it, and it goes home through a ring, so that memory stays with the core that writes it first. Nothing here takes a
/// lock.
///
/// The pools must outlive their slabs. Memory is not cleared, neither when it is handed out nor when it comes back.
///
/// Safe to share: a worker's free lists are touched by that worker alone, and all else is rings and atomics.
package final class SlabPools: @unchecked Sendable {
    /// The most bytes a slab may hold: 1 MiB.
    package static let slabBytesMax = 1024 * 1024

    /// The most workers there may be.
    package static let workersMax = 63

    /// How many workers there are; their indices are 0..<`workers`, and `workers` itself stands for foreign threads.
    package let workers: Int

    private let pools: UnsafeMutablePointer<SlabPool>
    private let foreign: ForeignSlabPool

    /// Makes empty pools.
    ///
    /// - Parameter workers: 1...``workersMax``.
    package init(workers: Int) {
        precondition(
            (1...Self.workersMax).contains(workers),
            "slab pools serve 1...\(Self.workersMax) workers, but \(workers) were asked for"
        )
        self.workers = workers
        self.foreign = ForeignSlabPool(owner: workers)
        self.pools = .allocate(capacity: workers)
        for owner in 0..<workers {
            (self.pools + owner).initialize(to: SlabPool(owner: owner, workers: workers))
        }
    }

    /// Frees every slab that is not in use.
    deinit {
        self.pools.deinitialize(count: self.workers)
        self.pools.deallocate()
    }

    /// Hands out memory for at least `byteCount` bytes, aligned to 16, its content undefined.
    ///
    /// - Parameters:
    ///   - byteCount: 0...``slabBytesMax``. A size that a peer chose is checked before it comes here.
    ///   - worker: the calling worker's index, or ``workers`` from a foreign thread.
    /// - Complexity: O(1) mostly; O(workers + slabs returned) when the class has no free slab.
    package func allocate(byteCount: Int, worker: Int) -> UnsafeMutableRawPointer {
        precondition(
            byteCount >= 0 && byteCount <= Self.slabBytesMax,
            "a slab holds 0...1048576 bytes; check the size before you ask for one"
        )
        self.checkWorker(worker)
        guard worker < self.workers else { return self.foreign.allocate(byteCount: byteCount).bytes }
        return self.pools[worker].allocate(byteCount: byteCount).bytes
    }

    /// Takes a slab back, from whichever thread has it now, and sends it home.
    ///
    /// Traps when it was released already and not yet handed out again.
    ///
    /// - Parameters:
    ///   - bytes: what an allocation of these pools returned.
    ///   - worker: the calling worker's index, or ``workers`` from a foreign thread.
    /// - Complexity: O(1).
    package func release(_ bytes: UnsafeMutableRawPointer, worker: Int) {
        self.checkWorker(worker)
        let slab = Slab(at: bytes)
        let owner = slab.owner
        precondition(owner <= self.workers, "a slab was released to pools that did not make it")
        let slabClass = slab.markFree()
        if worker < self.workers { self.pools[worker].countRelease() } else { self.foreign.countRelease() }
        if slabClass == .direct {
            slab.free()
        } else if owner == self.workers {
            self.foreign.keep(slab)
        } else if owner == worker {
            self.pools[owner].keep(slab)
        } else if worker == self.workers {
            self.pools[owner].giveBackForeign(slab)
        } else {
            self.pools[owner].giveBack(slab, from: worker)
        }
    }

    /// Slabs handed out and not yet released; exact when no thread allocates or releases meanwhile.
    ///
    /// Any thread.
    package var outstanding: Int {
        let released = (0..<self.workers).reduce(self.foreign.releasedTotal) { $0 &+ self.pools[$1].releasedTotal }
        let allocated = (0..<self.workers).reduce(self.foreign.allocatedTotal) { $0 &+ self.pools[$1].allocatedTotal }
        return Int(bitPattern: allocated &- released)
    }

    /// Free slabs of the class that the pool keeps.
    ///
    /// The thread of `worker` only.
    func cachedCount(_ slabClass: SlabClass, worker: Int) -> Int {
        worker < self.workers ? self.pools[worker].cachedCount(slabClass) : self.foreign.cachedCount(slabClass)
    }

    @inline(__always)
    private func checkWorker(_ worker: Int) {
        precondition(worker >= 0 && worker <= self.workers, "there is no such worker")
    }
}
