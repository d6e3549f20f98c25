import Configuration
import Directory
import Foundation
import IMModel
import Lanes
import Testing

@testable import Router

/// A router with line providers, whose configuration a test changes.
final class LineRig: Sendable {
    let router: Router
    let book = LineProvider.Book()
    let log = CapturedLog()
    let inbox = Recorder<Inbox.Item>()
    private let folder: TemporaryFolder

    /// What a test's configuration says.
    struct File {
        var workers = 1
        var isDurable = true
        var home = "home.example: {users: [alice, bob]}"
        var spool = ""
        /// Lines below `providers:`.
        var providers: [String] = []
        var more = ""

        func yaml(in folder: TemporaryFolder) -> String {
            """
            router: {id: test, workers: \(workers), state: \(folder.path)/state}
            home: {domains: {\(home)}}
            spool: {durable: \(isDurable), retry: {first: 100ms, max: 100ms}\(spool)}
            providers: {\(providers.joined(separator: ", "))}
            \(more)
            """
        }
    }

    /// A line below `providers:`.
    static func provider(_ name: String, domain: String, mark: String = "", more: String = "") -> String {
        "\(name): {plugin: lines, settings: {domain: \(domain), mark: \"\(mark)\"\(more)}}"
    }

    init(_ file: File, in folder: TemporaryFolder, limits: RouterLimits = RouterLimits()) throws {
        self.folder = folder
        let read = ConfigurationLoader.read(file.yaml(in: folder), file: "test.yaml", directory: folder.path)
        router = try Router(
            configuration: try #require(read.configuration, "\(read.problems)"),
            linked: ["lines": try book.plugin()],
            limits: limits,
            logger: log.logger
        )
        _ = router.inbox.follow { [inbox] in inbox.append($0) }
    }

    /// Runs `body` with a started router, then stops it and looks for what it has not given back.
    static func with(
        _ file: File,
        in folder: TemporaryFolder? = nil,
        limits: RouterLimits = RouterLimits(),
        _ body: (LineRig) async throws -> Void
    ) async throws {
        let rig = try LineRig(file, in: try folder ?? TemporaryFolder(), limits: limits)
        let result: Result<Void, any Error>
        do {
            _ = try await rig.router.start()
            result = .success(try await body(rig))
        } catch {
            result = .failure(error)
            for line in rig.log.lines.all.suffix(30) { print(line) }
        }
        await rig.router.shutdown()
        #expect(rig.router.core.pools.outstanding == 0, "blocks of memory were not given back")
        try result.get()
    }

    func reload(_ file: File) async -> ReloadAnswer {
        let path = "\(folder.path)/test.yaml"
        do {
            try file.yaml(in: folder).write(toFile: path, atomically: true, encoding: .utf8)
        } catch {
            Issue.record("\(path) cannot be written: \(error)")
        }
        return await router.reload(file: path)
    }

    /// Lets alice write to somebody.
    func send(_ text: String, to address: String) async -> Outcome {
        await router.send(.message(text, from: "alice@home.example", to: address)).outcome
    }

    func status(of name: String) async -> RouterStatus.InstanceStatus? {
        await router.status().instances.first { $0.name == name }
    }

    /// A client of the instance with a mark, which answers what it is handed.
    func client(_ mark: String) async throws -> LineClient {
        let client = try LineClient(port: try await book.port(mark)) { client, line in
            let words = line.split(separator: " ").map(String.init)
            switch words.first {
            case "D": client.send("K \(words[1])")
            case "BYE": client.finish()
            default: break
            }
        }
        try await client.lines.first { $0.hasPrefix("HELLO") }
        return client
    }
}
