import Foundation
import Glibc
import Spool

/// Messages of one commit, and how many commits a measurement has.
let workloads = [(batch: 1, commits: 128), (batch: 32, commits: 96), (batch: 256, commits: 48)]
let rounds = Int(ProcessInfo.processInfo.environment["ROUNDS"] ?? "") ?? 7
let folder = CommandLine.arguments.dropFirst().first ?? FileManager.default.temporaryDirectory.path

/// What one candidate did in one round.
struct Measurement {
    var messagesPerSecond: Double
    var cpuMicroseconds: Double
}

/// Rows as the router writes them: ids and keys by chance, 500 conversations, 450 bytes of envelope.
func records(_ count: Int, _ random: inout SystemRandomNumberGenerator) -> [SpoolRecord] {
    (0..<count).map { _ in
        let person = Int.random(in: 0..<500, using: &random)
        return SpoolRecord(
            destination: "xmpp",
            conversation: "user\(person)@home.example|friend\(person % 7)@partner.example",
            source: "home",
            remoteID: String(UInt64.random(in: .min ... .max, using: &random), radix: 16)
                + String(repeating: "e", count: 48),
            idempotencyKey: IdempotencyKey(
                high: .random(in: .min ... .max, using: &random),
                low: .random(in: .min ... .max, using: &random)
            ),
            createdAt: 1_800_000_000_000,
            expiresAt: 1_800_172_800_000,
            payload: [UInt8](repeating: 7, count: 450)
        )
    }
}

/// Processor time of this process so far.
func cpuMicroseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
}

func measure(_ batches: [[SpoolRecord]], _ store: ([SpoolRecord]) throws -> Void) rethrows -> Measurement {
    let count = Double(batches.reduce(0) { $0 + $1.count })
    let (cpu, began) = (cpuMicroseconds(), ContinuousClock.now)
    for batch in batches { try store(batch) }
    let elapsed = (ContinuousClock.now - began) / .seconds(1)
    return Measurement(messagesPerSecond: count / elapsed, cpuMicroseconds: (cpuMicroseconds() - cpu) / count)
}

func measureOurs(_ batches: [[SpoolRecord]], _ path: String) throws -> Measurement {
    let spool = try SQLiteSpool(path: path)
    defer { try? spool.close() }
    return try measure(batches) { batch in
        let results = try spool.commit(batch.map { .append($0) })
        for result in results { guard case .stored = result else { fatalError("\(result)") } }
    }
}

func measureRaw(_ batches: [[SpoolRecord]], _ path: String) throws -> Measurement {
    let raw = try RawSQLite(path: path)
    defer { raw.close() }
    return try measure(batches) { try raw.store($0) }
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

func run() throws {
    let place = URL(fileURLWithPath: folder).appendingPathComponent("plugboard-bench-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: place) }
    var random = SystemRandomNumberGenerator()
    var ours: [Int: [Measurement]] = [:]
    var raw: [Int: [Measurement]] = [:]
    for round in 0..<rounds {
        for (batch, commits) in workloads {
            let batches = (0..<commits).map { _ in records(batch, &random) }
            // Each goes first in turn.
            for isOurs in round.isMultiple(of: 2) ? [true, false] : [false, true] {
                let path = place.appendingPathComponent("\(UUID().uuidString).db").path
                if isOurs {
                    ours[batch, default: []].append(try measureOurs(batches, path))
                } else {
                    raw[batch, default: []].append(try measureRaw(batches, path))
                }
                for suffix in ["", "-wal", "-shm", ".lock"] {
                    try? FileManager.default.removeItem(atPath: path + suffix)
                }
            }
        }
    }
    report(ours, raw)
}

func report(_ ours: [Int: [Measurement]], _ raw: [Int: [Measurement]]) {
    print("messages/s, and CPU µs a message in brackets; medians of \(rounds) rounds")
    var lowest: (ratio: Double, ours: Double, raw: Double)?
    for (batch, _) in workloads {
        let (mine, theirs) = (ours[batch] ?? [], raw[batch] ?? [])
        let (speed, rawSpeed) = (median(mine.map(\.messagesPerSecond)), median(theirs.map(\.messagesPerSecond)))
        // Both of a round met the same disk.
        let ratio = median(zip(mine, theirs).map { $0.messagesPerSecond / $1.messagesPerSecond })
        let (cpu, rawCPU) = (median(mine.map(\.cpuMicroseconds)), median(theirs.map(\.cpuMicroseconds)))
        print(
            String(
                format: "%3d a commit: spool %7.0f (%5.1f)   raw %7.0f (%5.1f)   ratio %.2f",
                batch,
                speed,
                cpu,
                rawSpeed,
                rawCPU,
                ratio
            )
        )
        if ratio < lowest?.ratio ?? .infinity { lowest = (ratio, speed, rawSpeed) }
    }
    guard let lowest else { return }
    print(String(format: "spool ratio=%.2f ours=%.0f raw=%.0f", lowest.ratio, lowest.ours, lowest.raw))
}

try run()
