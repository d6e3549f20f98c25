import HostServices
import Testing

@Suite("HTTP requests", .timeLimit(.minutes(1)))
struct HTTPTests {
    @Test("a request goes out as it was made, and the answer comes whole")
    func success() async throws {
        try await TinyWebServer.with({ _ in
            .bytes(webAnswer("201 Created", "hello", fields: ["Set-Cookie: a=1", "X-Two: 2", "set-cookie: b=2"]))
        }) { server in
            try await WebClient.with { (client: WebClient) async throws in
                var request = get(server.port, "/path?q=1#part", host: "a.test")
                request.method = "POST"
                request.fields = [HTTPField("SOAPAction", "\"x\""), HTTPField("cookie", "k=v"), HTTPField("X-A", "")]
                request.body = Array("body".utf8)
                let answer = try await client.result(request).get()
                #expect(answer.status == 201)
                #expect(answer.text == "hello")
                #expect(answer.url == "http://a.test:\(server.port)/path?q=1")
                #expect(
                    answer.fields.map { "\($0.name)=\($0.value)" }
                        == ["Content-Length=5", "Set-Cookie=a=1", "X-Two=2", "set-cookie=b=2"]
                )
                let seen = server.requests[0]
                #expect(seen.method == "POST" && seen.target == "/path?q=1" && seen.body == "body")
                #expect(
                    seen.fields == [
                        "Host: a.test:\(server.port)", "SOAPAction: \"x\"", "cookie: k=v", "X-A: ", "Content-Length: 4",
                    ]
                )
                #expect(try await client.on { $0.events } == ["finished 201"])
            }
        }
    }

    @Test("an answer without a length ends with its connection, one in chunks with its last chunk")
    func framing() async throws {
        try await TinyWebServer.with({ request in
            request.target == "/close"
                ? .last("HTTP/1.1 200 OK\r\n\r\nuntil the end")
                : .bytes("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        }) { server in
            try await WebClient.with { (client: WebClient) async throws in
                #expect(try await client.result(get(server.port, "/close")).get().text == "until the end")
                #expect(try await client.result(get(server.port, "/chunks")).get().text == "abcde")
            }
        }
    }

    @Test("a body at the limit comes, one byte more is refused", arguments: [false, true])
    func bodyLimit(isStreaming: Bool) async throws {
        try await TinyWebServer.with({ request in
            .bytes(webAnswer("200 OK", String(repeating: "x", count: request.target == "/at" ? 200_000 : 200_001)))
        }) { server in
            try await WebClient.with { (client: WebClient) async throws in
                var request = get(server.port, "/at")
                request.answerBytesMax = 200_000
                request.isStreaming = isStreaming
                let handle = try await client.begin(request)
                let answer = try await client.result(of: handle).get()
                let told = try await client.on { $0.bodies[handle]?.count ?? 0 }
                #expect(answer.body.count == (isStreaming ? 0 : 200_000) && told == (isStreaming ? 200_000 : 0))
                request.address = get(server.port, "/past").address
                #expect(try await client.result(request).failure == .bodyTooLarge(limit: 200_000))
                #expect(try await client.on { $0.service.count } == 0)
            }
        }
    }

    @Test("a head at the limits comes, one past them is refused")
    func headLimit() async throws {
        var limits = ServiceLimits()
        limits.httpFieldsMax = 3
        limits.httpHeadMax = 100
        try await TinyWebServer.with({ request in
            switch request.target {
            case "/many": .bytes(webAnswer(fields: ["A: 1", "B: 2", "C: 3"]))
            case "/long": .bytes(webAnswer(fields: ["A: \(String(repeating: "x", count: 100))"]))
            default: .bytes(webAnswer(fields: ["A: 1", "B: 2"]))
            }
        }) { server in
            try await WebClient.with(limits) { (client: WebClient) async throws in
                #expect(try await client.result(get(server.port)).get().fields.count == 3)
                for path in ["/many", "/long"] {
                    let failure = try await client.result(get(server.port, path)).failure
                    #expect(failure == .badAnswer("its head is too long"), "\(path)")
                }
            }
        }
    }

    @Test("what is no HTTP is refused, and so is an answer that changes the protocol")
    func malformed() async throws {
        try await TinyWebServer.with({ request in
            request.target == "/switch"
                ? .bytes("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
                : .bytes("SSH-2.0-OpenSSH\r\n\r\n")
        }) { server in
            try await WebClient.with { (client: WebClient) async throws in
                for path in ["/", "/switch"] {
                    guard case .badAnswer? = try await client.result(get(server.port, path)).failure else {
                        Issue.record("\(path) was answered")
                        continue
                    }
                }
            }
        }
    }

    @Test("a server that is silent, or stops in the middle, is given up in time", arguments: ["/silent", "/half"])
    func timeout(path: String) async throws {
        try await TinyWebServer.with({ request in
            request.target == "/silent" ? .silence : .bytes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        }) { server in
            try await WebClient.with { (client: WebClient) async throws in
                var request = get(server.port, path)
                request.timeoutMs = 50
                #expect(try await client.result(request).failure == .timedOut(50))
                #expect(try await client.on { $0.service.connectionCount } == 0)
            }
        }
    }

    @Test("a server that is not there is said to be so, by name and by port")
    func unreachable() async throws {
        try await WebClient.with { (client: WebClient) async throws in
            // Nothing listens on port 1.
            guard case .connectFailed? = try await client.result(get(1)).failure else {
                Issue.record("port 1 answered")
                return
            }
            guard case .unresolved("c.test", _)? = try await client.result(get(1, host: "c.test")).failure else {
                Issue.record("c.test was found")
                return
            }
            #expect(try await client.on { $0.service.connectionCount } == 0)
        }
    }

    @Test("a connection that breaks in the middle of an answer fails the request")
    func broken() async throws {
        try await TinyWebServer.with({ _ in .last("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") }) { server in
            try await WebClient.with { (client: WebClient) async throws in
                guard case .connectionLost? = try await client.result(get(server.port)).failure else {
                    Issue.record("half an answer counted as one")
                    return
                }
            }
        }
    }

    @Test("a request that is cancelled is heard of no more, and its connection is closed")
    func cancelling() async throws {
        try await TinyWebServer.with({ request in request.target == "/slow" ? .silence : .bytes(webAnswer()) }) {
            server in
            try await WebClient.with { (client: WebClient) async throws in
                let handle = try await client.begin(get(server.port, "/slow"))
                await server.requested(1)
                try await client.on { try $0.service.cancel(handle) }
                await #expect(throws: ServiceError.unknownHandle(handle.rawValue)) {
                    try await client.on { try $0.service.cancel(handle) }
                }
                server.send(webAnswer())
                _ = try await client.result(get(server.port)).get()
                #expect(server.connections == 2)
                #expect(try await client.on { $0.events } == ["finished 200"])
            }
        }
    }

    @Test("after the end nothing is heard of a request that was under way")
    func stopping() async throws {
        try await TinyWebServer.with({ _ in .bytes("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") }) { server in
            try await WebClient.with { (client: WebClient) async throws in
                var request = get(server.port)
                request.isStreaming = true
                _ = try await client.begin(request)
                await client.until { !$0.bodies.isEmpty }
                try await client.on { $0.service.closeAll() }
                server.send("andmore")
                try await server.closeConnections()
                // A later pass over the loop, in which a late call would have come.
                #expect(try await client.on { $0.events } == ["answered 200", "body 4"])
                await #expect(throws: ServiceError.stopped) { try await client.begin(get(server.port)) }
            }
        }
    }

    @Test("a streaming answer that is paused goes on when it is resumed")
    func pausing() async throws {
        try await TinyWebServer.with({ request in
            .bytes(request.target == "/other" ? webAnswer() : "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        }) { server in
            try await WebClient.with { (client: WebClient) async throws in
                try await client.on { client in
                    client.onBody = { handle in
                        #expect(throws: Never.self) { try client.service.setReading(handle, false) }
                    }
                }
                var request = get(server.port)
                request.isStreaming = true
                let handle = try await client.begin(request)
                await client.until { !$0.bodies.isEmpty }
                server.send("def")
                // Answered on another connection, after what was sent before.
                _ = try await client.result(get(server.port, "/other")).get()
                #expect(try await client.on { $0.bodies[handle]?.count } == 3)
                try await client.on { client in
                    client.onBody = { _ in }
                    try client.service.setReading(handle, true)
                }
                _ = try await client.result(of: handle).get()
                #expect(try await client.on { $0.bodies[handle]?.count } == 6)
            }
        }
    }

    @Test("what makes no sense, or could pass for two requests, is refused")
    func refusals() async throws {
        try await WebClient.with { (client: WebClient) async throws in
            let good = get(1)
            let bad: [(inout HTTPRequest) -> Void] = [
                { $0.method = "GET /" }, { $0.method = "" }, { $0.method = "CONNECT" },
                { $0.fields = [HTTPField("X Y", "")] }, { $0.fields = [HTTPField("X", "a\r\nY: b")] },
                { $0.fields = [HTTPField("Content-Length", "3")] }, { $0.fields = [HTTPField("HOST", "b")] },
                { $0.timeoutMs = 0 }, { $0.answerBytesMax = 0 },
            ]
            for (index, change) in bad.enumerated() {
                var request = good
                change(&request)
                do {
                    _ = try await client.begin(request)
                    Issue.record("number \(index) was taken")
                } catch let error as ServiceError {
                    guard case .invalidArgument = error else {
                        Issue.record("number \(index): \(error)")
                        continue
                    }
                }
            }
            var unknown = get(1, host: "a.test", secure: true)
            unknown.identity = "nobody"
            await #expect(throws: ServiceError.unknownIdentity("nobody")) { try await client.begin(unknown) }
        }
    }

    @Test("requests, fields and bodies up to the limit are taken, one more is not")
    func limits() async throws {
        var limits = ServiceLimits()
        limits.httpRequestsMax = 2
        limits.httpFieldsMax = 2
        limits.httpHeadMax = 8
        limits.httpRequestBodyMax = 4
        limits.httpRedirectsMax = 1
        try await WebClient.with(limits) { (client: WebClient) async throws in
            var request = get(1)
            request.fields = [HTTPField("A", "123"), HTTPField("B", "123")]
            request.body = [1, 2, 3, 4]
            request.redirectsMax = 1
            let full = request
            var past = full
            past.fields.append(HTTPField("C", ""))
            await #expect(throws: ServiceError.limitReached(.httpFields, limit: 2)) { try await client.begin(past) }
            past = full
            past.fields[0].value = "1234"
            await #expect(throws: ServiceError.limitReached(.httpHeadBytes, limit: 8)) { try await client.begin(past) }
            past = full
            past.body.append(5)
            await #expect(throws: ServiceError.limitReached(.httpBodyBytes, limit: 4)) { try await client.begin(past) }
            past = full
            past.redirectsMax = 2
            await #expect(throws: ServiceError.limitReached(.httpRedirects, limit: 1)) { try await client.begin(past) }
            try await client.on { client in
                _ = try client.service.request(full)
                _ = try client.service.request(full)
                #expect(throws: ServiceError.limitReached(.httpRequests, limit: 2)) {
                    try client.service.request(full)
                }
            }
        }
    }
}
