import Foundation
import NIOConcurrencyHelpers
import Testing

@testable import Directory

@Suite("Inbox", .timeLimit(.minutes(1)))
struct InboxTests {
    /// A folder for one test, gone with it.
    private final class Folder: Sendable {
        let path: String
        var inbox: String { "\(path)/inbox.db" }

        init() throws {
            let url = FileManager.default.temporaryDirectory.appending(path: "inbox-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
            path = url.path
        }

        deinit {
            try? FileManager.default.removeItem(atPath: path)
        }
    }

    private let folder: Folder

    init() throws {
        folder = try Folder()
    }

    private func item(_ text: String, to owner: String = "alice@home.example", key: [UInt8]? = nil) -> Inbox.Item {
        var item = Inbox.Item(
            owner: owner,
            from: "bob@partner.example",
            kind: "message",
            id: "id of \(text)",
            text: text,
            timestamp: 1_800_000_000_000
        )
        item.deliveryKey = key
        return item
    }

    private func append(_ items: [Inbox.Item], to inbox: Inbox) async -> Inbox.InboxError? {
        await withCheckedContinuation { continuation in
            inbox.append(items) { continuation.resume(returning: $0) }
        }
    }

    @Test("Items come back as they went in, in the order of their arrival")
    func order() async throws {
        let inbox = try Inbox(path: folder.inbox)
        #expect(await append(["1", "2"].map { item($0) }, to: inbox) == nil)
        #expect(await append([item("3", to: "ann@home.example")], to: inbox) == nil)
        let all = try inbox.items(of: nil, after: 0, limit: 10)
        #expect(all.map(\.text) == ["1", "2", "3"])
        #expect(all.map(\.sequence) == [1, 2, 3])
        var expected = item("1")
        expected.sequence = 1
        #expect(all.first == expected)
        #expect(try inbox.items(of: "alice@home.example", after: 0, limit: 10).map(\.text) == ["1", "2"])
        #expect(try inbox.items(of: "ann@home.example", after: 0, limit: 10).map(\.text) == ["3"])
        #expect(try inbox.items(of: "nobody@home.example", after: 0, limit: 10).isEmpty)
        #expect(try inbox.items(of: nil, after: 1, limit: 10).map(\.text) == ["2", "3"])
        inbox.close()
    }

    @Test(
        "A limit leaves the newest, oldest of them first",
        arguments: [
            (-1, []), (0, []), (1, ["5"]), (2, ["4", "5"]), (4, ["2", "3", "4", "5"]), (9, ["2", "3", "4", "5"]),
        ]
    )
    func limit(limit: Int, texts: [String]) async throws {
        let inbox = try Inbox(path: folder.inbox)
        #expect(await append((1...5).map { item("\($0)") }, to: inbox) == nil)
        #expect(try inbox.items(of: nil, after: 1, limit: limit).map(\.text) == texts)
        #expect(try inbox.items(of: "alice@home.example", after: 1, limit: limit).map(\.text) == texts)
        inbox.close()
    }

    @Test("One read returns the most it may, and no more")
    func readMax() async throws {
        let inbox = try Inbox(path: folder.inbox)
        let count = Inbox.readMax + 1
        #expect(await append((1...count).map { item("\($0)") }, to: inbox) == nil)
        let items = try inbox.items(of: nil, after: 0, limit: .max)
        #expect(items.count == Inbox.readMax)
        #expect(items.first?.text == "2")
        #expect(items.last?.text == "\(count)")
        inbox.close()
    }

    @Test("What was stored is there after the inbox is opened again, and the places go on")
    func reopen() async throws {
        let first = try Inbox(path: folder.inbox)
        #expect(await append([item("1")], to: first) == nil)
        first.close()
        let second = try Inbox(path: folder.inbox)
        #expect(await append([item("2")], to: second) == nil)
        #expect(try second.items(of: nil, after: 0, limit: 10).map(\.sequence) == [1, 2])
        second.close()
    }

    @Test("An item with a known key is stored and shown once, also after it is opened again")
    func deliveryKey() async throws {
        let shown = NIOLockedValueBox<[String]>([])
        for round in 1...2 {
            let inbox = try Inbox(path: folder.inbox)
            _ = inbox.follow { item in shown.withLockedValue { $0.append(item.text) } }
            let items = [item("a", key: [1]), item("b", key: [2]), item("a", key: [1]), item("free \(round)")]
            #expect(await append(items, to: inbox) == nil)
            inbox.close()
        }
        #expect(shown.withLockedValue { $0 } == ["a", "b", "free 1", "free 2"])
        let inbox = try Inbox(path: folder.inbox)
        let stored = try inbox.items(of: nil, after: 0, limit: 10)
        #expect(stored.map(\.text) == ["a", "b", "free 1", "free 2"])
        #expect(stored.allSatisfy { $0.deliveryKey == nil })
        inbox.close()
    }

    @Test("At the limit everything is kept; one past it the oldest is dropped")
    func itemsMax() async throws {
        let inbox = try Inbox(path: folder.inbox, itemsMax: 3)
        #expect(await append((1...3).map { item("\($0)") }, to: inbox) == nil)
        #expect(try inbox.items(of: nil, after: 0, limit: 10).map(\.text) == ["1", "2", "3"])
        #expect(await append([item("4")], to: inbox) == nil)
        #expect(try inbox.items(of: nil, after: 0, limit: 10).map(\.text) == ["2", "3", "4"])
        inbox.close()
    }

    @Test("Followers see what is stored and what is only shown, until they unfollow")
    func follow() async throws {
        let inbox = try Inbox(path: folder.inbox)
        let seen = NIOLockedValueBox<[String]>([])
        let follower = inbox.follow { item in seen.withLockedValue { $0.append("\(item.text) \(item.sequence)") } }
        let (shown, continuation) = AsyncStream.makeStream(of: Void.self)
        let other = inbox.follow { _ in continuation.yield() }
        #expect(await append([item("stored")], to: inbox) == nil)
        var iterator = shown.makeAsyncIterator()
        await iterator.next()
        inbox.show(item("shown"))
        inbox.unfollow(follower)
        inbox.show(item("unseen"))
        inbox.unfollow(other)
        #expect(seen.withLockedValue { $0 } == ["stored 1", "shown 0"])
        #expect(try inbox.items(of: nil, after: 0, limit: 10).map(\.text) == ["stored"])
        inbox.close()
    }

    @Test("Thousands of appends from many threads are all stored, each thread's in order")
    func concurrent() async throws {
        let inbox = try Inbox(path: folder.inbox)
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<4 {
                group.addTask {
                    for index in 0..<250 {
                        #expect(await append([item("\(index)", to: "user\(thread)@home.example")], to: inbox) == nil)
                    }
                }
            }
        }
        for thread in 0..<4 {
            let texts = try inbox.items(of: "user\(thread)@home.example", after: 0, limit: 1000).map(\.text)
            #expect(texts == (0..<250).map { "\($0)" })
        }
        inbox.close()
    }

    @Test("What is handed in after the end is not stored, and its giver is told")
    func closed() async throws {
        let inbox = try Inbox(path: folder.inbox)
        inbox.close()
        let error = try #require(await append([item("late")], to: inbox))
        #expect(error.path == folder.inbox)
        #expect(throws: Inbox.InboxError.self) { try inbox.items(of: nil, after: 0, limit: 10) }
    }

    @Test("Only its owner can read its files")
    func modes() async throws {
        let inbox = try Inbox(path: folder.inbox)
        #expect(await append([item("secret")], to: inbox) == nil)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder.path)/\(name)")
            #expect(attributes[.posixPermissions] as? Int == 0o600, "\(name)")
        }
        inbox.close()
    }

    @Test("A path where no file can be is refused with the reason")
    func cannotOpen() {
        let path = "\(folder.path)/missing/inbox.db"
        let error = #expect(throws: Inbox.InboxError.self) { try Inbox(path: path) }
        #expect(
            error?.description == "the inbox \(path) cannot be used: No such file or directory; "
                + "check the file and its folder, or move it away"
        )
    }
}
