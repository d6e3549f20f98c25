import Testing

@testable import ControlSocket

/// Server and client together, over a socket.
@Suite(.timeLimit(.minutes(1))) struct ControlProtocolTests {
    private let directory: SocketDirectory
    private let handler = TestHandler()

    init() throws {
        self.directory = try SocketDirectory()
    }

    /// What the router said, as one line for comparisons.
    private static func failure(_ body: () throws(ControlError) -> Void) -> ControlError? {
        do throws(ControlError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    @Test func aReportArrivesAsItWasSent() async throws {
        let report = try await withServer(self.directory, self.handler) { server in
            try await blocking {
                var client = try ControlClient(path: server.path)
                return try client.event(of: "status", as: StatusReport.self)
            }
        }
        #expect(report == TestHandler.status)
    }

    @Test func eventsArriveInOrderAndAConnectionServesManyRequests() async throws {
        try await withServer(self.directory, self.handler) { server in
            try await blocking {
                var client = try ControlClient(path: server.path)
                for count in [0, 1, 1000] {
                    let numbers = try client.events(of: "count", TestHandler.Count(count: count), as: Int.self)
                    #expect(numbers == Array(0..<count))
                }
            }
        }
    }

    @Test func aFailureEndsTheRequestAndNotTheConnection() async throws {
        try await withServer(self.directory, self.handler) { server in
            try await blocking {
                var client = try ControlClient(path: server.path)
                try client.send("dance")
                let unknown = ControlFailure(.unknownCommand, "there is no 'dance'")
                #expect(
                    Self.failure { () throws(ControlError) in _ = try client.nextEvent(as: Int.self) }
                        == .refused(unknown)
                )
                #expect(try client.events(of: "count", TestHandler.Count(count: 2), as: Int.self) == [0, 1])
            }
        }
    }

    @Test(
        "A request that cannot be read is answered, and the next one too",
        arguments: [
            ("hello", "the request cannot be read: not JSON"),
            ("[]", "the request cannot be read: not a JSON object"),
            ("{}", "the request cannot be read: the key 'command' is missing"),
            (#"{"command":7}"#, "the request cannot be read: the key 'command' has a value of another type"),
            (#"{"command":"count"}"#, "the arguments of 'count' cannot be read: the key 'arguments' is missing"),
            (
                #"{"command":"count","arguments":{"count":"secret"}}"#,
                "the arguments of 'count' cannot be read: the key 'arguments.count' has a value of another type"
            ),
        ]
    )
    func badRequest(line: String, message: String) async throws {
        try await withServer(self.directory, self.handler) { server in
            try await blocking {
                var client = try ControlClient(path: server.path)
                try client.transmit(Array("\n\(line)\r\n".utf8))
                let refusal = ControlFailure(.badRequest, message)
                #expect(
                    Self.failure { () throws(ControlError) in _ = try client.nextEvent(as: Int.self) }
                        == .refused(refusal)
                )
                #expect(try client.events(of: "count", TestHandler.Count(count: 1), as: Int.self) == [0])
            }
        }
    }

    @Test(arguments: [(0, "unknown-command"), (1, "line-too-long")])
    func aRequestHasALimit(excess: Int, code: String) async throws {
        try await withServer(self.directory, self.handler) { server in
            try await blocking {
                var client = try ControlClient(path: server.path)
                let head = #"{"command":""#
                let size = ControlLimits.requestLineMax + excess - head.utf8.count - 2
                try client.transmit(Array("\(head)\(String(repeating: "x", count: size))\"}\n".utf8))
                let first = Self.failure { () throws(ControlError) in _ = try client.nextEvent(as: Int.self) }
                guard case .refused(let failure) = first else {
                    Issue.record("\(String(describing: first))")
                    return
                }
                #expect(failure.code == code)
                // What follows a line that is too long cannot be understood: the router closes.
                if excess > 0 {
                    #expect(
                        Self.failure { () throws(ControlError) in _ = try client.nextEvent(as: Int.self) }
                            == .connectionClosed
                    )
                }
            }
        }
    }

    @Test func theClientSendsNoRequestThatIsTooLong() async throws {
        try await withServer(self.directory, self.handler) { server in
            try await blocking {
                var client = try ControlClient(path: server.path)
                let text = String(repeating: "x", count: ControlLimits.requestLineMax)
                #expect(Self.failure { () throws(ControlError) in try client.send(text) } == .lineTooLong(limit: 65536))
            }
        }
    }

    @Test func anEventHasALimit() async throws {
        try await withServer(self.directory, self.handler) { server in
            try await blocking {
                var client = try ControlClient(path: server.path)
                let largest = ControlLimits.eventLineMax - #"{"event":""}"#.utf8.count
                let text = try client.event(of: "large", TestHandler.Count(count: largest), as: String.self)
                #expect(text.utf8.count == largest)
                try client.send("large", TestHandler.Count(count: largest + 1))
                let refusal = ControlFailure(
                    .internal,
                    "the answer cannot be sent: a line on the control socket is longer than 4194304 bytes"
                )
                #expect(
                    Self.failure { () throws(ControlError) in _ = try client.nextEvent(as: Int.self) }
                        == .refused(refusal)
                )
            }
        }
    }

    @Test func aClientThatLeavesCancelsItsRequest() async throws {
        let handler = self.handler
        try await withServer(self.directory, handler) { server in
            try await blocking {
                var client = try ControlClient(path: server.path)
                try client.send("wait")
                #expect(try client.nextEvent(as: String.self) == "waiting")
            }
            #expect(await handler.news.first { _ in true } == "cancelled")
        }
    }

    // With these short limits a slow machine may close a connection before its first answer: those are tried again.

    @Test func aClientThatReadsNothingIsClosed() async throws {
        let handler = self.handler
        try await withServer(self.directory, handler, limits: ControlLimits(idleMax: .milliseconds(50))) { server in
            let client = try await blocking {
                while true {
                    var client = try ControlClient(path: server.path)
                    try client.send("flood")
                    if (try? client.nextEvent(as: String.self)) != nil { return Kept(client) }
                }
            }
            #expect(await handler.news.first { _ in true } == "client-gone")
            _ = client
        }
    }

    @Test func aConnectionThatSendsNothingIsClosed() async throws {
        try await withServer(self.directory, self.handler, limits: ControlLimits(idleMax: .milliseconds(50))) {
            server in
            try await blocking {
                var client = try ControlClient(path: server.path)
                #expect(
                    Self.failure { () throws(ControlError) in _ = try client.nextEvent(as: Int.self) }
                        == .connectionClosed
                )
            }
        }
    }

    @Test func aConnectionThatSendsNothingMoreIsClosed() async throws {
        try await withServer(self.directory, self.handler, limits: ControlLimits(idleMax: .milliseconds(50))) {
            server in
            try await blocking {
                while true {
                    var client = try ControlClient(path: server.path)
                    let answer = try? client.events(of: "count", TestHandler.Count(count: 1), as: Int.self)
                    guard answer == [0] else { continue }
                    #expect(
                        Self.failure { () throws(ControlError) in _ = try client.nextEvent(as: Int.self) }
                            == .connectionClosed
                    )
                    return
                }
            }
        }
    }

    @Test func aRequestThatRunsIsNotIdle() async throws {
        try await withServer(self.directory, self.handler, limits: ControlLimits(idleMax: .milliseconds(20))) {
            server in
            try await blocking {
                while true {
                    var client = try ControlClient(path: server.path, timeout: .milliseconds(200))
                    try client.send("wait")
                    guard (try? client.nextEvent(as: String.self)) == "waiting" else { continue }
                    // Ten times the idle time passes without the connection being closed.
                    #expect(
                        Self.failure { () throws(ControlError) in _ = try client.nextEvent(as: String.self) }
                            == .timedOut(after: .milliseconds(200))
                    )
                    return
                }
            }
        }
    }

    @Test func connectionsHaveALimit() async throws {
        try await withServer(self.directory, self.handler, limits: ControlLimits(connectionsMax: 2)) { server in
            try await blocking {
                var first = try ControlClient(path: server.path)
                var second = try ControlClient(path: server.path)
                // Answers show that both are counted.
                #expect(try first.events(of: "count", TestHandler.Count(count: 1), as: Int.self) == [0])
                #expect(try second.events(of: "count", TestHandler.Count(count: 1), as: Int.self) == [0])
                var third = try ControlClient(path: server.path)
                let refusal = ControlFailure(
                    .tooManyConnections,
                    "the router already has 2 control connections: close one"
                )
                #expect(
                    Self.failure { () throws(ControlError) in _ = try third.nextEvent(as: Int.self) }
                        == .refused(refusal)
                )
                #expect(try first.events(of: "count", TestHandler.Count(count: 1), as: Int.self) == [0])
            }
            try await blocking {
                // Both are closed by now, but the server may take a moment to notice.
                while true {
                    var client = try ControlClient(path: server.path)
                    let events = try? client.events(of: "count", TestHandler.Count(count: 1), as: Int.self)
                    if events == [0] { return }
                }
            }
        }
    }

    @Test func waitingRequestsHaveALimit() async throws {
        try await withServer(self.directory, self.handler) { server in
            try await blocking {
                var client = try ControlClient(path: server.path)
                for _ in 0..<(1 + ControlLimits.waitingRequestsMax + 1) { try client.send("wait") }
                var failure: ControlError?
                while failure == nil {
                    failure = Self.failure { () throws(ControlError) in _ = try client.nextEvent(as: String.self) }
                }
                let refusal = ControlFailure(.tooManyRequests, "more than 8 requests wait on one connection")
                #expect(failure == .refused(refusal))
            }
        }
    }

    @Test func stoppingEndsWhatRuns() async throws {
        let server = try await ControlServer.start(path: self.directory.socket, handler: self.handler)
        let client = try await blocking {
            var client = try ControlClient(path: server.path)
            try client.send("wait")
            #expect(try client.nextEvent(as: String.self) == "waiting")
            return Kept(client)
        }
        await server.stop()
        #expect(await self.handler.news.first { _ in true } == "cancelled")
        #expect(!self.directory.exists("control.sock"))
        _ = client
    }
}

/// Keeps a client open.
///
/// Safe to send: nothing uses the client in it.
private final class Kept: @unchecked Sendable {
    private let client: ControlClient

    init(_ client: consuming ControlClient) {
        self.client = client
    }
}
