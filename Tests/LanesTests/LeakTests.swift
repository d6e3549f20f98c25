import Foundation
import Testing

@testable import Lanes

/// Pages of address space this process has.
private func addressSpacePages() throws -> Int {
    let statm = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    return try #require(statm.split(separator: " ").first.flatMap { Int($0) })
}

/// Each of these runs in a process of its own, and makes and drops hundreds of MiB in all.
@Suite struct LeakTests {
    @Test("A lane that goes away gives all its memory back")
    func lanes() async {
        await #expect(processExitsWith: .success) {
            let before = try addressSpacePages()
            for _ in 0..<60 {
                let lane = Lane(producers: 8, capacity: 1 << 16)
                #expect(lane.push(1, producer: 7))
            }
            let grownMiB = (try addressSpacePages() - before) / 256
            try #require(grownMiB < 40, "grew by \(grownMiB) MiB")
        }
    }

    @Test("Pools that go away give all their memory back, free lists and return rings too")
    func pools() async {
        await #expect(processExitsWith: .success) {
            let before = try addressSpacePages()
            for _ in 0..<100 {
                let pools = SlabPools(workers: 2)
                // Of the third that each releases, a list and a ring keep 16; the rest is freed at once.
                let slabs = (0..<120).map { _ in pools.allocate(byteCount: 60_000, worker: 0) }
                for (index, slab) in slabs.enumerated() { pools.release(slab, worker: index % 3) }
                let foreign = (0..<40).map { _ in pools.allocate(byteCount: 60_000, worker: 2) }
                for (index, slab) in foreign.enumerated() { pools.release(slab, worker: index % 3) }
            }
            let grownMiB = (try addressSpacePages() - before) / 256
            try #require(grownMiB < 40, "grew by \(grownMiB) MiB")
        }
    }
}
