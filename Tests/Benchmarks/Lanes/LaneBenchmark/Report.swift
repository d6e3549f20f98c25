import Foundation

/// Times in nanoseconds a word, a list for each candidate and case.
struct Report {
    private let candidates: [Candidate]
    private let takesLeast: Bool
    private var times: [Case: [[Double]]] = [:]

    /// - Parameter takesLeast: shows the least of a candidate's times, and not the median.
    init(_ candidates: [Candidate], takesLeast: Bool) {
        self.candidates = candidates
        self.takesLeast = takesLeast
    }

    mutating func add(_ time: Double, candidate: Int, _ test: Case) {
        self.times[test, default: self.candidates.map { _ in [] }][candidate].append(time)
    }

    /// The middle one, or the least; nil where nothing was measured.
    private func median(_ candidate: Int, _ test: Case) -> Double? {
        guard let sorted = self.times[test]?[candidate].sorted(), !sorted.isEmpty else { return nil }
        return sorted[self.takesLeast ? 0 : sorted.count / 2]
    }

    /// A line for each candidate: the medians, batch 1 / batch 32.
    var table: String {
        let widths = (name: 24, column: 16)
        let header =
            Self.pad("ns a word, batch 1/32", widths.name) + Self.row(Case.shapes.map { "\($0)P\($1)C" }, widths.column)
        let lines = self.candidates.indices.map { candidate in
            Self.pad(self.candidates[candidate].name, widths.name)
                + Self.row(
                    Case.shapes.map { shape in self.cell(shape) { self.median(candidate, $0) } },
                    widths.column
                )
        }
        return ([header] + lines).joined(separator: "\n")
    }

    /// The last line: our time divided by the best peer's of the same case.
    var ratios: String {
        let cells = Case.shapes.map { shape in "\(shape.0)P\(shape.1)C=" + self.cell(shape, self.ratio) }
        return "ratios " + cells.joined(separator: " ")
    }

    /// Which peer was the best of each case.
    var bestPeers: String {
        let cells = Case.all.compactMap { test in
            self.bestPeer(test).map { "\(test.shape) batch \(test.batch): \(self.candidates[$0.candidate].name)" }
        }
        return "best peers: " + cells.joined(separator: ", ")
    }

    private func bestPeer(_ test: Case) -> (candidate: Int, time: Double)? {
        self.candidates.indices
            .filter { self.candidates[$0].isPeer }
            .compactMap { candidate in self.median(candidate, test).map { (candidate, $0) } }
            .min { $0.1 < $1.1 }
    }

    private func ratio(_ test: Case) -> Double? {
        guard let ours = self.candidates.firstIndex(where: { $0.isMeasuredAgainst }),
            let time = self.median(ours, test),
            let best = self.bestPeer(test)
        else { return nil }
        return time / best.time
    }

    private func cell(_ shape: (Int, Int), _ value: (Case) -> Double?) -> String {
        Case.batches.map { batch in
            value(Case(producers: shape.0, consumers: shape.1, batch: batch)).map { String(format: "%.2f", $0) } ?? "–"
        }
        .joined(separator: "/")
    }

    private static func row(_ cells: [String], _ width: Int) -> String {
        cells.map { Self.pad($0, width) }.joined()
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
