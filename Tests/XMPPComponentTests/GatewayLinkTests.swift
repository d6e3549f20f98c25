import ProviderKit
import ProviderTestKit
import Testing

/// How a gateway's stream comes and goes.
@Suite struct GatewayLinkTests {
    @Test(
        "A server that refuses is reported plainly, and tried again",
        arguments: [
            (ComponentServer.Mood.refusingHeader("host-unknown"), "ejabberd_service"),
            (.refusingProof("not-authorized"), "secret"), (.refusingProof("conflict"), "conflict"),
        ]
    )
    func refused(_ mood: ComponentServer.Mood, _ word: String) throws {
        let world = try GatewayWorld(mood: mood, run: .milliseconds(400))
        let link = try #require(world.router.links.first)
        #expect(link.state == .backingOff)
        #expect(link.detail.contains(word))
        let delivery = world.router.deliver(
            Envelope(
                from: address("bob@aol.com"),
                to: address("alice@example.org"),
                content: .message(Message(text: "x"))
            )
        )
        world.simulation.run(for: .milliseconds(50))
        #expect(delivery.reason?.text.contains(word) == true)
        world.server.mood = .kind
        world.simulation.run(for: .seconds(60))
        #expect(world.server.admitted == 1)
        #expect(world.router.links.first?.state == .up)
        #expect(delivery.isDelivered)
        try world.simulation.finish()
    }

    @Test("A wrong secret is not accepted by the server")
    func wrongSecret() throws {
        let world = try GatewayWorld(more: ["component.gateways[0].secret": "wrong"])
        #expect(world.server.admitted == 0)
        #expect(world.router.links.first?.detail.contains("not-authorized") == true)
        #expect(!world.router.log.contains { $0.contains("wrong") })
        try world.simulation.finish()
    }

    @Test("A server that says nothing is given up, and tried again")
    func mute() throws {
        let world = try GatewayWorld(more: ["establishment_timeout": "5s"], mood: .mute, run: .seconds(8))
        #expect(world.server.connections.count >= 2)
        #expect(world.router.log.contains { $0.contains("in time") })
        try world.simulation.finish()
    }

    @Test("After a lost stream the gateway comes back, and shows presence again")
    func reconnects() throws {
        let world = try GatewayWorld()
        world.deliver(.presence(Presence(.away)), device: "desk")
        world.server.connection?.reset()
        world.simulation.run(for: .milliseconds(100))
        // What changes meanwhile is shown as well.
        world.deliver(.presence(Presence(.busy)), from: "carol@aol.com", id: "p2")
        world.simulation.run(for: .seconds(10))
        #expect(world.server.admitted == 2)
        #expect(world.server.last.contains("from='bob@aim.example.org/desk'"))
        #expect(world.server.last.contains("<show>dnd</show>"))
        try world.simulation.finish()
    }

    @Test("A silent server is asked whether it is there, and given up if it does not answer")
    func silence() throws {
        let world = try GatewayWorld(more: ["ping_interval": "20s", "ping_timeout": "5s"])
        world.simulation.run(for: .seconds(21))
        let ping = try #require(world.server.last.split(separator: "<iq ").last)
        #expect(ping.contains("<ping xmlns='urn:xmpp:ping'/>"))
        let id = try #require(ping.split(separator: "id='").last?.split(separator: "'").first)
        world.server.say("<iq from='example.org' to='aim.example.org' type='result' id='\(id)'/>")
        world.simulation.run(for: .seconds(10))
        #expect(world.server.connections.count == 1)
        world.simulation.run(for: .seconds(30))
        #expect(world.server.connections.count == 2)
        try world.simulation.finish()
    }

    @Test("Without room in the router nothing is lost or reordered")
    func busy() throws {
        let world = try GatewayWorld()
        world.simulation.router = .busy
        let messages = (0..<50).map {
            "<message from='alice@example.org/p' to='bob@aim.example.org' id='m\($0)'><body>\($0)</body></message>"
        }
        world.server.connection?.write(messages.joined())
        world.simulation.run(for: .seconds(30))
        #expect(world.router.submitted.map(\.id) == (0..<50).map { "m\($0)" })
        try world.simulation.finish()
    }

    @Test("What waits for the stream is bounded: one more is put off")
    func queue() throws {
        let world = try GatewayWorld(more: ["component.queue_max": "2"], mood: .mute)
        let deliveries = (0..<3).map { number in
            world.router.deliver(
                Envelope(
                    from: address("bob@aol.com"),
                    to: address("alice\(number)@example.org"),
                    content: .message(Message(text: "\(number)"))
                )
            )
        }
        world.simulation.run(for: .milliseconds(100))
        #expect(deliveries[0].reason == nil)
        #expect(deliveries[1].reason == nil)
        #expect(deliveries[2].reason?.text.contains("2 envelopes wait") == true)
        world.server.mood = .kind
        world.simulation.run(for: .seconds(600))
        #expect(deliveries.allSatisfy { $0.isDelivered })
        try world.simulation.finish()
    }

    @Test("The stream is closed in order at the end")
    func drain() throws {
        let world = try GatewayWorld()
        world.router.drain()
        world.simulation.run(for: .seconds(1))
        #expect(world.server.last.hasSuffix("</stream:stream>"))
        #expect(world.router.isIdle)
        try world.simulation.finish()
    }
}
