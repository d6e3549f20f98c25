import Synchronization

/// The slabs that threads which are no worker allocate: a free list a class, each a ring that any thread may use.
///
/// There is no owner, so there is no way home: whoever releases a slab of this pool puts it in the list itself.
struct ForeignSlabPool: ~Copyable {
    /// A ring a class that is kept, at the class's raw value.
    private let freeLists: UnsafeMutablePointer<MPMCRing>
    private let allocated = Atomic<UInt>(0)
    private let released = Atomic<UInt>(0)
    /// Its index among the pools: one past the last worker's.
    private let owner: Int

    private static let keptClasses: [SlabClass] = [.small, .medium, .large, .huge]

    init(owner: Int) {
        self.owner = owner
        self.freeLists = .allocate(capacity: Self.keptClasses.count)
        for slabClass in Self.keptClasses {
            (self.freeLists + Int(slabClass.rawValue)).initialize(to: MPMCRing(capacity: slabClass.cachedMax))
        }
    }

    deinit {
        for slabClass in Self.keptClasses {
            while let slab = self.pop(slabClass) {
                slab.free()
            }
        }
        self.freeLists.deinitialize(count: Self.keptClasses.count)
        self.freeLists.deallocate()
    }

    /// Any thread that is no worker.
    func allocate(byteCount: Int) -> Slab {
        self.allocated.add(1, ordering: .releasing)
        let slabClass = SlabClass(byteCount: byteCount)
        guard slabClass != .direct, let slab = self.pop(slabClass) else {
            return Slab.make(slabClass, byteCount: byteCount, owner: self.owner)
        }
        slab.markInUse()
        return slab
    }

    /// Counts a release by a thread that is no worker, of whichever pool's slab.
    func countRelease() {
        self.released.add(1, ordering: .releasing)
    }

    /// Keeps a free slab of this pool, or gives it back to the system when enough of its class are kept.
    ///
    /// Any thread.
    func keep(_ slab: Slab) {
        let list = self.freeLists + Int(slab.slabClass.rawValue)
        guard list.pointee.push(slab.word) else { return slab.free() }
    }

    /// About how many free slabs of the class are kept.
    ///
    /// Any thread.
    func cachedCount(_ slabClass: SlabClass) -> Int {
        slabClass == .direct ? 0 : self.freeLists[Int(slabClass.rawValue)].count
    }

    /// Slabs ever allocated here, modulo 2⁶⁴.
    ///
    /// Any thread.
    var allocatedTotal: UInt { self.allocated.load(ordering: .acquiring) }

    /// Slabs ever released by foreign threads, of whichever pool, modulo 2⁶⁴.
    ///
    /// Any thread.
    var releasedTotal: UInt { self.released.load(ordering: .acquiring) }

    private func pop(_ slabClass: SlabClass) -> Slab? {
        self.freeLists[Int(slabClass.rawValue)].pop().flatMap { Slab(word: $0) }
    }
}
