import Foundation
import IMModel
import NIOConcurrencyHelpers
import Testing

@testable import Directory

/// A folder for one test, gone with it.
final class DirectoryFolder: Sendable {
    let path: String
    var file: String { "\(path)/directory.db" }

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "directory-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

func address(_ text: String) throws -> Address { try #require(Address(text)) }

@Suite("Contact lists", .timeLimit(.minutes(1)))
struct ContactStoreTests {
    private let folder: DirectoryFolder
    private let file: DirectoryFile
    private let alice: Address
    private let bob: Address

    init() throws {
        folder = try DirectoryFolder()
        file = try DirectoryFile(path: folder.file)
        alice = try address("alice@home.example")
        bob = try address("bob@partner.example")
    }

    private func store(_ change: (inout ContactLimits) -> Void = { _ in }) throws -> ContactStore {
        var limits = ContactLimits()
        change(&limits)
        return try ContactStore(file, limits: limits)
    }

    @Test("A contact comes back with name and groups, also from a file that was opened again")
    func roundTrip() throws {
        let store = try store()
        let outcome = try store.add(bob, to: alice, name: "Bob \u{1F600}", groups: ["Work", "Friends"])
        #expect(outcome.steps.isEmpty)
        #expect(outcome.outgoing.isEmpty)
        let contact = try #require(outcome.contact)
        #expect(contact.name == "Bob \u{1F600}")
        #expect(contact.groups == ["Friends", "Work"])
        #expect(contact.state == .none)
        #expect(contact.isListed)
        #expect(contact.version == 1)
        file.close()
        let again = try ContactStore(try DirectoryFile(path: folder.file))
        #expect(try again.contacts(of: alice) == [contact])
        #expect(try again.contact(bob, of: alice) == contact)
        #expect(try again.contact(alice, of: bob) == nil)
        #expect(again.index.hasAdded(owner: alice, contact: bob))
        #expect(!again.index.hasAdded(owner: bob, contact: alice))
        again.file.close()
    }

    @Test("Name and groups can be changed apart from each other")
    func edit() throws {
        let store = try store()
        _ = try store.add(bob, to: alice, name: "Bob", groups: ["Work"])
        #expect(try store.edit(bob, of: alice, name: "Robert").contact?.groups == ["Work"])
        let contact = try store.edit(bob, of: alice, groups: []).contact
        #expect(contact?.name == "Robert")
        #expect(contact?.groups == [])
        #expect(throws: DirectoryError.noContact(alice, owner: bob)) { try store.edit(alice, of: bob, name: "A") }
        #expect(throws: DirectoryError.oneself(bob)) { try store.add(bob, to: bob, name: "", groups: []) }
    }

    @Test("A change that changes nothing makes no new version")
    func idle() throws {
        let store = try store()
        _ = try store.add(bob, to: alice, name: "Bob", groups: ["b", "a"])
        _ = try store.add(bob, to: alice, name: "Bob", groups: ["a", "b"])
        #expect(try store.receive(Subscription(.accept), from: bob, to: alice).contact?.version == 1)
        #expect(try store.changes(of: alice, since: 0).version == 1)
    }

    // MARK: Limits

    @Test("Names and groups are taken up to their limits")
    func textLimits() throws {
        let store = try store()
        let name = String(repeating: "n", count: 1023)
        let groups = (0..<64).map { "group \($0)" }
        let long = String(repeating: "g", count: 1023)
        #expect(try store.add(bob, to: alice, name: name, groups: groups).contact?.groups.count == 64)
        #expect(try store.edit(bob, of: alice, groups: [long]).contact?.groups == [long])
        #expect(throws: DirectoryError.nameTooLong(bytes: 1024, limit: 1023)) {
            try store.add(bob, to: alice, name: name + "n", groups: [])
        }
        #expect(throws: DirectoryError.tooManyGroups(65, limit: 64)) {
            try store.edit(bob, of: alice, groups: groups + ["one more"])
        }
        #expect(throws: DirectoryError.badGroupName(bytes: 1024, limit: 1023)) {
            try store.edit(bob, of: alice, groups: [long + "g"])
        }
        #expect(throws: DirectoryError.badGroupName(bytes: 0, limit: 1023)) {
            try store.edit(bob, of: alice, groups: [""])
        }
        #expect(throws: DirectoryError.groupTwice("a")) { try store.edit(bob, of: alice, groups: ["a", "a"]) }
    }

    @Test("A list takes its last contact, and not one more; another list still has room")
    func contactLimit() throws {
        let store = try store { $0.contactsMax = 3 }
        for number in 1...3 { _ = try store.add(address("c\(number)@x.example"), to: alice, name: "", groups: []) }
        let full = DirectoryError.tooManyContacts(owner: alice, limit: 3)
        #expect(throws: full) { try store.add(bob, to: alice, name: "", groups: []) }
        #expect(throws: full) { try store.send(.request, to: bob, from: alice) }
        #expect(try store.outgoing().isEmpty)
        #expect(!store.index.hasAdded(owner: alice, contact: bob))
        #expect(try store.edit(address("c1@x.example"), of: alice, name: "still").contact?.name == "still")
        #expect(try store.add(alice, to: bob, name: "", groups: []).contact != nil)
        _ = try store.remove(address("c2@x.example"), from: alice)
        #expect(try store.add(bob, to: alice, name: "", groups: []).contact != nil)
        #expect(ContactLimits().contactsMax == 1000)
    }

    @Test("As many strangers as may wait do, and one more is refused")
    func requestLimit() throws {
        let store = try store { $0.requestsMax = 2 }
        for number in 1...2 {
            let outcome = try store.receive(Subscription(.request), from: address("s\(number)@x.example"), to: alice)
            #expect(outcome.isPassedOn)
        }
        #expect(throws: DirectoryError.tooManyRequests(owner: alice, limit: 2)) {
            try store.receive(Subscription(.request), from: bob, to: alice)
        }
        // One who is on the list is no stranger.
        _ = try store.add(bob, to: alice, name: "", groups: [])
        #expect(try store.receive(Subscription(.request), from: bob, to: alice).isPassedOn)
    }

    @Test("All lists together take their last entry, and not one more")
    func entryLimit() throws {
        let store = try store { $0.entriesMax = 2 }
        _ = try store.add(bob, to: alice, name: "", groups: [])
        _ = try store.receive(Subscription(.request), from: alice, to: bob)
        let carol = try address("carol@home.example")
        #expect(throws: DirectoryError.directoryFull(limit: 2)) {
            try store.add(bob, to: carol, name: "", groups: [])
        }
        // Those who ask and take it back leave nothing, but that the list was there.
        _ = try store.receive(Subscription(.cancel), from: alice, to: bob)
        #expect(throws: DirectoryError.directoryFull(limit: 2)) {
            try store.receive(Subscription(.request), from: bob, to: carol)
        }
        #expect(try store.add(carol, to: alice, name: "", groups: []).contact != nil)
    }

    // MARK: Versions

    @Test("Who knows a version hears what has changed since, and what is gone")
    func changes() throws {
        let store = try store()
        let carol = try address("carol@x.example")
        _ = try store.add(bob, to: alice, name: "Bob", groups: [])
        _ = try store.add(carol, to: alice, name: "Carol", groups: [])
        let first = try store.changes(of: alice, since: 0)
        #expect(first.version == 2)
        #expect(first.changed.map(\.address) == [bob, carol])
        _ = try store.remove(bob, from: alice)
        let second = try store.changes(of: alice, since: 2)
        #expect(second == ContactChanges(version: 3, isWhole: false, changed: [], removed: [bob]))
        #expect(try store.changes(of: alice, since: 3).changed.isEmpty)
        _ = try store.add(bob, to: alice, name: "Back", groups: [])
        let third = try store.changes(of: alice, since: 2)
        #expect(third.changed.map(\.name) == ["Back"])
        #expect(third.removed.isEmpty)
        // A version that this list never had.
        #expect(try store.changes(of: alice, since: 99).isWhole)
    }

    @Test("Past the removals that are remembered, the whole list comes")
    func forgottenRemovals() throws {
        let store = try store { $0.removalsMax = 2 }
        let people = try (1...3).map { try address("p\($0)@x.example") }
        for person in people { _ = try store.add(person, to: alice, name: "", groups: []) }
        for person in people.prefix(2) { _ = try store.remove(person, from: alice) }
        #expect(try store.changes(of: alice, since: 3).removed == Array(people.prefix(2)))
        _ = try store.remove(people[2], from: alice)
        #expect(try store.changes(of: alice, since: 3).isWhole)
        let since4 = try store.changes(of: alice, since: 4)
        #expect(!since4.isWhole)
        #expect(since4.removed == Array(people.suffix(2)))
    }

    // MARK: The handshake

    @Test("Steps change the state, and what is to be sent survives a crash until the router has it")
    func outgoing() throws {
        let store = try store()
        let asked = try store.send(.request, to: bob, from: alice)
        #expect(asked.contact?.state == .nonePendingOut)
        #expect(asked.outgoing.map(\.action) == [.request])
        file.close()
        let again = try ContactStore(try DirectoryFile(path: folder.file))
        let waiting = try again.outgoing()
        #expect(waiting == asked.outgoing)
        let granted = try again.receive(Subscription(.accept), from: bob, to: alice)
        #expect(granted.contact?.state == .to)
        #expect(granted.isPassedOn)
        #expect(again.index.entry(of: alice).watched == [bob])
        try again.forget(outgoing: waiting.map(\.number))
        #expect(try again.outgoing().isEmpty)
        again.file.close()
    }

    @Test("A stranger's request waits beside the list with its introduction, and an approval puts them on it")
    func request() throws {
        let store = try store()
        let asked = try store.receive(Subscription(.request, name: "Bob", text: "hello"), from: bob, to: alice)
        #expect(asked.contact?.introduction == "Bob: hello")
        #expect(asked.contact?.isListed == false)
        #expect(!store.index.hasAdded(owner: alice, contact: bob))
        let approved = try store.send(.accept, to: bob, from: alice)
        #expect(approved.contact?.state == .from)
        #expect(approved.contact?.isListed == true)
        #expect(approved.contact?.introduction == "")
        #expect(approved.outgoing.map(\.action) == [.accept])
        #expect(approved.notice == .current)
        #expect(store.index.entry(of: alice).watchers == [bob])
    }

    @Test("An introduction past its limit is cut between characters")
    func introduction() throws {
        let store = try store()
        for (count, kept) in [(1023, 1023), (1024, 1023)] {
            let from = try address("s\(count)@x.example")
            let text = String(repeating: "i", count: count)
            let asked = try store.receive(Subscription(.request, text: text), from: from, to: alice)
            #expect(asked.contact?.introduction.utf8.count == kept)
        }
        #expect("aé".prefix(utf8Count: 2) == "a")
        #expect("aé".prefix(utf8Count: 3) == "aé")
    }

    @Test("A refused stranger leaves nothing")
    func refused() throws {
        let store = try store()
        _ = try store.receive(Subscription(.request), from: bob, to: alice)
        let refused = try store.send(.refuse, to: bob, from: alice)
        #expect(refused.contact == nil)
        #expect(refused.outgoing.map(\.action) == [.refuse])
        #expect(try store.contacts(of: alice).isEmpty)
    }

    @Test(
        "A removal takes back what each sees of the other, and no more",
        arguments: [
            (SubscriptionState.none, [Subscription.Action]()), (.nonePendingOut, [.cancel]),
            (.nonePendingIn, [.refuse]),
            (.nonePendingOutIn, [.cancel, .refuse]), (.to, [.cancel]), (.toPendingIn, [.cancel, .refuse]),
            (.from, [.refuse]), (.fromPendingOut, [.cancel, .refuse]), (.both, [.cancel, .refuse]),
        ]
    )
    func remove(_ state: SubscriptionState, _ actions: [Subscription.Action]) throws {
        let store = try store()
        _ = try store.add(bob, to: alice, name: "", groups: [])
        if state.seesContact || state.isPendingOut { _ = try store.send(.request, to: bob, from: alice) }
        if state.seesContact { _ = try store.receive(Subscription(.accept), from: bob, to: alice) }
        if state.isSeenByContact || state.isPendingIn {
            _ = try store.receive(Subscription(.request), from: bob, to: alice)
        }
        if state.isSeenByContact { _ = try store.send(.accept, to: bob, from: alice) }
        #expect(try store.contact(bob, of: alice)?.state == state)
        let removed = try store.remove(bob, from: alice)
        #expect(removed.outgoing.map(\.action) == actions)
        #expect(removed.contact == nil)
        #expect(removed.notice == (state.isSeenByContact ? .unavailable : nil))
        #expect(try store.contact(bob, of: alice) == nil)
        #expect(store.index.entry(of: alice) == ContactIndex.Entry())
        #expect(throws: DirectoryError.noContact(bob, owner: alice)) { try store.remove(bob, from: alice) }
    }

    @Test("The index answers while lists change")
    func indexFromManyThreads() throws {
        let store = try store()
        let others = try (0..<20).map { try address("o\($0)@x.example") }
        let wrong = NIOLockedValueBox(0)
        _ = try store.add(bob, to: alice, name: "", groups: [])
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            for other in others {
                if thread == 0 { _ = try? store.add(other, to: alice, name: "", groups: []) }
                if !store.index.hasAdded(owner: alice, contact: bob) { wrong.withLockedValue { $0 += 1 } }
            }
        }
        #expect(wrong.withLockedValue { $0 } == 0)
        #expect(store.index.entry(of: alice).listed.count == 21)
    }

    @Test("A file that is none of ours is refused with its path")
    func foreignFile() throws {
        let path = "\(folder.path)/other.db"
        try Data(repeating: 7, count: 8192).write(to: URL(filePath: path))
        let error = #expect(throws: DirectoryError.self) { try DirectoryFile(path: path) }
        #expect(error?.description.contains(path) == true)
    }
}
