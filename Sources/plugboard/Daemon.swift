internal import Configuration
internal import ControlSocket
internal import CoreMetrics
internal import Foundation
internal import Logging
internal import PluginHost
internal import Policy
internal import Router
internal import ServiceLifecycle
internal import Telemetry
internal import UnixSignals

/// The router as a process: what `plugboard run` and `plugboard check` do.
enum Daemon: RouterParts {
    static let version = "0.1.0"

    static func run(_ configuration: RouterConfiguration) async throws {
        _ = Restart.inherited
        let output = LogOutput(configuration)
        LoggingSystem.bootstrap { _ in RouterLogHandler(output) }
        let logger = Logger(label: "plugboard")
        // What the libraries count comes out beside the router's own.
        let metrics = MetricsRegistry()
        MetricsSystem.bootstrap(metrics)
        let service = try RouterService(configuration, output, logger: logger, metrics: metrics)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [.init(service: service)],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        try await group.run()
    }

    static func check(_ configuration: RouterConfiguration) async -> CheckFindings {
        // A check leaves nothing behind, and must work for whoever may not write the state folder.
        let copies = FileManager.default.temporaryDirectory.appendingPathComponent(
            "plugboard-check-\(UUID().uuidString)"
        )
        defer { try? FileManager.default.removeItem(at: copies) }
        var preparation = ProviderPreparation(configuration, copies: copies.path)
        let setups = preparation.prepareAll()
        let libraries = setups.compactMap { setup -> CheckFindings.Library? in
            guard let plugin = setup.plugin, let sha256 = plugin.sha256 else { return nil }
            return CheckFindings.Library(provider: setup.name, path: plugin.path, sha256: sha256)
        }
        return CheckFindings(
            problems: StorageCheck.problems(configuration) + setups.flatMap(\.problems)
                + Self.passedDates(configuration),
            libraries: libraries
        )
    }
}

extension Daemon {
    /// Providers whose announced end has passed, where the operator has not chosen to ignore it.
    private static func passedDates(_ configuration: RouterConfiguration) -> [Problem] {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        return (configuration.policy?.passed(at: now) ?? []).map { passed in
            Problem(
                severity: .warning,
                file: configuration.file,
                position: SourcePosition(line: passed.place.line, column: passed.place.column),
                keyPath: passed.place.keyPath,
                message: passed.sentence
            )
        }
    }
}

/// A router with its control socket, from start to a graceful end.
struct RouterService: Service, CustomStringConvertible {
    private let configuration: RouterConfiguration
    private let router: Router
    private let output: LogOutput
    private let logger: Logger

    init(_ configuration: RouterConfiguration, _ output: LogOutput, logger: Logger, metrics: MetricsRegistry) throws {
        self.configuration = configuration
        self.output = output
        self.logger = logger
        self.router = try Router(configuration: configuration, logger: logger, metrics: metrics) { lost in
            Restart.without(lost, state: configuration.router.state, logger: logger)
        }
    }

    var description: String { "router \(configuration.router.id)" }

    func run() async throws {
        // Before anybody can know that the router runs: a SIGHUP that nobody waits for ends the process.
        let hangups = await UnixSignalsSequence(trapping: .sighup)
        _ = try await router.start()
        let control = RouterControl(router: router, output: output)
        let server: ControlServer
        do {
            server = try await ControlServer.start(path: configuration.router.control, handler: control)
        } catch {
            await router.shutdown()
            throw error
        }
        logger.log(
            .info,
            "the router runs",
            [.router: configuration.router.id, .control: configuration.router.control]
        )
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await reload(at: hangups) }
            try? await gracefulShutdown()
            group.cancelAll()
        }
        logger.log(.info, "the router drains and stops", [.router: configuration.router.id])
        await router.shutdown()
        await server.stop()
    }

    /// Reads the configuration file again at each SIGHUP.
    private func reload(at hangups: UnixSignalsSequence) async {
        for await _ in hangups {
            let answer = await router.reload(file: configuration.file, by: "SIGHUP")
            if answer.isApplied { output.change(to: router.currentConfiguration) }
        }
    }
}
