import Foundation

/// Measures the way of a message between two plugins of one process; README.md beside this folder says how.
@main
enum HopBenchmark {
    static func main() async {
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            try await run(options)
        } catch {
            FileHandle.standardError.write(Data("hop: \(error)\n".utf8))
            exit(1)
        }
    }

    private static func run(_ options: Options) async throws {
        let folder = "\(options.folder)/hop-\(getpid())"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var candidates: [Candidate] = []
        for plan in plans where options.isWanted(plan.name) {
            candidates.append(try await Candidate(plan, window: options.window, folder: folder))
        }
        guard !candidates.isEmpty else { throw BenchmarkError.usage("no candidate is named like that") }
        for candidate in candidates { try await candidate.calibrate(seconds: options.seconds) }
        for round in 0..<options.rounds {
            // Each round begins with another, so that none always follows the same.
            let start = round % candidates.count
            for candidate in candidates[start...] + candidates[..<start] { try await candidate.measure() }
        }
        for candidate in candidates { try await candidate.countAllocations() }
        report(candidates)
        for candidate in candidates { await candidate.end() }
    }

    private static let plans: [Candidate.Plan] = [
        Candidate.Plan(language: .c, addresses: 1_000),
        Candidate.Plan(language: .c, addresses: 1_000_000),
        Candidate.Plan(language: .c, addresses: 1_000, workers: 2),
        Candidate.Plan(language: .c, addresses: 1_000_000, workers: 2),
        Candidate.Plan(language: .lent, addresses: 1_000),
        Candidate.Plan(language: .swift, addresses: 1_000),
        Candidate.Plan(language: .c, addresses: 1_000, hasPolicy: true),
        Candidate.Plan(language: .c, addresses: 1_000, isDurable: true),
        Candidate.Plan(language: .c, addresses: 1_000_000, isDurable: true),
    ]

    private static func report(_ candidates: [Candidate]) {
        print("candidate        ns a message (least, median, most)   allocations a message   messages a round")
        for candidate in candidates {
            let rounds = candidate.rounds.sorted()
            let times = [rounds.first ?? 0, candidate.median, rounds.last ?? 0].map {
                column("\(Int($0.rounded()))", 10)
            }
            print(
                column(candidate.plan.name, -14) + times.joined()
                    + column(String(format: "%.5f", candidate.allocations), 24) + column("\(candidate.count)", 19)
            )
        }
        print(summary(candidates))
    }

    private static func column(_ text: String, _ width: Int) -> String {
        let gap = String(repeating: " ", count: max(1, abs(width) - text.count))
        return width < 0 ? text + gap : gap + text
    }

    /// The last line, for programs.
    private static func summary(_ candidates: [Candidate]) -> String {
        var words = ["hop"]
        for candidate in candidates {
            let name = candidate.plan.key
            words.append("\(name.prefix)ns\(name.suffix)=" + String(format: "%.0f", candidate.median))
            words.append("\(name.prefix)allocs\(name.suffix)=" + String(format: "%.5f", candidate.allocations))
        }
        let thousand = candidates.first { $0.plan.name == "c-1k" }?.median
        let million = candidates.first { $0.plan.name == "c-1m" }?.median
        if let thousand, let million, thousand > 0 {
            words.append("ratio_1m_1k=" + String(format: "%.3f", million / thousand))
        }
        return words.joined(separator: " ")
    }
}

extension Candidate.Plan {
    /// How the last line names it: `ns_1k`, `spool_ns_1m`, `policy_ns_1k`, `ns_1k_2w`, `swift_ns_1k`.
    fileprivate var key: (prefix: String, suffix: String) {
        let size = addresses >= 1_000_000 ? "1m" : "1k"
        let prefix =
            (isDurable ? "spool_" : "") + (hasPolicy ? "policy_" : "") + (language == .c ? "" : "\(language.rawValue)_")
        return (prefix, "_\(size)" + (workers > 1 ? "_\(workers)w" : ""))
    }
}
