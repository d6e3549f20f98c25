import ProviderKit
import ProviderTestKit
import Testing
import XMPPComponent
import XMPPWire

/// How the contacts of a network come onto users' rosters.
@Suite struct RosterTests {
    private let added = ContactChange(
        .added,
        address: address("bob@aol.com"),
        name: "Bob",
        groups: ["Buddies", "Work"]
    )

    private func grant(_ world: GatewayWorld, version: Int, type: String = "both", from: String = "example.org") {
        world.server.say(
            "<message from='\(from)' to='aim.example.org'><privilege xmlns='urn:xmpp:privilege:\(version)'>"
                + "<perm access='message' type='outgoing'/><perm access='roster' type='\(type)'/></privilege></message>"
        )
    }

    /// The id of the roster's iq that came last.
    private func changeID(_ world: GatewayWorld) throws -> String {
        let iq = try #require(world.server.last.split(separator: "<iq ").last { $0.contains("jabber:iq:roster") })
        return String(try #require(iq.split(separator: " id='").last?.split(separator: "'").first))
    }

    @Test("Where the server grants it, a contact is on the roster without a question", arguments: [1, 2])
    func granted(version: Int) throws {
        let world = try GatewayWorld()
        self.grant(world, version: version)
        let delivery = world.deliver(.contact(self.added))
        #expect(
            world.server.last.contains(
                "type='set'><query xmlns='jabber:iq:roster'><item jid='bob@aim.example.org' name='Bob' subscription='both'>"
                    + "<group>Buddies</group><group>Work</group></item></query></iq>"
            )
        )
        #expect(!delivery.isDelivered)
        let id = try self.changeID(world)
        world.server.say("<iq from='alice@example.org' to='aim.example.org' type='result' id='\(id)'/>")
        #expect(delivery.isDelivered)
        #expect(!world.server.last.contains("type='subscribe'"))
        try world.simulation.finish()
    }

    @Test("Without leave, and where the server answers with an error, the user is asked")
    func asked() throws {
        let world = try GatewayWorld()
        let question = "<presence from='bob@aim.example.org' to='alice@example.org' id='m1' type='subscribe'>"
        #expect(world.deliver(.contact(self.added)).isDelivered)
        #expect(world.server.last.contains(question))
        #expect(world.server.last.contains(">Bob</nick>"))
        world.server.forget()
        self.grant(world, version: 1)
        let delivery = world.deliver(.contact(self.added))
        #expect(!world.server.last.contains(question))
        let id = try self.changeID(world)
        world.server.say(
            "<iq from='alice@example.org' to='aim.example.org' type='error' id='\(id)'><error type='cancel'>"
                + "<internal-server-error xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
        )
        #expect(world.server.last.contains(question))
        #expect(delivery.isDelivered)
        try world.simulation.finish()
    }

    @Test("Leave to read, leave from others, and leave of an earlier stream count for nothing")
    func notGranted() throws {
        let world = try GatewayWorld()
        self.grant(world, version: 2, type: "get")
        self.grant(world, version: 2, from: "evil.example")
        world.deliver(.contact(self.added))
        #expect(!world.server.last.contains("jabber:iq:roster"))
        self.grant(world, version: 2)
        world.server.connection?.reset()
        world.simulation.run(for: .seconds(10))
        world.deliver(.contact(self.added))
        #expect(world.server.heard.allSatisfy { !$0.contains("jabber:iq:roster") })
        try world.simulation.finish()
    }

    @Test("A contact is taken off the roster, or takes its leave")
    func removed() throws {
        let world = try GatewayWorld()
        let removed = ContactChange(.removed, address: address("bob@aol.com"))
        world.deliver(.contact(removed))
        #expect(world.server.last.contains("type='unsubscribed'"))
        self.grant(world, version: 2)
        world.deliver(.contact(removed))
        #expect(world.server.last.contains("<item jid='bob@aim.example.org' subscription='remove'/>"))
        let id = try self.changeID(world)
        world.server.say("<iq from='alice@example.org' to='aim.example.org' type='result' id='\(id)'/>")
        try world.simulation.finish()
    }

    @Test("An answer from anybody but the user's own server counts for nothing; without one the change is put off")
    func noAnswer() throws {
        let world = try GatewayWorld()
        self.grant(world, version: 2)
        let delivery = world.deliver(.contact(self.added))
        let id = try self.changeID(world)
        world.server.say("<iq from='mallory@example.org' to='aim.example.org' type='result' id='\(id)'/>")
        #expect(!delivery.isDelivered)
        world.simulation.run(for: .seconds(31))
        #expect(delivery.reason?.text.contains("did not answer") == true)
        world.server.connection?.reset()
        world.simulation.run(for: .seconds(120))
        #expect(delivery.isDelivered)
        try world.simulation.finish()
    }

    @Test(
        "Payloads survive writing and reading",
        arguments: [Privilege(roster: .both, version: 1), Privilege(roster: .get), Privilege(roster: .none)]
    )
    func privileges(_ privilege: Privilege) {
        #expect(Privilege(privilege.element) == privilege)
    }

    @Test("Changes of a roster survive writing and reading, and two items are no change")
    func changes() {
        for change in [
            RosterChange(jid("a@b"), name: "A", groups: ["x", "y"]), RosterChange(jid("a@b"), isRemoval: true),
        ] {
            #expect(RosterChange(change.element) == change)
            var twice = change.element
            twice.children += twice.children
            #expect(RosterChange(twice) == nil)
        }
    }
}
