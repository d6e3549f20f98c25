/// Finds what somebody probably meant.
enum Suggestion {
    /// Longest word that is compared, in characters; the comparison takes time quadratic in it.
    static let wordLengthMax = 64

    /// The candidate nearest to `word`, if one is near enough to be a slip of the finger.
    static func nearest(to word: String, among candidates: some Sequence<String>) -> String? {
        guard word.count <= Self.wordLengthMax else { return nil }
        let distanceMax = max(1, min(3, word.count / 3))
        var best: (candidate: String, distance: Int)?
        for candidate in candidates where candidate.count <= Self.wordLengthMax {
            let distance = Self.distance(Array(word.lowercased()), Array(candidate.lowercased()))
            if distance <= distanceMax, distance < (best?.distance ?? Int.max) {
                best = (candidate, distance)
            }
        }
        return best?.candidate
    }

    /// `did you mean 'partners'?`, or else the list of what is possible.
    static func forUnknown(_ word: String, among candidates: [String]) -> String? {
        if let nearest = Self.nearest(to: word, among: candidates) {
            return "did you mean '\(nearest)'?"
        }
        guard !candidates.isEmpty else { return nil }
        return "possible here: \(candidates.joined(separator: ", "))"
    }

    /// Insertions, deletions, substitutions and swaps of neighbours that turn `left` into `right`.
    ///
    /// - Complexity: O(left × right) in time, O(right) in memory.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
        var beforePrevious: [Int] = []
        var previous = Array(0...right.count)
        for row in 1...left.count {
            var current = [row]
            for column in 1...right.count {
                let same = left[row - 1] == right[column - 1]
                var cost = min(
                    previous[column] + 1,
                    current[column - 1] + 1,
                    previous[column - 1] + (same ? 0 : 1)
                )
                let isSwap =
                    row > 1 && column > 1
                    && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1]
                if isSwap { cost = min(cost, beforePrevious[column - 2] + 1) }
                current.append(cost)
            }
            (beforePrevious, previous) = (previous, current)
        }
        return previous[right.count]
    }
}
