import ProviderKit
import ProviderTestKit
import Testing
import XMPPBridge

/// The organisation's XMPP server and a gateway on it, with the network on the other side of the router.
@Suite struct GatewayTests {
    @Test("A gateway is let in, and claims the home domain that is left to it")
    func established() throws {
        let world = try GatewayWorld()
        #expect(world.server.admitted == 1)
        #expect(world.router.claims == ["example.org"])
        let link = try #require(world.router.links.first)
        #expect(link.name == "aim.example.org")
        #expect(link.state == .up)
        try world.simulation.finish()
    }

    @Test("A provider that no home domain is left to does not start")
    func noDomain() throws {
        let simulation = Simulation(seed: 1)
        #expect {
            _ = try simulation.start(
                TestedPlugin(XMPPProvider.self),
                settings: GatewayWorld.settings,
                homeDomains: ["example.org"]
            )
        } throws: { "\($0)".contains("served_by") }
    }

    @Test("A message from the network reaches the user from the JID that stands for its author")
    func toUser() throws {
        let world = try GatewayWorld()
        var message = Message(text: "hello <alice>")
        message.wantsDelivered = true
        let delivery = world.deliver(.message(message), from: "o'brien@aol.com", device: "desk")
        #expect(delivery.isDelivered)
        let last = world.server.last
        #expect(
            last.contains("<message from='o\\27brien@aim.example.org/desk' to='alice@example.org' id='m1' type='chat'>")
        )
        #expect(last.contains("<body>hello &lt;alice&gt;</body>"))
        #expect(last.contains("<request xmlns='urn:xmpp:receipts'/>"))
        #expect(!last.contains("jabber:server"))
        try world.simulation.finish()
    }

    @Test("A user's message reaches the network from the user's own address")
    func fromUser() throws {
        let world = try GatewayWorld()
        world.server.say(
            "<message from='alice@example.org/phone' to='bob@aim.example.org' type='chat' id='m1'><body>hi</body>"
                + "<request xmlns='urn:xmpp:receipts'/></message>"
        )
        let envelope = try #require(world.router.submitted.first)
        #expect(envelope.from == address("alice@example.org"))
        #expect(envelope.fromDevice == "phone")
        #expect(envelope.to == address("bob@aol.com"))
        guard case .message(let message) = envelope.content else {
            Issue.record("it is a \(envelope.kindName)")
            return
        }
        #expect(message.text == "hi")
        #expect(message.wantsDelivered)
        try world.simulation.finish()
    }

    @Test("Receipts, typing and failures go both ways")
    func small() throws {
        let world = try GatewayWorld()
        world.deliver(.receipt(Receipt(.delivered, messageID: "x1")), id: "r1")
        world.deliver(.typing(.composing), id: "t1")
        world.deliver(.failure(Failure(.recipient, messageID: "x2", reason: "nobody there")), id: "f1")
        let last = world.server.last
        #expect(last.contains("<received xmlns='urn:xmpp:receipts' id='x1'/>"))
        #expect(last.contains("<composing xmlns='http://jabber.org/protocol/chatstates'/>"))
        #expect(last.contains("to='alice@example.org' id='x2' type='error'"))
        #expect(last.contains("nobody there"))
        world.server.say(
            "<message from='alice@example.org/p' to='bob@aim.example.org' type='chat'>"
                + "<received xmlns='urn:xmpp:receipts' id='y1'/></message>"
                + "<message from='alice@example.org/p' to='bob@aim.example.org' type='chat'>"
                + "<paused xmlns='http://jabber.org/protocol/chatstates'/></message>"
        )
        #expect(
            world.router.submitted.map(\.content) == [.receipt(Receipt(.delivered, messageID: "y1")), .typing(.paused)]
        )
        try world.simulation.finish()
    }

    @Test("A message that the server bounces becomes a failure for its author, once")
    func bounce() throws {
        let world = try GatewayWorld()
        world.deliver(.message(Message(text: "anybody?")), to: "nobody@example.org", id: "m7")
        let error =
            "<message from='nobody@example.org' to='bob@aim.example.org' type='error' id='m7'><error type='cancel'>"
            + "<service-unavailable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        world.server.say(error + error)
        #expect(world.router.submitted.count == 1)
        let failure = try #require(world.router.submitted.first)
        #expect(failure.from == address("nobody@example.org"))
        #expect(failure.to == address("bob@aol.com"))
        guard case .failure(let content) = failure.content else {
            Issue.record("it is a \(failure.kindName)")
            return
        }
        #expect(content.messageID == "m7")
        #expect(content.failureClass == .recipient)
        try world.simulation.finish()
    }

    @Test("The router's refusal is told to the user, from the contact's JID")
    func refusal() throws {
        let world = try GatewayWorld()
        world.router.verdict = { _ in Outcome.Reason(.policy, "no licence", code: "not-allowed") }
        world.server.say(
            "<message from='alice@example.org/p' to='bob@aim.example.org' id='m1'><body>hi</body></message>"
        )
        let last = world.server.last
        #expect(last.contains("from='bob@aim.example.org' to='alice@example.org/p' id='m1' type='error'"))
        #expect(last.contains("<not-allowed xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"))
        #expect(last.contains("no licence"))
        try world.simulation.finish()
    }

    @Test("Other organisations' users, and names that stand for nobody, are refused")
    func strangers() throws {
        let world = try GatewayWorld()
        world.server.say(
            "<message from='eve@evil.example/x' to='bob@aim.example.org' id='e1'><body>hi</body></message>"
        )
        #expect(world.server.last.contains("<forbidden"))
        world.server.say(
            "<message from='alice@example.org/p' to='bob\\40icq.com@aim.example.org' id='e2'><body>hi</body></message>"
        )
        #expect(world.server.last.contains("<item-not-found"))
        world.server.say("<message from='alice@example.org/p' to='bob@other.example' id='e3'><body>hi</body></message>")
        world.server.say(
            "<message from='alice@own.example/p' to='bob@aim.example.org' id='e4'><body>hi</body></message>"
        )
        #expect(world.router.submitted.isEmpty)
        try world.simulation.finish()
    }

    @Test("An envelope from a network without a gateway has failed, and so has one for another's user")
    func noGateway() throws {
        let world = try GatewayWorld()
        let delivery = world.deliver(.message(Message(text: "x")), from: "carol@elsewhere.example")
        #expect(delivery.reason?.text.contains("component.gateways") == true)
        try world.simulation.finish()
    }

    @Test("A gateway without a network stands for all that have none of their own")
    func everything() throws {
        let world = try GatewayWorld(more: [
            "component.gateways[1].domain": "im.example.org", "component.gateways[1].secret": ComponentServer.secret,
        ])
        world.deliver(.message(Message(text: "one")), from: "carol@elsewhere.example", id: "c1")
        world.deliver(.message(Message(text: "two")), from: "bob@aol.com", id: "b1")
        let all = world.server.heard.joined()
        #expect(all.contains("from='carol\\40elsewhere.example@im.example.org'"))
        #expect(all.contains("from='bob@aim.example.org'"))
        try world.simulation.finish()
    }

    @Test("What comes over the stream of another gateway is answered over the right one")
    func otherStream() throws {
        let world = try GatewayWorld(more: [
            "component.gateways[1].domain": "im.example.org", "component.gateways[1].secret": ComponentServer.secret,
        ])
        let last = try #require(world.server.heard.firstIndex { $0.contains("to='im.example.org'") })
        world.server.connections[last].write(
            "<iq from='alice@example.org/p' to='aim.example.org' type='get' id='q1'><ping xmlns='urn:xmpp:ping'/></iq>"
        )
        world.simulation.run(for: .seconds(1))
        let answers = world.server.heard.map { $0.contains("<iq from='aim.example.org'") }
        #expect(answers == [last != 0, last != 1])
        try world.simulation.finish()
    }

    @Test("The subscription handshake and presence go both ways")
    func subscription() throws {
        let world = try GatewayWorld()
        world.server.say("<presence from='alice@example.org' to='bob@aim.example.org' type='subscribe'/>")
        world.deliver(.subscription(Subscription(.accept)), id: "s1")
        world.deliver(.presence(Presence(.away, status: "lunch")), id: "p1", device: "desk")
        world.deliver(.subscription(Subscription(.request, name: "Bob", text: "me, too")), id: "s2")
        world.server.say("<presence from='alice@example.org' to='bob@aim.example.org' type='subscribed'/>")
        world.server.say("<presence from='alice@example.org/p' to='bob@aim.example.org'><show>dnd</show></presence>")
        #expect(
            world.router.submitted.map(\.content)
                == [
                    .subscription(Subscription(.request)), .subscription(Subscription(.accept)),
                    .presence(Presence(.busy)),
                ]
        )
        let last = world.server.last
        #expect(
            last.contains("<presence from='bob@aim.example.org' to='alice@example.org' id='s1' type='subscribed'/>")
        )
        #expect(last.contains("<show>away</show><status>lunch</status>"))
        #expect(
            last.contains(
                "type='subscribe'><status>me, too</status><nick xmlns='http://jabber.org/protocol/nick'>Bob</nick>"
            )
        )
        try world.simulation.finish()
    }

    @Test("A probe is answered with what is known, and passed on if nothing is")
    func probe() throws {
        let world = try GatewayWorld()
        world.server.say("<presence from='alice@example.org' to='bob@aim.example.org' type='probe'/>")
        #expect(world.router.submitted.map(\.content) == [.subscription(Subscription(.probe))])
        world.deliver(.presence(Presence(.available, status: "here")), device: "desk")
        world.server.forget()
        world.server.say("<presence from='alice@example.org' to='bob@aim.example.org' type='probe'/>")
        #expect(world.router.submitted.count == 1)
        #expect(world.server.last.contains("<presence from='bob@aim.example.org/desk' to='alice@example.org'"))
        try world.simulation.finish()
    }

    @Test("The gateway itself accepts subscriptions and shows that it is there")
    func ownPresence() throws {
        let world = try GatewayWorld()
        world.server.say("<presence from='alice@example.org' to='aim.example.org' type='subscribe'/>")
        #expect(
            world.server.last.contains("<presence from='aim.example.org' to='alice@example.org' type='subscribed'/>")
        )
        world.server.forget()
        world.server.say("<presence from='alice@example.org/p' to='aim.example.org'/>")
        #expect(world.server.last.contains("<presence from='aim.example.org' to='alice@example.org/p'/>"))
        #expect(world.router.submitted.isEmpty)
        try world.simulation.finish()
    }

    @Test("Service discovery says that it is a gateway, of which kind, and who is behind a JID")
    func discovery() throws {
        let world = try GatewayWorld()
        let ask = { (to: String, id: String) in
            world.server.say(
                "<iq from='alice@example.org/p' to='\(to)' type='get' id='\(id)'>"
                    + "<query xmlns='http://jabber.org/protocol/disco#info'/></iq>"
            )
        }
        ask("aim.example.org", "d1")
        #expect(world.server.last.contains("<identity category='gateway' type='aim' name='AIM'/>"))
        #expect(world.server.last.contains("<feature var='jabber:iq:gateway'/>"))
        ask("bob@aim.example.org", "d2")
        #expect(world.server.last.contains("<identity category='account' type='registered'/>"))
        ask("bob\\40icq.com@aim.example.org", "d3")
        #expect(world.server.last.contains("<item-not-found"))
        try world.simulation.finish()
    }

    @Test("A name on the network becomes a JID")
    func prompt() throws {
        let world = try GatewayWorld()
        world.server.say(
            "<iq from='alice@example.org/p' to='aim.example.org' type='get' id='g1'><query xmlns='jabber:iq:gateway'/></iq>"
        )
        #expect(world.server.last.contains("<prompt>Name on AIM</prompt>"))
        world.server.say(
            "<iq from='alice@example.org/p' to='aim.example.org' type='set' id='g2'><query xmlns='jabber:iq:gateway'>"
                + "<prompt>O'Brien</prompt></query></iq>"
        )
        #expect(world.server.last.contains("<jid>o\\27brien@aim.example.org</jid>"))
        world.server.say(
            "<iq from='alice@example.org/p' to='aim.example.org' type='set' id='g3'><query xmlns='jabber:iq:gateway'>"
                + "<prompt>bob@icq.com</prompt></query></iq>"
        )
        #expect(world.server.last.contains("<not-acceptable"))
        try world.simulation.finish()
    }
}
