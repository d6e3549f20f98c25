import Synchronization

/// The slabs of one worker: its free lists, and what other threads return to it.
///
/// Invariants:
///
/// 1. `freeLists` is touched by the owner alone. A slab in it is not in use, and of the list's class.
/// 2. `returns[releaser]` is pushed to by that worker alone and popped from by the owner alone; `foreignReturns` is pushed to by
///    any thread that is no worker.
/// 3. A slab in a return ring is not in use, and is nobody's until the owner pops it.
/// 4. `allocated` and `released` each have one writer, the owner: what *it* allocated, and what *it* released, of whichever pool.
struct SlabPool: ~Copyable {
    /// The most slabs on their way home from one worker, and from all foreign threads; more go back to the system.
    ///
    /// A ring of 32 KiB for each pair of workers.
    static var returnsMax: Int { 4096 }

    private struct FreeList {
        /// The first slab as a word, linked by ``Slab/next``; 0 when the list is empty.
        var first: UInt = 0
        var count = 0
    }

    private let owner: Int
    private let workers: Int
    private let returns: UnsafeMutablePointer<SPSCRing>
    private let foreignReturns = MPMCRing(capacity: SlabPool.returnsMax)
    /// The owner's lines: a free list a class, then the two counters.
    private let base: UnsafeMutableRawPointer

    /// Makes an empty pool.
    ///
    /// - Parameters:
    ///   - owner: its worker's index.
    ///   - workers: how many workers return slabs to each other.
    init(owner: Int, workers: Int) {
        self.owner = owner
        self.workers = workers
        self.returns = .allocate(capacity: workers)
        for releaser in 0..<workers {
            (self.returns + releaser).initialize(to: SPSCRing(capacity: releaser == owner ? 1 : Self.returnsMax))
        }
        self.base = .allocate(byteCount: 2 * RingLayout.lineBytes, alignment: RingLayout.lineBytes)
        self.freeLists.initialize(repeating: FreeList(), count: SlabClass.allCases.count)
        self.allocated.initialize(to: Atomic(0))
        self.released.initialize(to: Atomic(0))
    }

    deinit {
        self.takeReturns { $0.free() }
        for slabClass in SlabClass.allCases {
            while let slab = self.pop(slabClass) {
                slab.free()
            }
        }
        self.returns.deinitialize(count: self.workers)
        self.returns.deallocate()
        self.base.deallocate()
    }

    private var freeLists: UnsafeMutablePointer<FreeList> {
        self.base.assumingMemoryBound(to: FreeList.self)
    }

    private var allocated: UnsafeMutablePointer<Atomic<UInt>> {
        (self.base + RingLayout.lineBytes).assumingMemoryBound(to: Atomic<UInt>.self)
    }

    private var released: UnsafeMutablePointer<Atomic<UInt>> {
        (self.base + RingLayout.lineBytes + MemoryLayout<UInt>.stride).assumingMemoryBound(to: Atomic<UInt>.self)
    }
}

// The owner's calls.
extension SlabPool {
    @inline(__always)
    func allocate(byteCount: Int) -> Slab {
        Self.increment(self.allocated)
        let slabClass = SlabClass(byteCount: byteCount)
        if let slab = self.pop(slabClass) ?? self.reclaimed(slabClass) {
            slab.markInUse()
            return slab
        }
        return Slab.make(slabClass, byteCount: byteCount, owner: self.owner)
    }

    /// Counts a release that the owner made, of whichever pool's slab.
    @inline(__always)
    func countRelease() {
        Self.increment(self.released)
    }

    /// Keeps a free slab of this pool, or gives it back to the system when enough of its class are kept.
    @inline(__always)
    func keep(_ slab: Slab) {
        let slabClass = slab.slabClass
        let list = self.freeLists + Int(slabClass.rawValue)
        guard list.pointee.count < slabClass.cachedMax else { return slab.free() }
        slab.next = list.pointee.first
        list.pointee.first = slab.word
        list.pointee.count += 1
    }

    /// How many free slabs of the class are kept, those in the return rings not counted.
    func cachedCount(_ slabClass: SlabClass) -> Int {
        self.freeLists[Int(slabClass.rawValue)].count
    }

    @inline(__always)
    private func pop(_ slabClass: SlabClass) -> Slab? {
        let list = self.freeLists + Int(slabClass.rawValue)
        guard let slab = Slab(word: list.pointee.first) else { return nil }
        list.pointee.first = slab.next
        list.pointee.count -= 1
        return slab
    }

    /// Takes in all that others returned, then looks again.
    @inline(never)
    private func reclaimed(_ slabClass: SlabClass) -> Slab? {
        guard slabClass != .direct else { return nil }
        self.takeReturns { self.keep($0) }
        return self.pop(slabClass)
    }

    private func takeReturns(_ body: (Slab) -> Void) {
        for releaser in 0..<self.workers {
            while let word = self.returns[releaser].pop() {
                if let slab = Slab(word: word) { body(slab) }
            }
        }
        while let word = self.foreignReturns.pop() {
            if let slab = Slab(word: word) { body(slab) }
        }
    }

    private static func increment(_ counter: UnsafeMutablePointer<Atomic<UInt>>) {
        // One writer, so no read-modify-write is needed.
        let value = counter.pointee.load(ordering: .relaxed)
        counter.pointee.store(value &+ 1, ordering: .releasing)
    }
}

// Other threads' calls.
extension SlabPool {
    /// Sends a free slab of this pool home, or gives it back to the system when the way is full.
    ///
    /// The thread of worker `releaser` only.
    func giveBack(_ slab: Slab, from releaser: Int) {
        let ring = self.returns + releaser
        let cachedMax = slab.slabClass.cachedMax
        // To count moves the owner's cache line here: not for the small ones, of which the ring takes all it has room for.
        guard cachedMax >= Self.returnsMax || ring.pointee.count < cachedMax, ring.pointee.push(slab.word) else {
            return slab.free()
        }
    }

    /// The same, from any thread that is no worker.
    func giveBackForeign(_ slab: Slab) {
        let cachedMax = slab.slabClass.cachedMax
        guard cachedMax >= Self.returnsMax || self.foreignReturns.count < cachedMax, self.foreignReturns.push(slab.word)
        else { return slab.free() }
    }

    /// Slabs the owner ever allocated, modulo 2⁶⁴.
    ///
    /// Any thread.
    var allocatedTotal: UInt { self.allocated.pointee.load(ordering: .acquiring) }

    /// Slabs the owner ever released, of whichever pool, modulo 2⁶⁴.
    ///
    /// Any thread.
    var releasedTotal: UInt { self.released.pointee.load(ordering: .acquiring) }
}
