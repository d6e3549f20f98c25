import Testing

@testable import Lanes

@Suite struct SlabPoolsTests {
    @Test(
        "A size gets the smallest class that holds it",
        arguments: zip(
            [0, 1, 1024, 1025, 2048, 2049, 8192, 8193, 65_536, 65_537, SlabPools.slabBytesMax],
            [SlabClass.small, .small, .small, .medium, .medium, .large, .large, .huge, .huge, .direct, .direct]
        )
    )
    func classes(byteCount: Int, slabClass: SlabClass) {
        #expect(SlabClass(byteCount: byteCount) == slabClass)
        #expect(slabClass.byteCount >= byteCount)
    }

    @Test("All the bytes asked for are there, and aligned", arguments: [1, 1024, 2048, 65_536, SlabPools.slabBytesMax])
    func wholeSlab(byteCount: Int) {
        let pools = SlabPools(workers: 1)
        let slabs = (0..<3).map { _ in pools.allocate(byteCount: byteCount, worker: 0) }
        for (index, slab) in slabs.enumerated() {
            #expect(UInt(bitPattern: slab) % 16 == 0)
            slab.initializeMemory(as: UInt8.self, repeating: UInt8(index + 1), count: byteCount)
        }
        for (index, slab) in slabs.enumerated() {
            let bytes = UnsafeRawBufferPointer(start: slab, count: byteCount)
            #expect(bytes.allSatisfy { $0 == UInt8(index + 1) })
            pools.release(slab, worker: 0)
        }
        #expect(pools.outstanding == 0)
    }

    @Test("A released slab is the next one handed out", arguments: [0, 1])
    func reuse(worker: Int) {
        let pools = SlabPools(workers: 1)
        let first = pools.allocate(byteCount: 300, worker: worker)
        pools.release(first, worker: worker)
        #expect(pools.outstanding == 0)
        let second = pools.allocate(byteCount: 400, worker: worker)
        #expect(first == second)
        #expect(pools.outstanding == 1)
        pools.release(second, worker: worker)
    }

    @Test("A slab released elsewhere comes home to the pool that made it", arguments: [(0, 1), (1, 0), (0, 2), (2, 0)])
    func comesHome(owner: Int, releaser: Int) {
        let pools = SlabPools(workers: 2)
        let slab = pools.allocate(byteCount: 300, worker: owner)
        pools.release(slab, worker: releaser)
        #expect(pools.outstanding == 0)
        if owner < pools.workers { #expect(pools.cachedCount(.small, worker: releaser) == 0) }
        let again = pools.allocate(byteCount: 300, worker: owner)
        #expect(again == slab)
        pools.release(again, worker: owner)
    }

    private static let keptClasses: [SlabClass] = [.small, .medium, .large, .huge]

    @Test("A pool keeps as many free slabs of a class as it may and not one more", arguments: keptClasses, [0, 1])
    func cachedMax(slabClass: SlabClass, worker: Int) {
        let pools = SlabPools(workers: 1)
        let slabs = (0...slabClass.cachedMax).map { _ in pools.allocate(byteCount: slabClass.byteCount, worker: worker)
        }
        for slab in slabs.dropLast() { pools.release(slab, worker: worker) }
        #expect(pools.cachedCount(slabClass, worker: worker) == slabClass.cachedMax)
        pools.release(slabs[slabClass.cachedMax], worker: worker)
        #expect(pools.cachedCount(slabClass, worker: worker) == slabClass.cachedMax)
        #expect(pools.outstanding == 0)
    }

    @Test("A return ring takes as many slabs as it may and not one more", arguments: keptClasses, [1, 2])
    func returnsMax(slabClass: SlabClass, releaser: Int) {
        let pools = SlabPools(workers: 2)
        let returnsMax = min(slabClass.cachedMax, SlabPool.returnsMax)
        let slabs = (0...returnsMax).map { _ in pools.allocate(byteCount: slabClass.byteCount, worker: 0) }
        for slab in slabs { pools.release(slab, worker: releaser) }
        #expect(pools.outstanding == 0)
        #expect(pools.cachedCount(slabClass, worker: 0) == 0)
        // The next allocation takes in what was returned, and one of it.
        pools.release(pools.allocate(byteCount: slabClass.byteCount, worker: 0), worker: 0)
        #expect(pools.cachedCount(slabClass, worker: 0) == returnsMax)
    }

    @Test("A slab past the largest class is not kept")
    func direct() {
        let pools = SlabPools(workers: 2)
        for releaser in 0...2 {
            let slab = pools.allocate(byteCount: SlabClass.huge.byteCount + 1, worker: 0)
            #expect(pools.outstanding == 1)
            pools.release(slab, worker: releaser)
            #expect(pools.outstanding == 0)
        }
        #expect(SlabClass.allCases.allSatisfy { pools.cachedCount($0, worker: 0) == 0 })
    }

    @Test("The pools serve as many workers as they may")
    func mostWorkers() {
        let pools = SlabPools(workers: SlabPools.workersMax)
        let slab = pools.allocate(byteCount: 1, worker: SlabPools.workersMax)
        pools.release(slab, worker: SlabPools.workersMax - 1)
        #expect(pools.outstanding == 0)
    }
}

@Suite struct SlabPoolsMisuseTests {
    @Test("One worker past the most traps")
    func tooManyWorkers() async {
        await #expect(processExitsWith: .failure) { _ = SlabPools(workers: SlabPools.workersMax + 1) }
    }

    @Test("One byte past the largest slab traps")
    func tooLarge() async {
        await #expect(processExitsWith: .failure) {
            _ = SlabPools(workers: 1).allocate(byteCount: SlabPools.slabBytesMax + 1, worker: 0)
        }
    }

    @Test("A slab released twice traps")
    func releasedTwice() async {
        await #expect(processExitsWith: .failure) {
            let pools = SlabPools(workers: 2)
            let slab = pools.allocate(byteCount: 1, worker: 0)
            pools.release(slab, worker: 1)
            pools.release(slab, worker: 0)
        }
    }

    @Test("A worker that there is not traps")
    func unknownWorker() async {
        await #expect(processExitsWith: .failure) { _ = SlabPools(workers: 1).allocate(byteCount: 1, worker: 2) }
    }
}
