internal import CPlugboard

/// A number for each kind of envelope.
///
/// In place, for it grows with each message.
package struct KindCounts: Sendable {
    /// By the kind's number; 0: of no kind that there is.
    private var counts = InlineArray<9, UInt64>(repeating: 0)

    package init() {}

    /// Counts one more.
    @inline(__always)
    mutating func add(_ kind: UInt16) {
        let place = Int(kind)
        counts[place < counts.count ? place : 0] &+= 1
    }

    /// All kinds together.
    package var total: UInt64 { counts.indices.reduce(0) { $0 + counts[$1] } }

    /// The kinds that were counted, by the words of ``UInt16/kindName``.
    package var byName: [(kind: String, count: UInt64)] {
        counts.indices.filter { counts[$0] > 0 }.map { (UInt16($0).kindName, counts[$0]) }
    }
}

/// Why something went wrong with envelopes of a kind, for counting: words of which there are few.
package struct Grievance: Hashable, Sendable {
    /// A word of ``UInt16/kindName``.
    package var kind: String
    /// A word of `Refusal.code`, or of ``UInt16/failureClassName``.
    package var cause: String
}
