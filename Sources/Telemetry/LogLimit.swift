/// Lets some lines of a kind through in a while, and counts what it holds back.
///
/// Pure.
package struct LogLimit<Key: Hashable & Sendable>: Sendable {
    private struct Entry {
        /// When the present while ends.
        var endNs: UInt64
        /// Lines in it so far.
        var lines = 1
        var held = 0
    }

    private var entries: [Key: Entry] = [:]
    private let pauseNs: UInt64
    private let linesMax: Int

    /// Kinds that are remembered; past it all are forgotten.
    package static var kindsMax: Int { 1024 }

    /// - Parameters:
    ///   - pauseNs: the length of a while, which begins with the first line in it.
    ///   - linesMax: lines of a kind that a while has room for.
    package init(pauseNs: UInt64, linesMax: Int = 1) {
        self.pauseNs = pauseNs
        self.linesMax = linesMax
    }

    /// Asks for a line.
    ///
    /// - Returns: how many were held back since the last; nil if this one is, too.
    package mutating func admit(_ key: Key, nowNs: UInt64) -> Int? {
        if let entry = entries[key], nowNs < entry.endNs {
            if entry.lines < linesMax {
                entries[key]?.lines += 1
                return 0
            }
            entries[key]?.held += 1
            return nil
        }
        if entries.count >= Self.kindsMax, entries[key] == nil { entries = [:] }
        let held = entries[key]?.held ?? 0
        entries[key] = Entry(endNs: nowNs + pauseNs)
        return held
    }
}
