// How long a word takes from thread to thread: lanes beside other queues. README.md says what each candidate does.
//
//     LaneBenchmark [--rounds N] [--words N] [--only TEXT] [--case 1P1C] [--least]

import Foundation

/// The number after `name` among the arguments.
func argument(_ name: String) -> String? {
    let arguments = CommandLine.arguments
    guard let index = arguments.firstIndex(of: name), index + 1 < arguments.count else { return nil }
    return arguments[index + 1]
}

func number(_ name: String, default value: Int) -> Int {
    guard let text = argument(name) else { return value }
    guard let number = Int(text), number > 0 else {
        FileHandle.standardError.write(Data("\(name) needs a whole number above 0, not \(text)\n".utf8))
        exit(2)
    }
    return number
}

let rounds = number("--rounds", default: 11)
/// For single words; batches of 32 get five times as many.
let words = number("--words", default: 300_000)
let only = argument("--only") ?? ""
/// On a machine that others use, the least time says more about a change than the median.
let takesLeast = CommandLine.arguments.contains("--least")
let cores = ProcessInfo.processInfo.activeProcessorCount
let candidates = Candidate.all(cores: cores).filter { $0.isMeasuredAgainst || only.isEmpty || $0.name.contains(only) }
let shape = argument("--case")
var report = Report(candidates, takesLeast: takesLeast)

print(
    "\(cores) processors, \(rounds) rounds, \(takesLeast ? "least times" : "medians"), \(words) words a measurement (batches: \(5 * words))"
)
for round in 0..<rounds {
    let order = round % 2 == 0 ? Array(candidates.indices) : candidates.indices.reversed()
    for test in Case.all where shape == nil || shape == test.shape {
        for candidate in order {
            guard let queue = candidates[candidate].makeQueue(test) else { continue }
            let time = Measurement(queue, test, words: test.batch == 1 ? words : 5 * words).run()
            report.add(time, candidate: candidate, test)
        }
    }
}
print(report.table)
print(report.bestPeers)
print(report.ratios)
