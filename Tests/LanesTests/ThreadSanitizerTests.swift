import Foundation
import Synchronization
import Testing

/// A ring with a slot and an index that it stores without releasing: what the sanitizer is there to find.
///
/// Not safe to share, and shared nevertheless: that is the point.
private final class CarelessRing: @unchecked Sendable {
    private let tail = Atomic<UInt>(0)
    private var slot: UInt = 0

    func push(_ word: UInt) {
        self.slot = word
        self.tail.store(1, ordering: .relaxed)
    }

    func pop() -> UInt? {
        self.tail.load(ordering: .acquiring) == 1 ? self.slot : nil
    }
}

/// Under `swift test --sanitize=thread`, all thread tests of this target ask the sanitizer too; this one asks whether it would answer.
@Suite struct ThreadSanitizerTests {
    /// Whether this process runs with ThreadSanitizer in it.
    private static var isActive: Bool { dlsym(nil, "__tsan_init") != nil }

    @Test(
        "A ring that publishes a word without releasing is reported",
        .enabled(if: isActive, "only with --sanitize=thread"),
        .timeLimit(.minutes(1))
    )
    func reportsSeededRace() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            let ring = CarelessRing()
            await onThreads([
                { ring.push(1) },
                { while ring.pop() == nil { sched_yield() } },
            ])
        }
        let report = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(report.contains("data race"))
    }
}
