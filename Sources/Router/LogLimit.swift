/// Lets one line of a kind through in a while, and counts what it holds back.
///
/// Pure.
struct LogLimit<Key: Hashable> {
    private struct Entry {
        var nextNs: UInt64
        var held = 0
    }

    private var entries: [Key: Entry] = [:]
    private let pauseNs: UInt64

    /// Kinds that are remembered; past it all are forgotten.
    static var kindsMax: Int { 1024 }

    /// - Parameter pauseNs: the least time between two lines of a kind.
    init(pauseNs: UInt64) {
        self.pauseNs = pauseNs
    }

    /// Asks for a line.
    ///
    /// - Returns: how many were held back since the last; nil if this one is, too.
    mutating func admit(_ key: Key, nowNs: UInt64) -> Int? {
        if let entry = entries[key], nowNs < entry.nextNs {
            entries[key]?.held += 1
            return nil
        }
        if entries.count >= Self.kindsMax, entries[key] == nil { entries = [:] }
        let held = entries[key]?.held ?? 0
        entries[key] = Entry(nextNs: nowNs + pauseNs)
        return held
    }
}
