import Glibc
import NativeCalls
import PluginHost
import Testing

@Suite("Foreign libraries that are polled, and what their callbacks leave behind", .timeLimit(.minutes(1)))
struct ForeignPollingTests {
    let folder: TemporaryFolder
    let library: ForeignLibrary
    let events = EventLog()

    init() throws {
        folder = try TemporaryFolder()
        library = try FixtureLibrary.build(in: folder)
    }

    private func session(_ manifest: ConnectorManifest, _ names: [String] = ["north"]) throws -> ForeignSession {
        let connector = try ForeignConnector(library, manifest)
        let accounts = names.map { ForeignAccount(values: ["name": $0, "slot": "1"]) }
        return ForeignSession(connector, accounts: accounts, name: "net") { [events] in events.append($0) }
    }

    private func letter(_ text: String, to: String = "south", id: String = "m1") -> ForeignLetter {
        ForeignLetter(from: "a", fromAddress: "a@a", to: to, toAddress: "\(to)@net.example", text: text, id: id)
    }

    /// Puts a message into the network, past the session: as if it came from elsewhere.
    private func put(_ text: String, to: String = "south", id: String = "m1", times: Int = 1) throws {
        let handle = try #require(dlopen(library.path, RTLD_NOW | RTLD_NOLOAD))
        let symbol = try #require(dlsym(handle, "net_put"))
        typealias Put =
            @convention(c) (OpaquePointer?, UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
        let put = unsafeBitCast(symbol, to: Put.self)
        for _ in 0..<times { _ = put(nil, to, text, id) }
    }

    private func call(_ name: String, _ number: Int32) throws {
        let handle = try #require(dlopen(library.path, RTLD_NOW | RTLD_NOLOAD))
        let symbol = try #require(dlsym(handle, name))
        unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void).self)(number)
    }

    private func end(_ session: ForeignSession) async {
        session.stop()
        await events.wait(for: .ended)
    }

    /// The texts that have come, once there are so many.
    private func arrivals(_ count: Int, of session: ForeignSession) async throws -> [ForeignArrival] {
        var all: [ForeignArrival] = []
        var announcements = 0
        while all.count < count {
            let arrivals = session.arrivals(.max)
            all += arrivals
            session.removeArrivals(arrivals.count)
            guard arrivals.isEmpty else { continue }
            announcements += 1
            try Task.checkCancellation()
            await events.wait(for: .arrived, times: announcements)
        }
        return all
    }

    @Test("A library without a callback is asked, and what it writes is a message")
    func polled() async throws {
        let session = try session(FixtureLibrary.polled())
        session.start()
        await events.wait(for: .opened(account: 0))
        #expect(session.deliver(letter("hello", id: "n1"), by: 0, job: 1))
        let arrival = try #require(try await arrivals(1, of: session).first)
        #expect(arrival.from == "north")
        #expect(arrival.to == "south")
        #expect(arrival.text == "hello")
        #expect(arrival.id == "n1")
        await events.wait(for: .settled(job: 1, .delivered))
        #expect(session.closureCount == 0)
        await end(session)
    }

    @Test("A library that calls back while it is asked is asked, too")
    func pumped() async throws {
        let session = try session(FixtureLibrary.pumped())
        session.start()
        await events.wait(for: .opened(account: 0))
        try put("pumped", to: "robot")
        #expect(try await arrivals(1, of: session).map(\.text) == ["pumped"])
        await end(session)
    }

    @Test("Far more than waits is fetched in order, and what is to be sent comes between")
    func flood() async throws {
        let session = try session(FixtureLibrary.polled())
        for number in 0..<1000 { try put("\(number)") }
        session.start()
        await events.wait(for: .opened(account: 0))
        #expect(session.deliver(letter("last"), by: 0, job: 1))
        // Nobody takes what has come, and yet the message is sent.
        await events.wait(for: .settled(job: 1, .delivered))
        #expect(session.arrivals(.max).count <= 256)
        let texts = try await arrivals(1001, of: session).map(\.text)
        #expect(texts == (0..<1000).map { "\($0)" } + ["last"])
        await end(session)
    }

    @Test("A library that always has something keeps neither messages from being sent nor the session from ending")
    func endless() async throws {
        let session = try session(FixtureLibrary.polled())
        try put("again and again", to: "flood")
        session.start()
        #expect(try await arrivals(1000, of: session).count >= 1000)
        #expect(session.deliver(letter("x"), by: 0, job: 1))
        await events.wait(for: .settled(job: 1, .delivered))
        await end(session)
    }

    @Test("What makes no message is counted and dropped, a text without an end as well")
    func rubbish() async throws {
        let session = try session(FixtureLibrary.polled())
        for name in ["endless", "empty"] { try put("x", to: name) }
        try put("good")
        session.start()
        #expect(try await arrivals(1, of: session).map(\.text) == ["good"])
        #expect(session.takeUnusable() == 2)
        await end(session)
    }

    @Test("An account whose poll fails is logged out, with the reason, and the others are asked on")
    func failure() async throws {
        let session = try session(FixtureLibrary.polled(), ["north", "south"])
        try call("net_fail", 1)
        session.start()
        await events.wait(for: .notOpened(account: 0, reason: "net_next answered -7"))
        try put("for the other one")
        #expect(try await arrivals(1, of: session).map(\.account) == [1])
        #expect(session.deliver(letter("x"), by: 0, job: 1))
        await events.wait(for: .settled(job: 1, .retry(reason: "the account is not logged in", code: "")))
        session.open(0)
        await events.wait(for: .opened(account: 0), times: 2)
        await end(session)
    }

    // MARK: Callbacks

    @Test(
        "Callbacks are freed when the library promises to call no more, and only then",
        arguments: CallbackEnd.allCases
    )
    func freed(until: CallbackEnd) async throws {
        var manifest = try FixtureLibrary.manifest()
        manifest.callback?.until = until
        let session = try session(manifest, ["north", "south", "west"])
        session.start()
        await events.wait(for: .opened(account: 0), .opened(account: 1), .opened(account: 2))
        #expect(session.closureCount == 3)
        #expect(ForeignConnector.liveClosures >= 3)
        await end(session)
        #expect(session.closureCount == (until == .never ? 3 : 0))
    }

    @Test("An account that is logged in again has the callback that it had")
    func reused() async throws {
        var manifest = try FixtureLibrary.pumped()
        manifest.callback?.until = .close
        let session = try session(manifest)
        session.start()
        await events.wait(for: .opened(account: 0))
        session.open(0)
        session.open(0)
        try put("x", to: "robot")
        #expect(try await arrivals(1, of: session).count == 1)
        #expect(session.closureCount == 1)
        await end(session)
        #expect(session.closureCount == 0)
    }
}
