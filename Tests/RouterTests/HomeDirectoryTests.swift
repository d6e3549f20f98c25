import Directory
import HostServices
import IMModel
import ProviderKit
import Spool
import Testing

@testable import Router

/// Contacts and presence between home users and a network, through a whole router.
@Suite("Contacts and presence", .timeLimit(.minutes(1)))
struct HomeDirectoryTests {
    private let alice: Address
    private let ann: Address
    private let bob: Address

    init() throws {
        alice = try #require(Address("alice@home.example"))
        ann = try #require(Address("ann@home.example"))
        bob = try #require(Address("bob@partner.example"))
    }

    private func network() -> Script { Script("net", claims: ["partner.example"]) }

    private func setup() -> Setup {
        var setup = Setup(isObserved: false)
        setup.limits.linkWatchInterval = .milliseconds(5)
        setup.presenceGrace = "0s"
        return setup
    }

    private func step(_ action: Subscription.Action, id: String, from: Address? = nil) -> Envelope {
        Envelope(from: from ?? bob, to: alice, id: id, content: .subscription(Subscription(action)))
    }

    private func presence(_ availability: Presence.Availability, _ status: String = "") -> Envelope {
        var envelope = Envelope(from: bob, to: alice, content: .presence(Presence(availability, status: status)))
        envelope.fromDevice = "phone"
        return envelope
    }

    /// `request`, `away here` and the like.
    private static func words(_ envelope: Envelope) -> String {
        switch envelope.content {
        case .subscription(let subscription): "\(subscription.action)"
        case .presence(let presence): "\(presence.availability) \(presence.status)"
        case .message, .receipt, .typing, .contact, .call, .failure: envelope.kindName
        }
    }

    /// Waits until the network was given something that reads so.
    @discardableResult
    private func taken(_ words: String, by net: Script) async throws -> Envelope {
        try await net.taken.first { Self.words($0) == words }
    }

    /// Leads alice and bob to `both`.
    private func befriend(_ rig: Rig, _ net: Script) async throws {
        let asked = try await rig.router.change(
            bob,
            of: alice,
            .add(name: "Bob", groups: ["Work"], asks: true)
        )
        #expect(asked.refusal == nil)
        #expect(asked.contact?.state == .nonePendingOut)
        #expect(try await taken("request", by: net).from == alice)
        try await rig.send([step(.accept, id: "a1"), step(.request, id: "r1")], by: net)
        let request = try await rig.inbox.first { $0.kind == "subscription" && $0.text == "request" }
        #expect(request.owner == alice.description)
        let approved = try await rig.router.change(bob, of: alice, .approve)
        #expect(approved.contact?.state == .both)
        try await taken("accept", by: net)
    }

    private func seen(_ rig: Rig) async throws -> Presence? {
        try await rig.router.contacts(of: alice).first { $0.contact.address == bob }?.presence
    }

    @Test("A handshake both ways, and presence both ways after it")
    func handshake() async throws {
        let net = network()
        try await Rig.with(setup(), [net]) { rig in
            try await rig.router.setPresence(Presence(.away, status: "lunch"), of: alice, device: "desk")
            // Nobody sees it yet.
            try await befriend(rig, net)
            let told = try await taken("away lunch", by: net)
            #expect(told.fromDevice == "desk")
            #expect(told.to == bob)
            #expect(net.taken.all.map(Self.words) == ["request", "probe", "accept", "away lunch"])
            try await rig.router.setPresence(Presence(.busy, status: "meeting"), of: alice, device: "desk")
            try await taken("busy meeting", by: net)
            try await rig.send([presence(.available, "here")], by: net)
            _ = try await rig.inbox.first { $0.kind == "presence" && $0.text == "available" }
            #expect(try await seen(rig)?.status == "here")
            let contact = try await rig.router.contacts(of: alice).first?.contact
            #expect(contact?.name == "Bob")
            #expect(contact?.groups == ["Work"])
            #expect(rig.router.directory.contacts.index.hasAdded(owner: alice, contact: bob))
            #expect(try rig.router.directory.contacts.outgoing().isEmpty)
        }
    }

    @Test("Two home users come to see each other, through the router like anybody")
    func homeToHome() async throws {
        try await Rig.with(setup()) { rig in
            try await rig.router.setPresence(Presence(.available, status: "hi"), of: ann, device: "home")
            _ = try await rig.router.change(ann, of: alice, .add(name: nil, groups: nil, asks: true))
            _ = try await rig.inbox.first { $0.owner == ann.description && $0.text == "request" }
            #expect(try await rig.router.users(ann).first?.requests == 1)
            #expect(try await rig.router.change(alice, of: ann, .approve).contact?.state == .from)
            _ = try await rig.inbox.first { $0.owner == alice.description && $0.kind == "presence" }
            let report = try await rig.router.contacts(of: alice).first
            #expect(report?.contact.state == .to)
            #expect(report?.presence?.status == "hi")
        }
    }

    @Test("Who sees a user is answered when they ask, and a stranger is told that they may not")
    func probes() async throws {
        let net = network()
        try await Rig.with(setup(), [net]) { rig in
            try await rig.send([step(.probe, id: "p0")], by: net)
            #expect(try await taken("refuse", by: net).to == bob)
            // One whose request waits is not refused by asking.
            try await rig.send([step(.request, id: "r1")], by: net)
            _ = try await rig.inbox.first { $0.text == "request" }
            let after = Envelope(from: bob, to: alice, id: "m1", content: .message(Message(text: "after the probe")))
            try await rig.send([step(.probe, id: "p1"), after], by: net)
            _ = try await rig.inbox.first { $0.text == "after the probe" }
            #expect(try await rig.router.change(bob, of: alice, .approve).contact?.state == .from)
            try await taken("offline ", by: net)
            try await rig.router.setPresence(Presence(.chatty, status: "talk"), of: alice, device: "desk")
            try await taken("chatty talk", by: net)
            let before = net.taken.all.count
            try await rig.send([step(.probe, id: "p2")], by: net)
            let all = try await net.taken.wait(for: before + 1)
            #expect(all.map(Self.words) == ["refuse", "accept", "offline ", "chatty talk", "chatty talk"])
        }
    }

    @Test("Presence is unknown, and not offline, when the link is lost; it is asked for when the link is back")
    func linkLoss() async throws {
        let net = network()
        try await Rig.with(setup(), [net]) { rig in
            try await befriend(rig, net)
            try await rig.send([presence(.available, "here")], by: net)
            _ = try await rig.inbox.first { $0.kind == "presence" && $0.text == "available" }
            try await rig.on(net) {
                $0.script.links = [LinkReport(name: "partner.example", state: .backingOff, detail: "")]
            }
            let unknown = try await rig.inbox.first { $0.kind == "presence" && $0.text == "unknown" }
            #expect(unknown.owner == alice.description)
            #expect(unknown.from == bob.description)
            #expect(try await seen(rig)?.availability == .unknown)
            try await rig.on(net) { $0.script.links = [LinkReport(name: "partner.example", state: .up, detail: "")] }
            try await taken("probe", by: net)
            try await rig.send([presence(.away, "back")], by: net)
            _ = try await rig.inbox.first { $0.kind == "presence" && $0.text == "away" }
            #expect(try await seen(rig)?.status == "back")
        }
    }

    @Test("A lost link changes nothing within the grace period")
    func grace() async throws {
        let net = network()
        var setup = setup()
        setup.presenceGrace = "1h"
        try await Rig.with(setup, [net]) { rig in
            try await befriend(rig, net)
            try await rig.send([presence(.available, "here")], by: net)
            _ = try await rig.inbox.first { $0.kind == "presence" && $0.text == "available" }
            try await rig.on(net) {
                $0.script.links = [LinkReport(name: "partner.example", state: .backingOff, detail: "")]
            }
            let home = try #require(rig.router.core.runtimes.first { $0.name == "home" })
            while try await home.context.worker.call({ [home = rig.router.home] in
                home.provider?.book.isLost("partner.example") != true
            }) {
                await Task.yield()
            }
            #expect(try await seen(rig)?.availability == .available)
        }
    }

    @Test("Presence is unknown when the provider is stopped")
    func providerStops() async throws {
        let net = network()
        try await Rig.with(setup(), [net]) { rig in
            try await befriend(rig, net)
            try await rig.send([presence(.available)], by: net)
            _ = try await rig.inbox.first { $0.kind == "presence" && $0.text == "available" }
            let runtime = try #require(rig.router.core.runtimes.first { $0.name == "net" })
            // What it serves is known from when it was seen running.
            try await net.linksAsked.wait(for: 1)
            await rig.router.stopProvider(runtime, because: "a test")
            _ = try await rig.inbox.first { $0.kind == "presence" && $0.text == "unknown" }
            #expect(try await seen(rig)?.availability == .unknown)
        }
    }

    @Test("A removal takes back what each sees of the other")
    func removal() async throws {
        let net = network()
        try await Rig.with(setup(), [net]) { rig in
            try await befriend(rig, net)
            try await rig.router.setPresence(Presence(.available), of: alice, device: "desk")
            try await taken("available ", by: net)
            let removed = try await rig.router.change(bob, of: alice, .remove)
            #expect(removed.contact == nil)
            // Presence is not stored on its way, so it may overtake the steps.
            for word in ["probe", "cancel", "refuse"] { try await taken(word, by: net) }
            _ = try await net.taken.first { Self.words($0) == "offline " && $0.fromDevice == "desk" }
            let count = net.taken.all.count
            #expect(try await rig.router.contacts(of: alice).isEmpty)
            try await rig.router.setPresence(Presence(.busy), of: alice, device: "desk")
            // What is told now is told to nobody: a probe, which comes after it, is the next that bob hears.
            try await rig.send([step(.probe, id: "p1")], by: net)
            #expect(try await net.taken.wait(for: count + 1).map(Self.words).last == "refuse")
        }
    }

    @Test("A request that nobody can deliver is taken back, and the contact stays on the list")
    func noRoute() async throws {
        try await Rig.with(setup()) { rig in
            let nowhere = try #require(Address("carol@nowhere.example"))
            let report = try await rig.router.change(nowhere, of: alice, .add(name: "C", groups: nil, asks: true))
            #expect(report.refusal?.contains("nowhere.example") == true)
            #expect(report.contact?.state == SubscriptionState.none)
            #expect(report.contact?.isListed == true)
            #expect(try rig.router.directory.contacts.outgoing().isEmpty)
        }
    }

    @Test("A stranger past the limit of requests hears why")
    func tooManyRequests() async throws {
        let net = network()
        try await Rig.with(setup(), [net]) { rig in
            let requests = (0...100).map { number in
                step(.request, id: "r\(number)", from: Address("s\(number)@partner.example"))
            }
            try await rig.send(requests, by: net)
            let failure = try #require(try await net.taken.first { $0.failure != nil }.failure)
            #expect(failure.messageID == "r100")
            #expect(failure.failureClass == .policy)
            #expect(try await rig.router.contacts(of: alice).count == 100)
        }
    }

    @Test("Nobody who is not a home user has contacts or presence")
    func strangers() async throws {
        try await Rig.with(Setup(users: "[alice]")) { rig in
            await #expect(throws: HomeError.noUser(ann)) { try await rig.router.contacts(of: ann) }
            await #expect(throws: HomeError.noUser(ann)) {
                try await rig.router.setPresence(Presence(.away), of: ann, device: "d")
            }
            await #expect(throws: HomeError.noUser(bob)) {
                _ = try await rig.router.change(alice, of: bob, .add(name: nil, groups: nil, asks: false))
            }
            let users = try await rig.router.users()
            #expect(users.map(\.address) == [alice])
            await #expect(throws: HomeError.directory(.noRequest(bob, owner: alice))) {
                _ = try await rig.router.change(bob, of: alice, .deny)
            }
        }
    }

    @Test("Contacts and presence survive a restart, are told again, and contacts are asked how they are")
    func restart() async throws {
        let folder = try TemporaryFolder()
        let first = network()
        try await Rig.with(setup(), [first], in: folder) { rig in
            try await befriend(rig, first)
            try await rig.router.setPresence(Presence(.away, status: "lunch"), of: alice, device: "desk")
            try await taken("away lunch", by: first)
        }
        // Ends in a crash's place: a step that was stored and not handed in.
        do {
            let directory = try HomeDirectory(path: "\(folder.path)/state/directory.db", vault: nil)
            let carol = try #require(Address("carol@partner.example"))
            _ = try directory.contacts.send(.request, to: carol, from: alice)
            directory.close()
        }
        let second = network()
        try await Rig.with(setup(), [second], in: folder) { rig in
            #expect(try await rig.router.users(alice).first?.presence.status == "lunch")
            #expect(try await rig.router.contacts(of: alice).map(\.contact.state) == [.both, .nonePendingOut])
            try await taken("request", by: second)
            try await taken("probe", by: second)
            try await taken("away lunch", by: second)
        }
    }
}
