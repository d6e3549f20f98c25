import Glibc
import ProviderKit
import ProviderTestKit

/// How many virtual seconds a second of processor time is good for; README.md beside this folder says what is done in one.

/// Processor time of this process, in ns.
func processorTime() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

struct Run {
    var virtualSeconds: Double
    var processorSeconds: Double
    var events: Int
    var hash: UInt64

    var timesRealTime: Double { virtualSeconds / processorSeconds }
}

/// Plays one candidate: a connection with its keep-alive, and a message each way in every `pause`; nil: none.
func play(seed: UInt64, seconds: Int, pause: Int?) throws -> Run {
    let start = processorTime()
    let simulation = Simulation(seed: seed)
    var peer: PeerConnection?
    simulation.network.listen("im.example", port: 7000) { connection in
        peer = connection
        connection.onReceived = { bytes, connection in
            if bytes.last == UInt8(ascii: "\n"), bytes.count <= 5 { connection.write("PONG\n") }
        }
    }
    let instance = try simulation.start(TestedPlugin(KeepAliveProvider.self))
    guard let alice = Address("alice@home.example"), let to = Address("peer@line.example") else { exit(1) }
    let envelope = Envelope(from: alice, to: to, content: .message(Message(text: String(repeating: "x", count: 300))))
    var done = 0
    while done < seconds {
        let step = pause ?? seconds
        if pause != nil {
            instance.deliver(envelope)
            peer?.write("SAY " + String(repeating: "y", count: 300) + "\n")
        }
        simulation.run(for: .seconds(step))
        done += step
    }
    try simulation.finish()
    let spent = Double(processorTime() - start) / 1e9
    return Run(
        virtualSeconds: Double(seconds),
        processorSeconds: spent,
        events: simulation.eventCount,
        hash: simulation.traceHash
    )
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

let candidates: [(name: String, seconds: Int, pause: Int?)] = [
    ("idle", 3_000_000, nil),
    ("message-per-minute", 600_000, 60),
    ("message-per-10s", 200_000, 10),
]
var runs: [[Run]] = candidates.map { _ in [] }
// The candidates take turns, so that what else the machine does befalls all of them.
for round in 0..<5 {
    for (index, candidate) in candidates.enumerated() {
        runs[index].append(try play(seed: UInt64(round), seconds: candidate.seconds, pause: candidate.pause))
    }
}
var fields: [String] = []
for (candidate, runs) in zip(candidates, runs) {
    let speed = Int(median(runs.map(\.timesRealTime)))
    let events = Int(median(runs.map { Double($0.events) / $0.processorSeconds }))
    print("\(candidate.name): \(speed) virtual seconds and \(events) events a second of processor time")
    fields.append("\(candidate.name)=\(speed)")
    fields.append("\(candidate.name)-events=\(events)")
}
print("bench-simulation " + fields.joined(separator: " "))
