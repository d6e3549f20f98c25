import Configuration
import Directory
import Foundation
import IMModel
import Logging
import NIOConcurrencyHelpers
import PluginHost
import Router

/// Plays all uses on one router, each by an instance of its own.
// Safe: what changes is behind locks.
final class RealWorld: ProbeWorld, @unchecked Sendable {
    private let router = NIOLockedValueBox<Router?>(nil)
    private let log = Log()
    private let server: RealWebServer
    var webPort: UInt16 { server.port }

    private init() throws {
        server = try RealWebServer()
    }

    /// How long the uses may take, in seconds, before those that wait are given up.
    private static let secondsMax = 40

    /// What came of each use, by its name.
    struct Results: Sendable {
        var records: [String: Record] = [:]
        /// What probes still waited for in the end.
        var stuckAt: [String: String] = [:]
        /// What the router logged, for people.
        var log: [String] = []
    }

    static func play(_ uses: [Use]) async throws -> Results {
        let world = try RealWorld()
        defer { world.server.stop() }
        let probes = uses.indices.map { Probe(uses[$0], id: "p\($0)", world: world) }
        let folder = FileManager.default.temporaryDirectory.appending(path: "parity-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await world.play(probes, in: folder.path)
        var results = Results(log: world.log.lines.withLockedValue { $0 })
        for probe in probes {
            results.records[probe.use.name] = probe.record
            if !probe.isDone { results.stuckAt[probe.use.name] = probe.waitsFor }
        }
        return results
    }

    private func play(_ probes: [Probe], in folder: String) async throws {
        let key = Data((0..<32).map { _ in UInt8.random(in: 0...255) }).base64EncodedString()
        setenv("PARITY_VAULT_KEY", key, 1)
        let read = ConfigurationLoader.read(Self.yaml(probes, folder), file: "parity.yaml", directory: folder)
        guard let configuration = read.configuration else { throw NotConfigured(problems: "\(read.problems)") }
        var limits = RouterLimits()
        // Some probes hold what they were given, or keep streams open, to see what stop() makes of it.
        limits.drainTime = .milliseconds(300)
        let router = try Router(
            configuration: configuration,
            linked: Dictionary(
                uniqueKeysWithValues: probes.map { ($0.id, try Plugin(path: "linked \($0.id)", table: $0.plugin)) }
            ),
            limits: limits,
            logger: Logger(label: "parity") { [log] _ in log }
        )
        self.router.withLockedValue { $0 = router }
        let waiting = Countdown(probes.count)
        for probe in probes { probe.onDone = { waiting.oneIsDone() } }
        _ = try await router.start()
        await waiting.allAreDone(secondsMax: Self.secondsMax)
        await router.shutdown()
        self.router.withLockedValue { $0 = nil }
    }

    private static func yaml(_ probes: [Probe], _ folder: String) -> String {
        """
        router: {id: parity, workers: 1, state: \(folder)/state}
        home: {domains: {home.example: {users: any}}}
        dns: {servers: ["127.0.0.1:1"], hosts: {two.example: [192.0.2.1, 192.0.2.2]}}
        vault: {key: env:PARITY_VAULT_KEY}
        spool: {retry: {first: 100ms, max: 100ms, attempts: 100}}
        providers:
        \(probes.map { "  \($0.id): {plugin: \($0.id)}" }.joined(separator: "\n"))
        """
    }

    func send(_ envelopes: [Envelope], to probe: Probe) {
        guard let router = router.withLockedValue({ $0 }) else { return }
        Task { for envelope in envelopes { _ = await router.send(envelope) } }
    }

    func change(_ changes: [AccountChange], of probe: Probe) {
        guard let router = router.withLockedValue({ $0 }), let alice = Address("alice@home.example") else { return }
        let id = probe.id
        router.directory.perform { [log] in
            for change in changes {
                do {
                    switch change {
                    case .link(let name, let password):
                        let account = LinkedAccount(user: alice, provider: id, account: name, linked: 0)
                        try router.directory.accounts.link(account, password: Array(password.utf8))
                    case .unlink(let name):
                        try router.directory.accounts.unlink(user: alice, provider: id, account: name)
                    }
                } catch {
                    log.lines.withLockedValue { $0.append("\(id): \(error)") }
                }
            }
        }
    }

    struct NotConfigured: Error {
        var problems: String
    }
}

/// Waits until so many are done.
private final class Countdown: Sendable {
    private let left: NIOLockedValueBox<Int>
    private let stream: AsyncStream<Void>
    private let end: AsyncStream<Void>.Continuation

    init(_ count: Int) {
        left = NIOLockedValueBox(count)
        (stream, end) = AsyncStream.makeStream()
    }

    func oneIsDone() {
        let isLast = left.withLockedValue {
            $0 -= 1
            return $0 == 0
        }
        if isLast { end.finish() }
    }

    func allAreDone(secondsMax: Int) async {
        let limit = Task { [end] in
            try await Task.sleep(for: .seconds(secondsMax))
            end.finish()
        }
        for await _ in stream {}
        limit.cancel()
    }
}

/// Keeps the lines of the log.
private struct Log: LogHandler {
    let lines = NIOLockedValueBox<[String]>([])
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let line = "\(event.level): \(event.message) \(metadata) \(event.metadata ?? [:])"
        lines.withLockedValue { $0.append(line) }
    }
}
