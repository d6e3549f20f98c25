import CHop
import Configuration
import Foundation
import IMModel
import Logging
import PluginHost
import ProviderKit
import Router

/// One thing that is measured: a router with a source and a sink in it.
final class Candidate {
    /// How the two plugins are written.
    enum Language: String, CaseIterable {
        /// In C.
        case c
        /// In Swift, with messages as lent bytes.
        case lent
        /// In Swift, with `Envelope` values.
        case swift
    }

    /// What distinguishes it from the others.
    struct Plan {
        var language: Language
        /// Addresses that the sink claims, and among which the messages are spread.
        var addresses: UInt32
        /// Of the router; the source is on the first and the sink on the last.
        var workers = 1
        var isDurable = false
        /// Whether a policy is asked about each message.
        var hasPolicy = false

        /// Such as `c-1k`, `c-1m-2w`, `c-1k-policy`, `c-1k-spool`.
        var name: String {
            let size = addresses >= 1_000_000 ? "\(addresses / 1_000_000)m" : "\(addresses / 1_000)k"
            return "\(language.rawValue)-\(size)" + (workers > 1 ? "-\(workers)w" : "") + (hasPolicy ? "-policy" : "")
                + (isDurable ? "-spool" : "")
        }
    }

    let plan: Plan
    private let run: OpaquePointer
    private let router: Router
    /// Messages of one round.
    private(set) var count: UInt64 = 2_000
    /// CPU time a message of each round, in ns.
    private(set) var rounds: [Double] = []
    /// Allocations a message, in a round of its own.
    private(set) var allocations = 0.0

    /// Starts the router; its files come into `folder`.
    init(_ plan: Plan, window: UInt32, folder: String) async throws {
        self.plan = plan
        let run = hop_run_make(plan.addresses, window)
        guard let run else { throw BenchmarkError.noMemory }
        self.run = run
        let yaml = """
            router: {id: hop, workers: \(plan.workers), state: \(folder)/\(plan.name)}
            home: {domains: {home.example: {users: any}}}
            spool: {durable: \(plan.isDurable)}
            providers:
              source: {plugin: source}
              sink: {plugin: sink}
            \(plan.hasPolicy ? Self.policy : "")
            """
        let read = ConfigurationLoader.read(yaml, file: "hop.yaml", directory: folder)
        guard let configuration = read.configuration else { throw BenchmarkError.configuration("\(read.problems)") }
        var logger = Logger(label: "hop", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .warning
        let (source, sink) = try Self.plugins(plan.language, run)
        router = try Router(configuration: configuration, linked: ["source": source, "sink": sink], logger: logger)
        let problems = try await router.start().flatMap(\.problems)
        guard problems.isEmpty else { throw BenchmarkError.configuration("\(problems)") }
    }

    /// Allows what the source sends, by the settings of a user's domain.
    private static let policy = """
        policy:
          federation: true
          providers: {source: {enabled: true, network: xmpp}, sink: {enabled: true, network: xmpp}}
          partners: {allowed: [{domain: partner.example, type: federated}], blocked: [spam.example]}
          access: {global: {xmpp: false}, domains: {home.example: {xmpp: true}}}
        """

    private static func plugins(_ language: Language, _ run: OpaquePointer) throws -> (source: Plugin, sink: Plugin) {
        switch language {
        case .c:
            return (
                try Plugin(path: "source", table: hop_source_plugin(run)),
                try Plugin(path: "sink", table: hop_sink_plugin(run))
            )
        case .lent, .swift:
            let run = Run(pointer: run, isLent: language == .lent)
            return (
                try run.plugin("source") { SwiftSource(host: $0, run: $1) },
                try run.plugin("sink") { SwiftSink(host: $0, run: $1) }
            )
        }
    }

    /// Finds how many messages take about `seconds`.
    func calibrate(seconds: Double) async throws {
        while true {
            let start = ContinuousClock.now
            try await pass(count)
            let taken = (ContinuousClock.now - start) / .seconds(1)
            if taken > seconds / 4 {
                count = max(1, UInt64(Double(count) * seconds / taken))
                return
            }
            count *= 2
        }
    }

    /// Measures one round.
    func measure() async throws {
        let start = CPUClock.now
        try await pass(count)
        rounds.append(Double(CPUClock.now - start) / Double(count))
    }

    /// Counts the allocations of one round.
    func countAllocations() async throws {
        hop_count_allocations(true)
        defer { hop_count_allocations(false) }
        try await pass(count)
        allocations = Double(hop_allocations()) / Double(count)
    }

    /// The middle one of the rounds, in ns a message.
    var median: Double {
        let sorted = rounds.sorted()
        return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
    }

    /// Sends `count` messages from the source to the sink, and waits until all is over.
    private func pass(_ count: UInt64) async throws {
        guard let sender = Address("operator@home.example"), let source = Address("start@partner.example") else {
            throw BenchmarkError.configuration("no addresses")
        }
        hop_run_prepare(run, count)
        let order = Envelope(from: sender, to: source, content: .message(Message(text: "begin")))
        let outcome = await router.send(order).outcome
        guard outcome == .accepted else { throw BenchmarkError.notBegun("\(outcome)") }
        guard hop_run_wait(run, 120) else { throw BenchmarkError.failed(plan.name) }
    }

    /// Stops the router.
    func end() async {
        await router.shutdown()
    }
}

/// Why there is no result.
enum BenchmarkError: Error, CustomStringConvertible {
    case noMemory
    case configuration(String)
    case notBegun(String)
    case failed(String)
    case usage(String)

    var description: String {
        switch self {
        case .noMemory: "there is no memory for a run"
        case .configuration(let what): "the router could not be set up: \(what)"
        case .notBegun(let outcome): "the source could not be told to begin: \(outcome)"
        case .failed(let name): "\(name) did not pass on all messages, once and in order"
        case .usage(let what): what
        }
    }
}

/// Processor time of the whole process, user and system, in ns.
enum CPUClock {
    static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
