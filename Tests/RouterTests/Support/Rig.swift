import Configuration
import Directory
import Foundation
import HostServices
import Lanes
import Logging
import NIOConcurrencyHelpers
import PluginHost
import ProviderKit
import Spool
import Testing

@testable import Router

/// How a router of a test is set up.
struct Setup {
    var workers = 1
    var isDurable = true
    var users = "any"
    var presenceGrace = "60s"
    var firstRetry = "100ms"
    var lastRetry = "100ms"
    var attempts = 100
    var expire = "1h"
    /// Further lines at the top level.
    var topLevel = ""
    /// Further home domains, such as `, a.example: {users: any}`.
    var moreDomains = ""
    /// Further lines below `providers:`.
    var moreProviders = ""
    /// More keys of a provider, by its name: `limits: {…}`.
    var more: [String: String] = [:]
    var limits = RouterLimits()
    /// Whether hops are recorded; without, the router takes its fastest way.
    var isObserved = true
    /// Makes the spool.
    var openStore: (String) throws(SpoolError) -> any RouterStore = Router.openSpool

    /// Lanes that are full all the time.
    static func tiny(workers: Int = 1, isDurable: Bool = true, backlogMax: Int = 100_000) -> Setup {
        var setup = Setup(workers: workers, isDurable: isDurable, isObserved: false)
        setup.limits.laneCapacity = 8
        setup.limits.spoolLaneCapacity = 8
        setup.limits.creditsMax = 4
        setup.limits.backlogMax = backlogMax
        return setup
    }

    fileprivate func yaml(state: String, providers: [String]) -> String {
        """
        router: {id: test, workers: \(workers), state: \(state)}
        home: {domains: {home.example: {users: \(users)}\(moreDomains)}, presence_grace: \(presenceGrace)}
        spool:
          durable: \(isDurable)
          expire: \(expire)
          retry: {first: \(firstRetry), max: \(lastRetry), attempts: \(attempts)}
        \(topLevel)
        providers:
        \(providers.map { name in
            "  \(name): {plugin: \(name)\(more[name].map { ", \($0)" } ?? "")}"
        }.joined(separator: "\n"))
        \(moreProviders)
        """
    }
}

/// A router of a test, with scripted providers and everything recorded.
final class Rig: Sendable {
    let router: Router
    let scripts: [Script]
    let hops = Recorder<Hop>()
    let inbox = Recorder<Inbox.Item>()
    let log = CapturedLog()
    private let started = NIOLockedValueBox<[ProviderSetup]>([])

    /// What became of the providers.
    var setups: [ProviderSetup] { started.withLockedValue { $0 } }

    init(
        _ setup: Setup,
        _ scripts: [Script],
        in folder: TemporaryFolder,
        onLost: (@Sendable (LostProvider) -> Void)? = nil
    ) throws {
        let yaml = setup.yaml(state: "\(folder.path)/state", providers: scripts.map(\.name))
        let read = ConfigurationLoader.read(yaml, file: "test.yaml", directory: folder.path)
        let configuration = try #require(read.configuration, "\(read.problems)")
        self.scripts = scripts
        router = try Router(
            configuration: configuration,
            linked: Dictionary(uniqueKeysWithValues: scripts.map { ($0.name, try $0.plugin()) }),
            limits: setup.limits,
            logger: log.logger,
            observer: setup.isObserved ? hops : nil,
            openStore: setup.openStore,
            onLost: onLost
        )
        _ = router.inbox.follow { [inbox] in inbox.append($0) }
    }

    /// Runs `body` with a started router, then stops it and looks for what it has not given back.
    @discardableResult
    static func with<T>(
        _ setup: Setup = Setup(),
        _ scripts: [Script] = [],
        in folder: TemporaryFolder? = nil,
        onLost: (@Sendable (LostProvider) -> Void)? = nil,
        _ body: (Rig) async throws -> T
    ) async throws -> T {
        let folder = try folder ?? TemporaryFolder()
        let rig = try Rig(setup, scripts, in: folder, onLost: onLost)
        let result: Result<T, any Error>
        do {
            let setups = try await rig.router.start()
            rig.started.withLockedValue { $0 = setups }
            result = .success(try await body(rig))
        } catch {
            result = .failure(error)
            for line in rig.log.lines.all.suffix(20) { print(line) }
            for hop in rig.hops.all.suffix(20) { print(hop) }
        }
        await rig.router.shutdown()
        #expect(rig.router.core.pools.outstanding == 0, "blocks of memory were not given back")
        withExtendedLifetime(folder) {}
        return try result.get()
    }

    /// Runs `body` with a script's provider on its loop.
    func on<T: Sendable>(_ script: Script, _ body: @escaping @Sendable (ScriptedProvider) throws -> T) async throws -> T
    {
        let runtime = try #require(router.core.runtimes.first { $0.name == script.name })
        return try await runtime.context.worker.call {
            guard let provider = script.provider else { preconditionFailure("\(script.name) was not made") }
            return try body(provider)
        }
    }

    /// Lets a script's provider submit envelopes.
    func send(_ envelopes: [Envelope], by script: Script) async throws {
        try await on(script) { $0.send(envelopes) }
    }

    /// What the spool holds.
    func counts() throws -> SpoolCounts {
        let store = try #require(router.store)
        return try store.counts()
    }

    /// The dead letters, oldest first.
    func deadLetters() throws -> [DeadLetter] {
        let store = try #require(router.store)
        return try store.deadLetters(after: 0, limit: 100)
    }

    /// What the router says of a provider.
    func status(of name: String) async throws -> RouterStatus.InstanceStatus {
        try #require(await router.status().instances.first { $0.name == name })
    }
}

extension Recorder: RouterObserver where Element == Hop {
    func observe(_ hop: Hop) { append(hop) }
}

/// A folder for one test, gone with it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "router-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.path
    }

    /// Copies it with all that is in it, as it is now.
    func copy() throws -> TemporaryFolder {
        let copy = try TemporaryFolder()
        try FileManager.default.copyItem(atPath: "\(path)/state", toPath: "\(copy.path)/state")
        return copy
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// Keeps the lines that a router logs.
final class CapturedLog: Sendable {
    /// One line with its fields, also those that its logger was given.
    struct Line: Sendable {
        var level: Logger.Level
        var message: String
        var fields: [String: String]
    }

    /// As text.
    let lines = Recorder<String>()
    let entries = Recorder<Line>()

    var logger: Logger { Logger(label: "test") { [lines, entries] _ in Handler(lines: lines, entries: entries) } }

    private struct Handler: LogHandler {
        let lines: Recorder<String>
        let entries: Recorder<Line>
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.debug

        init(lines: Recorder<String>, entries: Recorder<Line>) {
            self.lines = lines
            self.entries = entries
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }.mapValues { "\($0)" }
            entries.append(Line(level: event.level, message: "\(event.message)", fields: fields))
            lines.append("\(event.level): \(event.message) \(event.metadata ?? [:])")
        }
    }
}
