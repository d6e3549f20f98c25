import HostServices
import Testing

@Suite("Connections, certificates and redirects of HTTP requests", .timeLimit(.minutes(1)))
struct HTTPConnectionTests {
    @Test("a connection is used again, but not after the server said it closes it")
    func reuse() async throws {
        try await TinyWebServer.with({ request in
            request.target == "/last"
                ? .bytes(webAnswer("200 OK", "x", fields: ["Connection: close"])) : .bytes(webAnswer("200 OK", "x"))
        }) { server in
            try await WebClient.with { (client: WebClient) async throws in
                for path in ["/1", "/2", "/last", "/3"] { _ = try await client.result(get(server.port, path)).get() }
                #expect(server.requests.map(\.connection) == [1, 1, 1, 2])
                #expect(try await client.on { $0.service.connectionCount } == 1)
            }
        }
    }

    @Test("a kept connection that the server has closed costs a GET nothing, and a POST its answer")
    func stale() async throws {
        try await TinyWebServer.with({ request in
            request.target == "/" || request.connection == 2 ? .bytes(webAnswer()) : .close
        }) { server in
            try await WebClient.with { (client: WebClient) async throws in
                _ = try await client.result(get(server.port)).get()
                // The server drops the connection when it sees this, as if it had timed out.
                #expect(try await client.result(get(server.port, "/again")).get().status == 200)
                #expect(server.requests.map(\.connection) == [1, 1, 2])
            }
        }
        try await TinyWebServer.with({ request in request.target == "/" ? .bytes(webAnswer()) : .close }) { server in
            try await WebClient.with { (client: WebClient) async throws in
                _ = try await client.result(get(server.port)).get()
                var post = get(server.port, "/again")
                post.method = "POST"
                guard case .connectionLost? = try await client.result(post).failure else {
                    Issue.record("a POST was sent twice")
                    return
                }
                // A GET is sent a second time, and no third.
                _ = try await client.result(get(server.port)).get()
                guard case .connectionLost? = try await client.result(get(server.port, "/again")).failure else {
                    Issue.record("nobody answered")
                    return
                }
                #expect(server.requests.map(\.target) == ["/", "/again", "/", "/again", "/again"])
            }
        }
    }

    @Test("requests past the connections of an origin wait for one, and a cancelled one does not hold up the others")
    func waiting() async throws {
        var limits = ServiceLimits()
        limits.httpConnectionsPerOriginMax = 1
        try await TinyWebServer.with({ request in request.target == "/first" ? .silence : .bytes(webAnswer()) }) {
            server in
            try await WebClient.with(limits) { (client: WebClient) async throws in
                let first = try await client.begin(get(server.port, "/first"))
                await server.requested(1)
                let second = try await client.begin(get(server.port, "/second"))
                let third = try await client.begin(get(server.port, "/third"))
                let fourth = try await client.begin(get(server.port, "/fourth"))
                #expect(try await client.on { $0.service.connectionCount } == 1)
                try await client.on { client in
                    try client.service.cancel(second)
                    try client.service.cancel(first)
                }
                _ = try await client.result(of: third).get()
                _ = try await client.result(of: fourth).get()
                #expect(server.requests.map(\.target) == ["/first", "/third", "/fourth"])
                #expect(server.requests.map(\.connection) == [1, 2, 2])
            }
        }
    }

    @Test("names of cancelled requests count until they are answered: as many as may be asked for, and no more")
    func names() async throws {
        var limits = ServiceLimits()
        limits.resolutionsMax = 2
        let dns = try await TinyDNS(["slow.test": .silence, "slower.test": .silence])
        try await TinyWebServer.with({ _ in .bytes(webAnswer()) }) { server in
            try await WebClient.with(limits, dns: dns.server, dnsTimeoutMs: 30_000) {
                (client: WebClient) async throws in
                let slow = try await client.begin(get(server.port, host: "slow.test"))
                try await client.on { try $0.service.cancel(slow) }
                _ = try await client.result(get(server.port, host: "a.test")).get()
                let slower = try await client.begin(get(server.port, host: "slower.test"))
                try await client.on { try $0.service.cancel(slower) }
                let refused = try await client.result(get(server.port, host: "b.test")).failure
                #expect(refused == .unresolved(host: "b.test", .temporary("2 names are being asked for already")))
                // A connection that is there needs no name.
                _ = try await client.result(get(server.port, host: "a.test")).get()
            }
        }
        try await dns.stop()
    }

    @Test("an idle connection is closed in time")
    func idle() async throws {
        var limits = ServiceLimits()
        limits.httpIdleTimeoutMs = 1
        try await TinyWebServer.with({ _ in .bytes(webAnswer()) }) { server in
            try await WebClient.with(limits) { (client: WebClient) async throws in
                _ = try await client.result(get(server.port)).get()
                while try await client.on({ $0.service.connectionCount }) > 0 { await Task.yield() }
                _ = try await client.result(get(server.port)).get()
                #expect(server.connections == 2)
            }
        }
    }

    /// A server's certificate, and whether it proves `a.test`.
    enum Certificate: String, CaseIterable {
        case good, otherName, otherAuthority

        func issue() throws -> Certificates.Issued {
            switch self {
            case .good: try Certificates.leaf(by: try Certificates.trusted.get())
            case .otherName: try Certificates.leaf(.init(dnsNames: ["b.test"]), by: try Certificates.trusted.get())
            case .otherAuthority: try Certificates.leaf(by: try Certificates.other.get())
            }
        }
    }

    @Test("an https server must prove its name to the authorities that streams trust", arguments: Certificate.allCases)
    func certificates(certificate: Certificate) async throws {
        try await TinyWebServer.with(certificate: try certificate.issue(), { _ in .bytes(webAnswer("200 OK", "safe")) })
        {
            server in
            try await WebClient.with(tls: try Certificates.identities()) { (client: WebClient) async throws in
                let result = try await client.result(get(server.port, host: "a.test", secure: true))
                switch certificate {
                case .good:
                    let answer = try result.get()
                    #expect(answer.text == "safe")
                    _ = try await client.result(get(server.port, host: "a.test", secure: true)).get()
                    #expect(server.connections == 1)
                case .otherName: #expect(result.failure == .tlsFailed("the peer's certificate is not for a.test"))
                case .otherAuthority:
                    guard case .tlsFailed(let reason)? = result.failure else {
                        Issue.record("an untrusted server was asked")
                        return
                    }
                    #expect(reason.hasPrefix("the peer's certificate is not trusted"))
                }
                #expect(server.requests.isEmpty == (certificate != .good))
            }
        }
    }

    @Test("an https request to a server without TLS fails in the handshake")
    func noTLS() async throws {
        try await TinyWebServer.with({ _ in .bytes(webAnswer()) }) { server in
            try await WebClient.with { (client: WebClient) async throws in
                guard
                    case .tlsFailed? = try await client.result(get(server.port, host: "a.test", secure: true)).failure
                else {
                    Issue.record("plain HTTP passed for https")
                    return
                }
            }
        }
    }

    @Test("a redirect is an answer, unless it is to be followed")
    func redirects() async throws {
        try await TinyWebServer.with({ request in
            switch request.target {
            case "/a/1": .bytes(webAnswer("302 Found", "moved", fields: ["Location: ../b?x=1"]))
            case "/b?x=1": .bytes(webAnswer("301 Moved", fields: ["Location: /c"]))
            default: .bytes(webAnswer("200 OK", "here"))
            }
        }) { server in
            try await WebClient.with { (client: WebClient) async throws in
                let kept = try await client.result(get(server.port, "/a/1")).get()
                #expect(kept.status == 302 && kept.text == "moved")
                var request = get(server.port, "/a/1")
                request.redirectsMax = 2
                let answer = try await client.result(request).get()
                #expect(answer.text == "here")
                #expect(answer.url == "http://127.0.0.1:\(server.port)/c")
                #expect(server.connections == 1)
                request.redirectsMax = 1
                guard case .badRedirect? = try await client.result(request).failure else {
                    Issue.record("one redirect too many was followed")
                    return
                }
            }
        }
    }

    @Test("a redirect of a POST becomes a GET at 302 and 303, and stays one at 307", arguments: [302, 303, 307])
    func methods(status: Int) async throws {
        try await TinyWebServer.with({ request in
            request.target == "/"
                ? .bytes(webAnswer("\(status) Go", fields: ["Location: /there"])) : .bytes(webAnswer())
        }) { server in
            try await WebClient.with { (client: WebClient) async throws in
                var request = get(server.port)
                request.method = "POST"
                request.fields = [HTTPField("Content-Type", "text/xml"), HTTPField("Cookie", "k")]
                request.body = [65]
                request.redirectsMax = 1
                _ = try await client.result(request).get()
                let seen = server.requests[1]
                #expect(seen.method == (status == 307 ? "POST" : "GET"))
                #expect(seen.body == (status == 307 ? "A" : ""))
                #expect(seen.fields.contains("Content-Type: text/xml") == (status == 307))
                #expect(seen.fields.contains("Cookie: k"))
            }
        }
    }

    @Test("a redirect to another origin takes neither cookies nor passwords along")
    func foreignRedirect() async throws {
        try await TinyWebServer.with({ _ in .bytes(webAnswer()) }) { other in
            let port = other.port
            try await TinyWebServer.with({ _ in
                .bytes(webAnswer("307 Go", fields: ["Location: http://b.test:\(port)/x"]))
            }) { server in
                try await WebClient.with { (client: WebClient) async throws in
                    var request = get(server.port, host: "a.test")
                    request.fields = [HTTPField("cookie", "k"), HTTPField("Authorization", "p"), HTTPField("X", "y")]
                    request.redirectsMax = 1
                    _ = try await client.result(request).get()
                    #expect(other.requests[0].fields == ["Host: b.test:\(port)", "X: y"])
                }
            }
        }
    }

    @Test("a redirect from https to http, or to what is no URL, is not followed")
    func badRedirects() async throws {
        let certificate = try Certificates.leaf(by: try Certificates.trusted.get())
        try await TinyWebServer.with(
            certificate: certificate,
            { request in
                .bytes(
                    webAnswer("302 Go", fields: ["Location: \(request.target == "/" ? "http://a.test/" : "ftp://x/")"])
                )
            }
        ) { server in
            try await WebClient.with(tls: try Certificates.identities()) { (client: WebClient) async throws in
                for path in ["/", "/ftp"] {
                    var request = get(server.port, path, host: "a.test", secure: true)
                    request.redirectsMax = 5
                    guard case .badRedirect? = try await client.result(request).failure else {
                        Issue.record("\(path) was followed")
                        continue
                    }
                }
            }
        }
    }
}
