import Foundation
import Glibc
import NativeCalls
import PluginHost
import Testing

@Suite("Foreign libraries", .timeLimit(.minutes(1)))
struct ForeignSessionTests {
    let folder: TemporaryFolder
    let library: ForeignLibrary
    let events = EventLog()

    init() throws {
        folder = try TemporaryFolder()
        library = try FixtureLibrary.build(in: folder)
    }

    private func session(_ names: [String], _ manifest: ConnectorManifest? = nil) throws -> ForeignSession {
        let connector = try ForeignConnector(library, try manifest ?? FixtureLibrary.manifest())
        let accounts = names.enumerated().map { ForeignAccount(values: ["name": $1, "slot": "\($0 - 1)"]) }
        return ForeignSession(connector, accounts: accounts, name: "net") { [events] in events.append($0) }
    }

    private func letter(_ text: String, to: String = "echo", id: String = "m1") -> ForeignLetter {
        ForeignLetter(from: "a", fromAddress: "a@a", to: to, toAddress: "\(to)@net.example", text: text, id: id)
    }

    /// Calls a function of the library that is for tests alone.
    private func call(_ name: String, _ number: Int32 = 0) throws {
        let handle = try #require(dlopen(library.path, RTLD_NOW | RTLD_NOLOAD))
        let symbol = try #require(dlsym(handle, name))
        unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void).self)(number)
    }

    /// Ends a session, and waits for its thread.
    private func end(_ session: ForeignSession) async {
        session.stop()
        await events.wait(for: .ended)
    }

    @Test("Each account has a callback of its own, by which its messages are known")
    func closures() async throws {
        let session = try session(["north", "south"])
        session.start()
        await events.wait(for: .opened(account: 0), .opened(account: 1))
        #expect(session.deliver(letter("to the north", id: "n"), by: 0, job: 1))
        #expect(session.deliver(letter("to the south: ä\0ö", id: "s"), by: 1, job: 2))
        await events.wait(for: .settled(job: 1, .delivered), .settled(job: 2, .delivered))
        let arrivals = session.arrivals(10)
        #expect(arrivals.map(\.account) == [0, 1])
        // Numbers of accounts, the negative one too, and counted text with a zero in it.
        #expect(arrivals.map(\.from) == ["north/-1", "south/0"])
        #expect(arrivals.map(\.text) == ["to the north", "to the south: ä\0ö"])
        #expect(arrivals.map(\.id) == ["n", "s"])
        session.removeArrivals(2)
        #expect(session.arrivals(10) == [])
        await end(session)
    }

    @Test("A result means delivered, later or never, and the code is told")
    func results() async throws {
        let session = try session(["north"])
        session.start()
        await events.wait(for: .opened(account: 0))
        #expect(session.deliver(letter("x", to: "down"), by: 0, job: 1))
        #expect(session.deliver(letter("x", to: "nobody"), by: 0, job: 2))
        #expect(session.deliver(letter("x", to: "a\0b"), by: 0, job: 3))
        await events.wait(
            for: .settled(job: 1, .retry(reason: "net_send answered -2", code: "-2")),
            .settled(job: 2, .failed(reason: "net_send answered -1", code: "-1")),
            .settled(job: 3, .failed(reason: "the text holds a zero, which this network cannot carry", code: ""))
        )
        await end(session)
    }

    @Test("An account that is refused leaves the others alone, and can be tried again")
    func refusedAccount() async throws {
        let session = try session(["refused", "south"])
        session.start()
        await events.wait(
            for: .notOpened(account: 0, reason: "net_open answered 0"),
            .opened(account: 1)
        )
        #expect(session.deliver(letter("x"), by: 0, job: 1))
        await events.wait(for: .settled(job: 1, .retry(reason: "the account is not logged in", code: "")))
        session.open(0)
        await events.wait(for: .notOpened(account: 0, reason: "net_open answered 0"), times: 2)
        await end(session)
    }

    @Test("A value of an account that is no number where one is needed keeps it from being logged in")
    func badNumber() async throws {
        let connector = try ForeignConnector(library, try FixtureLibrary.manifest())
        let account = ForeignAccount(values: ["name": "x", "slot": "five"])
        let session = ForeignSession(connector, accounts: [account], name: "net") { [events] in events.append($0) }
        session.start()
        let reason = "the account's 'slot' must be a whole number that fits i32"
        await events.wait(for: .notOpened(account: 0, reason: reason))
        await end(session)
    }

    @Test("While a call blocks, as many messages wait as are allowed, and stopping waits for nobody")
    func blocking() async throws {
        let session = try session(["north"])
        session.start()
        await events.wait(for: .opened(account: 0))
        try call("net_block")
        #expect(session.deliver(letter("x", to: "nobody"), by: 0, job: 1))
        await events.wait(for: .settled(job: 1, .failed(reason: "net_send answered -1", code: "-1")))
        #expect(session.deliver(letter("x", to: "block"), by: 0, job: 2))
        // The thread takes one sooner or later; so one more than may wait finds room, and not one more.
        var taken: UInt64 = 0
        while taken <= UInt64(ForeignSession.jobsMax), session.deliver(letter("x"), by: 0, job: 10 + taken) {
            taken += 1
        }
        #expect((UInt64(ForeignSession.jobsMax) - 1...UInt64(ForeignSession.jobsMax)).contains(taken))
        session.stop()
        #expect(!session.hasEnded)
        #expect(!session.deliver(letter("late"), by: 0, job: 99))
        try call("net_unblock")
        await events.wait(for: .ended)
        // What waited was dropped, to be delivered after the next start.
        #expect(events.all.filter { if case .settled(job: 10..., _) = $0 { true } else { false } } == [])
    }

    @Test("A flood of callbacks waits for room, loses nothing, and keeps its order")
    func backPressure() async throws {
        let session = try session(["north"])
        session.start()
        await events.wait(for: .opened(account: 0))
        let count = 2000
        try call("net_flood", Int32(count))
        var texts: [String] = []
        var announcements = 0
        while texts.count < count {
            let arrivals = session.arrivals(.max)
            #expect(arrivals.count <= 256)
            texts += arrivals.map(\.text)
            session.removeArrivals(arrivals.count)
            guard arrivals.isEmpty else { continue }
            announcements += 1
            try Task.checkCancellation()
            await events.wait(for: .arrived, times: announcements)
        }
        #expect(texts == (0..<count).map { "\($0)" })
        await end(session)
    }

    @Test("A library that waits for room is let go by the end, and may call on for ever")
    func callbacksAfterStop() async throws {
        let session = try session(["north"])
        session.start()
        await events.wait(for: .opened(account: 0))
        try call("net_flood", 1000)
        await events.wait(for: .arrived)
        await end(session)
        #expect(session.arrivals(.max) == [])
        // On this thread, which would hang if it waited.
        try call("net_rubbish")
        try call("net_flood", 1000)
        #expect(session.arrivals(.max) == [])
    }

    @Test("Callbacks that make no message are counted and dropped")
    func rubbish() async throws {
        let session = try session(["north"])
        session.start()
        await events.wait(for: .opened(account: 0))
        try call("net_rubbish")
        #expect(session.takeUnusable() == 4)
        #expect(session.takeUnusable() == 0)
        #expect(session.arrivals(.max) == [])
        await end(session)
    }

    @Test("A text as long as is allowed arrives, a longer one is dropped")
    func textLimit() async throws {
        let session = try session(["north"])
        session.start()
        await events.wait(for: .opened(account: 0))
        let longest = String(repeating: "x", count: 500_000)
        #expect(session.deliver(letter(longest), by: 0, job: 1))
        #expect(session.deliver(letter(longest + "x"), by: 0, job: 2))
        await events.wait(for: .settled(job: 1, .delivered), .settled(job: 2, .delivered))
        #expect(session.arrivals(.max).map(\.text) == [longest])
        #expect(session.takeUnusable() == 1)
        await end(session)
    }

    @Test("A library that was replaced is not taken for the one that was loaded")
    func replaced() throws {
        let file = try folder.write("other.c", "void other(void) {}")
        let path = "\(folder.path)/libnet.so"
        try FileManager.default.removeItem(atPath: path)
        _ = try output(of: "cc", ["-shared", "-fPIC", "-o", path, file])
        let refusal = #expect(throws: PluginRefusal.self) { try ForeignLibrary(path: path, pin: nil) }
        #expect(refusal?.description.contains("restart the router, or give the new file another name") == true)
    }

    @Test("A function that the library lacks is named, with what it was to do")
    func missingFunction() throws {
        var manifest = try FixtureLibrary.manifest()
        manifest.close?.name = "net_clsoe"
        let error = #expect(throws: ForeignError.self) { try ForeignConnector(library, manifest) }
        #expect(error == .missingFunction(.close, name: "net_clsoe", path: library.path))
    }
}
