import HostServices
import NIOCore
import Testing

@Suite("DNS", .timeLimit(.minutes(1)))
struct ResolverTests {
    private func answer(
        _ question: DNSQuestion,
        _ replies: [String: TinyDNS.Reply],
        timeoutMs: Int32 = 2000,
        answersMax: Int = 32
    ) async throws -> Result<DNSAnswer, ResolveError> {
        let dns = try await TinyDNS(replies)
        let options = ResolverOptions(
            servers: [dns.server],
            hosts: ["static.test": ["192.0.2.7", "2001:db8::7"]],
            hostsFile: nil,
            timeoutMs: timeoutMs,
            triesMax: 1,
            answersMax: answersMax
        )
        let worker = Worker(index: 0, name: "test")
        let resolver = try Resolver(options)
        let promise = worker.eventLoop.makePromise(of: Result<DNSAnswer, ResolveError>.self)
        resolver.resolve(question, on: worker.eventLoop) { promise.succeed($0) }
        let result = try await promise.futureResult.get()
        resolver.shutdown()
        try await worker.shutdown()
        try await dns.stop()
        return result
    }

    @Test("the addresses of a host are its IPv6 and IPv4 ones by turns")
    func addresses() async throws {
        let six: [UInt8] = [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]
        let result = try await answer(
            .addresses("Host.test."),
            ["host.test": .records([.a([192, 0, 2, 1]), .a([192, 0, 2, 2]), .aaaa(six)])]
        )
        guard case .success(.addresses(let addresses)) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(addresses[0] == .v6("2001:db8::1"))
        #expect(Set(addresses[1...]) == [.v4("192.0.2.1"), .v4("192.0.2.2")])
    }

    @Test("a host with IPv4 alone has an address")
    func onlyFour() async throws {
        let result = try await answer(.addresses("four.test"), ["four.test": .records([.a([192, 0, 2, 1])])])
        #expect(result == .success(.addresses([.v4("192.0.2.1")])))
    }

    @Test(
        "static hosts, addresses and localhost need no server",
        arguments: [
            ("static.test", [IPAddress.v4("192.0.2.7"), .v6("2001:db8::7")]),
            ("STATIC.test.", [.v4("192.0.2.7"), .v6("2001:db8::7")]),
            ("192.0.2.9", [.v4("192.0.2.9")]),
            ("::1", [.v6("::1")]),
            ("localhost", [.v4("127.0.0.1"), .v6("::1")]),
        ]
    )
    func known(host: String, expected: [IPAddress]) async throws {
        #expect(try await answer(.addresses(host), [:]) == .success(.addresses(expected)))
    }

    @Test("SRV records come in the order of their priorities; targets that are no names are left out")
    func services() async throws {
        let result = try await answer(
            .services("_xmpp-server._tcp.example.test"),
            [
                "_xmpp-server._tcp.example.test": .records([
                    .srv(priority: 20, weight: 0, port: 5270, target: "backup.test"),
                    .srv(priority: 10, weight: 5, port: 5269, target: "Main.test"),
                    .srv(priority: 5, weight: 5, port: 1, target: "bad name.test"),
                ])
            ]
        )
        #expect(
            result
                == .success(
                    .services([
                        ServiceRecord(priority: 10, weight: 5, port: 5269, target: "main.test"),
                        ServiceRecord(priority: 20, weight: 0, port: 5270, target: "backup.test"),
                    ])
                )
        )
    }

    @Test("a service that is decidedly not offered has an empty target")
    func notOffered() async throws {
        let records = [TinyDNS.Record.srv(priority: 0, weight: 0, port: 0, target: "")]
        let result = try await answer(.services("_s._tcp.test"), ["_s._tcp.test": .records(records)])
        #expect(result == .success(.services([ServiceRecord(priority: 0, weight: 0, port: 0, target: "")])))
    }

    @Test("the strings of a TXT record are joined, the records are not")
    func texts() async throws {
        let result = try await answer(
            .texts("_xmppconnect.test"),
            ["_xmppconnect.test": .records([.txt(["ab", "cd"]), .txt(["ef"])])]
        )
        guard case .success(.texts(let texts)) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(Set(texts.map { String(decoding: $0, as: UTF8.self) }) == ["abcd", "ef"])
    }

    @Test("answers are cut at the limit")
    func limit() async throws {
        let records = (0..<5).map { TinyDNS.Record.a([192, 0, 2, $0]) }
        for (limit, expected) in [(5, 5), (4, 4)] {
            let result = try await answer(
                .addresses("many.test"),
                ["many.test": .records(records)],
                answersMax: limit
            )
            guard case .success(.addresses(let addresses)) = result else {
                Issue.record("\(result)")
                return
            }
            #expect(addresses.count == expected)
        }
    }

    @Test("a name that does not exist, or has no such record, is not found")
    func notFound() async throws {
        #expect(try await answer(.addresses("no.test"), [:]) == .failure(.notFound))
        #expect(try await answer(.services("_s._tcp.no.test"), [:]) == .failure(.notFound))
        #expect(try await answer(.texts("empty.test"), ["empty.test": .records([])]) == .failure(.notFound))
    }

    @Test("a server that fails or says nothing is a temporary matter")
    func temporary() async throws {
        for reply in [TinyDNS.Reply.code(2), .silence] {
            let result = try await answer(.addresses("ill.test"), ["ill.test": reply], timeoutMs: 50)
            guard case .failure(.temporary) = result else {
                Issue.record("\(result)")
                return
            }
        }
    }

    @Test("an answer that makes no sense is an error, not a crash")
    func garbage() async throws {
        for question in [DNSQuestion.addresses("g.test"), .services("g.test"), .texts("g.test")] {
            guard case .failure = try await answer(question, ["g.test": .garbage], timeoutMs: 50) else {
                Issue.record("\(question) was answered")
                return
            }
        }
    }

    @Test("what is not a name is refused without asking", arguments: ["", ".", "a..b", "a b", "ü.test", "-\u{0}"])
    func invalid(name: String) async throws {
        #expect(try await answer(.services(name), [:]) == .failure(.invalidName))
    }

    @Test("questions that are open when the resolver stops fail as cancelled, and so do later ones")
    func shutdown() async throws {
        let dns = try await TinyDNS(["slow.test": .silence])
        let worker = Worker(index: 0, name: "test")
        let resolver = try Resolver(ResolverOptions(servers: [dns.server], hostsFile: nil, timeoutMs: 60_000))
        let promises = (0..<2).map { _ in worker.eventLoop.makePromise(of: Result<DNSAnswer, ResolveError>.self) }
        resolver.resolve(.texts("slow.test"), on: worker.eventLoop) { promises[0].succeed($0) }
        resolver.shutdown()
        resolver.resolve(.texts("slow.test"), on: worker.eventLoop) { promises[1].succeed($0) }
        for promise in promises { #expect(try await promise.futureResult.get() == .failure(.cancelled)) }
        try await worker.shutdown()
        try await dns.stop()
    }

    @Test("bad settings are refused with a reason")
    func settings() {
        #expect(throws: ResolverError.invalidServers(["nonsense:x"])) {
            try Resolver(ResolverOptions(servers: ["nonsense:x"]))
        }
        #expect(throws: ResolverError.invalidHost(name: "a.test", address: "b.test")) {
            try Resolver(ResolverOptions(hosts: ["a.test": ["b.test"]]))
        }
        #expect(throws: ResolverError.invalidHost(name: "a b", address: "")) {
            try Resolver(ResolverOptions(hosts: ["a b": ["::1"]]))
        }
    }
}

@Suite("The order of SRV records")
struct ServiceRecordOrderTests {
    private struct Fixed: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state
        }
    }

    @Test("lower priorities come first, whatever the weights")
    func priorities() {
        var generator = Fixed(state: 1)
        let records = [30, 10, 20].map { ServiceRecord(priority: $0, weight: $0, port: $0, target: "t") }
        let ordered = ServiceRecord.ordered(records, using: &generator)
        #expect(ordered.map(\.priority) == [10, 20, 30])
    }

    @Test("among equals, weight decides how often one is first")
    func weights() {
        var generator = Fixed(state: 2)
        let records = [(60, 1), (20, 2), (0, 3)].map { weight, port in
            ServiceRecord(priority: 0, weight: UInt16(weight), port: UInt16(port), target: "t")
        }
        var firsts: [UInt16: Int] = [:]
        for _ in 0..<4000 {
            let ordered = ServiceRecord.ordered(records, using: &generator)
            #expect(Set(ordered.map(\.port)) == [1, 2, 3])
            firsts[ordered[0].port, default: 0] += 1
        }
        #expect((2700...3300).contains(firsts[1] ?? 0))
        #expect((750...1250).contains(firsts[2] ?? 0))
        #expect((1...150).contains(firsts[3] ?? 0))
    }

    @Test("no records are no records")
    func empty() {
        var generator = Fixed(state: 3)
        #expect(ServiceRecord.ordered([], using: &generator) == [])
    }
}
