/// Says whether a history has an order in which a sequential queue would have given the same answers.
///
/// The search of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993): the next call in the order is one of those
/// that no other call, not yet in the order, returned before. Lowe's remark ("Testing for Linearizability", 2017) keeps it short: the same calls
/// in the order and the same state need not be searched twice.
struct LinearizabilityChecker {
    private struct Position: Hashable {
        /// Bit i: call i is in the order.
        let ordered: UInt64
        let model: QueueModel
    }

    private let calls: [Call]
    private var seen: Set<Position> = []

    /// The most calls in a history: a bit each.
    static let callsMax = 64

    private init(_ calls: [Call]) {
        precondition(calls.count <= Self.callsMax, "a history has at most \(Self.callsMax) calls")
        self.calls = calls
    }

    /// Whether the history, which is complete, is one that `model` allows.
    static func allows(_ calls: [Call], from model: QueueModel) -> Bool {
        var checker = Self(calls)
        return checker.search(Position(ordered: 0, model: model))
    }

    private mutating func search(_ position: Position) -> Bool {
        guard self.seen.insert(position).inserted else { return false }
        let left = self.calls.indices.filter { position.ordered & (1 << UInt64($0)) == 0 }
        guard let firstReturn = left.map({ self.calls[$0].returned }).min() else { return true }
        for index in left where self.calls[index].invoked < firstReturn {
            var model = position.model
            guard model.take(index, of: self.calls) else { continue }
            if self.search(Position(ordered: position.ordered | (1 << UInt64(index)), model: model)) { return true }
        }
        return false
    }
}
