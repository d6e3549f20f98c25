import Foundation

@testable import ControlSocket

/// A directory with a short path that goes away with its last reference.
final class SocketDirectory: Sendable {
    let path: String

    init() throws {
        self.path = "/tmp/plugboard-\(UUID().uuidString.prefix(13))"
        try FileManager.default.createDirectory(
            atPath: self.path,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o700]
        )
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    var socket: String { "\(self.path)/control.sock" }

    func exists(_ name: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(self.path)/\(name)")
    }

    func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: "\(self.path)/\(name)")[.posixPermissions] as? Int
    }
}

/// Runs what blocks on a thread of its own, so that the threads that the server's handlers need stay free.
func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result(catching: body)) }.start()
    }
}

/// Runs `body` against a server at `directory`'s socket, then stops the server.
func withServer<Value: Sendable>(
    _ directory: SocketDirectory,
    _ handler: any ControlHandler,
    limits: ControlLimits = ControlLimits(),
    _ body: @Sendable (ControlServer) async throws -> Value
) async throws -> Value {
    let server = try await ControlServer.start(path: directory.socket, handler: handler, limits: limits)
    do {
        let value = try await body(server)
        await server.stop()
        return value
    } catch {
        await server.stop()
        throw error
    }
}

/// Answers the commands that the tests send.
struct TestHandler: ControlHandler {
    struct Count: Codable, Sendable { var count: Int }

    /// Gets a word whenever something happened that a client cannot see.
    let news: AsyncStream<String>
    private let report: AsyncStream<String>.Continuation

    init() {
        (self.news, self.report) = AsyncStream.makeStream()
    }

    func handle(_ request: ControlRequest, respond: ControlResponder) async throws(ControlFailure) {
        do throws(ControlFailure) {
            switch request.command {
            case "status":
                try await respond.send(Self.status)
            case "count":
                for number in 0..<(try request.arguments(as: Count.self).count) { try await respond.send(number) }
            case "wait":
                try await respond.send("waiting")
                await Self.untilCancelled()
                self.report.yield("cancelled")
            case "flood":
                let text = String(repeating: "x", count: 65536)
                while true { try await respond.send(text) }
            case "large":
                try await respond.send(String(repeating: "x", count: try request.arguments(as: Count.self).count))
            default:
                throw ControlFailure(.unknownCommand, "there is no '\(request.command)'")
            }
        } catch {
            self.report.yield(error.code)
            throw error
        }
    }

    private static func untilCancelled() async {
        let (stream, _) = AsyncStream.makeStream(of: Never.self)
        for await _ in stream {}
    }

    static let status = StatusReport(
        routerID: "edge-1",
        version: "0.1.0",
        uptimeSeconds: 7,
        workers: 2,
        instances: [
            InstanceStatus(
                name: "xmpp",
                plugin: "org.example.xmpp",
                version: "1.0",
                state: "running",
                laneDepth: 1,
                laneCapacity: 1024,
                submitted: 10,
                delivered: .max,
                deferred: 3,
                failed: 4,
                refused: 5,
                stalls: 6,
                links: [
                    LinkStatus(peer: "b.test", state: "up"),
                    LinkStatus(peer: "c.test", state: "down", detail: "no DNS"),
                ]
            )
        ],
        spool: SpoolStatus(waiting: 1, retrying: 2, dead: 3)
    )
}
