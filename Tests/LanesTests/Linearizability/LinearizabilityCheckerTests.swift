import Testing

/// Histories written by hand, whose answer is known.
@Suite struct LinearizabilityCheckerTests {
    private static let one = QueueModel([(2, .exact)])
    private static let shared = QueueModel([(2, .untilReturned)])

    private static func push(_ word: UInt, _ moments: ClosedRange<Int>, taken: Bool = true, queue: Int = 0) -> Call {
        let operation = QueueOperation.push(words: [word], taken: taken ? 1 : 0, queue: queue)
        return Call(thread: queue, operation: operation, invoked: moments.lowerBound, returned: moments.upperBound)
    }

    private static func pop(_ words: [UInt], _ moments: ClosedRange<Int>) -> Call {
        Call(thread: 9, operation: .pop(words), invoked: moments.lowerBound, returned: moments.upperBound)
    }

    @Test("One call after the other is allowed as a queue would answer, and not otherwise")
    func sequential() {
        let pushes = [Self.push(1, 1...2), Self.push(2, 3...4)]
        #expect(LinearizabilityChecker.allows([], from: Self.one))
        #expect(LinearizabilityChecker.allows(pushes + [Self.pop([1], 5...6), Self.pop([2], 7...8)], from: Self.one))
        #expect(
            LinearizabilityChecker.allows(pushes + [Self.pop([1, 2], 5...6), Self.pop([], 7...8)], from: Self.one)
        )
        #expect(LinearizabilityChecker.allows(pushes + [Self.push(3, 5...6, taken: false)], from: Self.one))
        #expect(!LinearizabilityChecker.allows(pushes + [Self.pop([2], 5...6)], from: Self.one))
        #expect(!LinearizabilityChecker.allows(pushes + [Self.pop([], 5...6)], from: Self.one))
        #expect(!LinearizabilityChecker.allows(pushes + [Self.pop([1], 5...6), Self.pop([1], 7...8)], from: Self.one))
        #expect(!LinearizabilityChecker.allows(pushes + [Self.pop([3], 5...6)], from: Self.one))
        #expect(!LinearizabilityChecker.allows(pushes + [Self.push(3, 5...6)], from: Self.one))
        #expect(!LinearizabilityChecker.allows([Self.push(3, 5...6, taken: false)], from: Self.one))
    }

    @Test("Calls that overlap may have happened in either order, others only in theirs")
    func overlapping() {
        #expect(LinearizabilityChecker.allows([Self.push(1, 1...4), Self.pop([], 2...3)], from: Self.one))
        #expect(LinearizabilityChecker.allows([Self.push(1, 1...4), Self.pop([1], 2...3)], from: Self.one))
        #expect(!LinearizabilityChecker.allows([Self.push(1, 3...4), Self.pop([1], 1...2)], from: Self.one))
        let late = [Self.push(1, 1...8), Self.push(2, 2...7)]
        #expect(LinearizabilityChecker.allows(late + [Self.pop([2], 3...4), Self.pop([1], 5...6)], from: Self.one))
        #expect(!LinearizabilityChecker.allows(late + [Self.pop([2], 3...4), Self.pop([], 9...10)], from: Self.one))
    }

    @Test("Behind a cell that is being worked in, a shared ring may say empty or full, and no longer than that")
    func untilReturned() {
        // Word 1 has won the first cell and is not there yet; word 2 is, behind it.
        let hidden = [Self.push(1, 1...8), Self.push(2, 2...3), Self.pop([], 4...5), Self.pop([1, 2], 9...10)]
        #expect(LinearizabilityChecker.allows(hidden, from: Self.shared))
        #expect(!LinearizabilityChecker.allows(hidden, from: Self.one))
        let tooLate = [Self.push(1, 1...4), Self.push(2, 2...3), Self.pop([], 5...6), Self.pop([1, 2], 9...10)]
        #expect(!LinearizabilityChecker.allows(tooLate, from: Self.shared))

        let filled = [Self.push(1, 1...2), Self.push(2, 3...4)]
        // Word 1 is being taken and its cell is not free yet; word 2 is gone.
        let taking = filled + [Self.pop([1], 5...12), Self.pop([2], 6...7)]
        #expect(LinearizabilityChecker.allows(taking + [Self.push(3, 8...9, taken: false)], from: Self.shared))
        #expect(!LinearizabilityChecker.allows(taking + [Self.push(3, 8...9, taken: false)], from: Self.one))
        #expect(!LinearizabilityChecker.allows(taking + [Self.push(3, 13...14, taken: false)], from: Self.shared))
    }

    @Test("A lane's queues have an order each, and a pop says empty only when all are")
    func lane() {
        let model = QueueModel([(2, .exact), (2, .exact)])
        let pushes = [Self.push(1, 1...2), Self.push(2, 3...4, queue: 1)]
        #expect(LinearizabilityChecker.allows(pushes + [Self.pop([2], 5...6), Self.pop([1], 7...8)], from: model))
        #expect(!LinearizabilityChecker.allows(pushes + [Self.pop([2], 5...6), Self.pop([], 7...8)], from: model))
    }
}
