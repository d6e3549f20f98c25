/// What the command line asks for.
struct Options {
    /// Rounds, each through all candidates.
    var rounds = 9
    /// About how long one round of one candidate takes.
    var seconds = 0.5
    /// Messages that the source has handed in and not been told of.
    var window: UInt32 = 256
    /// Where the routers' files come.
    var folder = "/tmp"
    /// Only the candidates whose names are among these; empty: all.
    var only: [String] = []

    init(_ arguments: ArraySlice<String>) throws(BenchmarkError) {
        var rest = arguments
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw .usage("\(name) wants a value") }
            switch name {
            case "--rounds": rounds = try Self.number(name, value, 1...1_000)
            case "--seconds": seconds = Double(try Self.number(name, value, 1...60))
            case "--window": window = UInt32(try Self.number(name, value, 1...65_536))
            case "--folder": folder = value
            case "--only": only = value.split(separator: ",").map(String.init)
            default: throw .usage("\(name) is no option; there are --rounds, --seconds, --window, --folder and --only")
            }
        }
    }

    /// Whether the candidate is to be measured.
    func isWanted(_ name: String) -> Bool { only.isEmpty || only.contains(name) }

    private static func number(_ name: String, _ value: String, _ range: ClosedRange<Int>) throws(BenchmarkError) -> Int
    {
        guard let number = Int(value), range.contains(number) else {
            throw .usage("\(name) wants a number from \(range.lowerBound) to \(range.upperBound), not \(value)")
        }
        return number
    }
}
