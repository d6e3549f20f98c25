import Testing

@testable import Lanes

@Suite struct StallDetectorTests {
    private static let secondNs: UInt64 = 1_000_000_000
    private var detector = StallDetector(threshold: .seconds(5))

    /// One sample, its time in seconds.
    private mutating func sample(popped: UInt, pushed: UInt, at seconds: UInt64) -> StallDetector.Observation {
        self.detector.observe(popped: popped, pushed: pushed, nowNs: seconds * Self.secondNs)
    }

    @Test("An empty lane never stalls")
    mutating func empty() {
        for seconds: UInt64 in [0, 10, 1000] {
            #expect(self.sample(popped: 3, pushed: 3, at: seconds) == .unchanged)
        }
    }

    @Test("A lane that moves never stalls, however full it stays")
    mutating func moving() {
        for step: UInt in 0..<10 {
            #expect(self.sample(popped: step, pushed: step + 100, at: UInt64(step) * 60) == .unchanged)
        }
    }

    @Test("A stall is longer than the threshold, and is said once")
    mutating func stalled() {
        #expect(self.sample(popped: 1, pushed: 4, at: 10) == .unchanged)
        #expect(self.sample(popped: 1, pushed: 4, at: 15) == .unchanged)
        #expect(self.sample(popped: 1, pushed: 5, at: 16) == .stalled(for: .seconds(6)))
        #expect(self.sample(popped: 1, pushed: 9, at: 99) == .unchanged)
    }

    @Test("The wait counts from the first sample that saw words, not from when the lane was empty")
    mutating func waitStartsWithWords() {
        #expect(self.sample(popped: 1, pushed: 1, at: 0) == .unchanged)
        #expect(self.sample(popped: 1, pushed: 2, at: 100) == .unchanged)
        #expect(self.sample(popped: 1, pushed: 2, at: 106) == .stalled(for: .seconds(6)))
    }

    @Test("A pop ends a stall, and a new one is counted from there")
    mutating func recovered() {
        _ = self.sample(popped: 1, pushed: 4, at: 0)
        #expect(self.sample(popped: 1, pushed: 4, at: 6) == .stalled(for: .seconds(6)))
        #expect(self.sample(popped: 2, pushed: 4, at: 7) == .recovered)
        #expect(self.sample(popped: 2, pushed: 4, at: 12) == .unchanged)
        #expect(self.sample(popped: 2, pushed: 4, at: 13) == .stalled(for: .seconds(6)))
    }

    @Test("A lane emptied after a stall has recovered")
    mutating func emptied() {
        _ = self.sample(popped: 1, pushed: 4, at: 0)
        #expect(self.sample(popped: 1, pushed: 4, at: 6) == .stalled(for: .seconds(6)))
        #expect(self.sample(popped: 4, pushed: 4, at: 7) == .recovered)
        #expect(self.sample(popped: 4, pushed: 4, at: 8) == .unchanged)
    }

    @Test("Totals that wrapped are still compared rightly")
    mutating func wrapped() {
        #expect(self.sample(popped: .max, pushed: 1, at: 0) == .unchanged)
        #expect(self.sample(popped: .max, pushed: 1, at: 6) == .stalled(for: .seconds(6)))
        #expect(self.sample(popped: 0, pushed: 1, at: 7) == .recovered)
    }

    @Test("A clock that goes back, or totals read in the wrong order, are no stall")
    mutating func oddSamples() {
        #expect(self.sample(popped: 1, pushed: 4, at: 50) == .unchanged)
        #expect(self.sample(popped: 1, pushed: 4, at: 3) == .unchanged)
        #expect(self.sample(popped: 6, pushed: 4, at: 100) == .unchanged)
        #expect(self.sample(popped: 6, pushed: 7, at: 101) == .unchanged)
    }
}
