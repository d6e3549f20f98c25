import CPlugboard
import ProviderKit
import Testing

@testable import XMPPBridge

/// What a partner's server, or somebody who claims to be one, can do on a stream to us.
@Suite struct InboundTests {
    @Test("The router's refusal of a message comes back to its author as a failure")
    func refusal() throws {
        let servers = TwoServers(TwoServers.external)
        servers.b.verdict = { _ in .refuse(Outcome.Reason(.recipient, "there is no bob")) }
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        let failure = try #require(servers.a.submitted.first)
        #expect(failure.from == address("bob@b.test"))
        #expect(failure.to == address("alice@a.test"))
        #expect(
            failure.content
                == .failure(
                    Failure(.recipient, messageID: "m1", reason: "there is no bob", code: "service-unavailable")
                )
        )
    }

    @Test("Refused typing, receipts and failures are answered with nothing")
    func quietRefusals() {
        let servers = TwoServers(TwoServers.external)
        servers.b.verdict = { _ in .refuse(Outcome.Reason(.policy, "no")) }
        servers.a.deliver(toBob(.typing(.composing)))
        servers.a.deliver(toBob(.receipt(Receipt(.delivered, messageID: "x"))))
        servers.a.deliver(toBob(.failure(Failure(.recipient, messageID: "x", reason: "no"))))
        servers.world.run()
        #expect(servers.b.everyEndpoint.count == 1, "B opened a stream to answer")
        #expect(servers.a.submitted.isEmpty)
    }

    @Test("What the host does not even take is answered as well")
    func notTaken() {
        let servers = TwoServers(TwoServers.external)
        servers.b.verdict = { _ in .status(PLUGBOARD_E_LIMIT) }
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        guard case .failure(let failure)? = servers.a.submitted.first?.content else {
            Issue.record("no failure")
            return
        }
        #expect(failure.failureClass == .content)
    }

    @Test("Without room in the router nothing is lost, reordered or read")
    func busy() {
        let servers = TwoServers(TwoServers.external)
        servers.a.deliver(TwoServers.message("0", id: "0"))
        servers.world.run()
        var room = 2
        servers.b.verdict = { _ in
            guard room > 0 else { return .status(PLUGBOARD_BUSY) }
            room -= 1
            return .accept
        }
        for number in 1...20 { servers.a.deliver(TwoServers.message("\(number)", id: "\(number)")) }
        servers.world.run()
        #expect(TwoServers.texts(servers.b) == ["0", "1", "2"])
        for _ in 0..<9 {
            room = 2
            servers.b.room()
            servers.world.run()
        }
        #expect(TwoServers.texts(servers.b) == (0...20).map(String.init))
    }

    @Test("What a peer sent before it went away is taken when there is room again")
    func busyThenGone() {
        let servers = TwoServers(TwoServers.external)
        let peer = RawPeer(servers.world, "192.0.2.2")
        peer.authenticate()
        servers.b.verdict = { _ in .status(PLUGBOARD_BUSY) }
        peer.say(peer.message("1") + peer.message("2") + peer.message("3"))
        peer.end.cut()
        servers.world.run()
        servers.b.verdict = { _ in .accept }
        servers.b.room()
        servers.world.run()
        #expect(TwoServers.texts(servers.b) == ["1", "2", "3"])
    }

    @Test("Both envelopes of one stanza are taken once each, also when there was room for one only")
    func halfBusy() {
        let servers = TwoServers(TwoServers.external)
        servers.b.verdict = { envelope in
            if case .typing = envelope.content { .status(PLUGBOARD_BUSY) } else { .accept }
        }
        let peer = RawPeer(servers.world, "192.0.2.2")
        peer.authenticate()
        peer.say(
            "<message from='x@a.test' to='bob@b.test'><body>x</body>"
                + "<gone xmlns='http://jabber.org/protocol/chatstates'/></message>"
        )
        #expect(servers.b.submitted.map(\.kindName) == ["message"])
        servers.b.verdict = { _ in .accept }
        servers.b.room()
        servers.world.run()
        #expect(servers.b.submitted.map(\.kindName) == ["message", "typing"])
    }

    @Test("A partner may have as many streams as its limit, and not one more")
    func connectionLimit() {
        let servers = TwoServers(TwoServers.external, more: [("partners[0].connection_limit", "2")])
        let peers = (0..<3).map { _ in RawPeer(servers.world, "192.0.2.2") }
        for peer in peers.prefix(2) {
            peer.authenticate()
            peer.say(peer.message("x"))
        }
        #expect(TwoServers.texts(servers.b).count == 2)
        peers[2].encrypt()
        peers[2].say(peers[2].header())
        peers[2].say(RawPeer.external)
        #expect(peers[2].say(peers[2].header()).contains("<resource-constraint"))
        #expect(peers[2].end.isClosed)
        #expect(peers.prefix(2).allSatisfy { !$0.end.isClosed })
        #expect(servers.b.log.contains { $0.contains("connection_limit") })
    }

    @Test("Bytes behind the request for TLS end the connection")
    func injection() {
        let servers = TwoServers(TwoServers.external)
        let peer = RawPeer(servers.world, "192.0.2.2")
        peer.say(peer.header())
        peer.say(RawPeer.startTLS + peer.header() + peer.message("injected"))
        #expect(peer.end.isClosed)
        #expect(servers.b.submitted.isEmpty)
    }

    @Test("A header sent behind the request for authentication, without waiting, opens the restarted stream")
    func pipelined() {
        let servers = TwoServers(TwoServers.external)
        let peer = RawPeer(servers.world, "192.0.2.2")
        peer.encrypt()
        peer.say(peer.header())
        peer.say(RawPeer.external + peer.header() + peer.message("hello"))
        #expect(TwoServers.texts(servers.b) == ["hello"])
    }

    @Test("A stream cut into single bytes is read like any other")
    func singleBytes() {
        let servers = TwoServers(TwoServers.external)
        let peer = RawPeer(servers.world, "192.0.2.2")
        peer.authenticate()
        for byte in Array(peer.message("hello").utf8) { _ = peer.end.write([byte]) }
        #expect(peer.heard().isEmpty)
        #expect(TwoServers.texts(servers.b) == ["hello"])
    }

    @Test("Who is no partner is told so, with the reason in the log")
    func stranger() {
        let servers = TwoServers(TwoServers.external)
        let peer = RawPeer(servers.world, "192.0.2.2", name: "c.test")
        #expect(peer.say(peer.header()).contains("<policy-violation"))
        #expect(peer.end.isClosed)
        #expect(servers.b.log.contains { $0.contains("c.test is not a partner") })
    }

    @Test("An error about a message that was never sent is not believed")
    func madeUp() {
        let servers = TwoServers(TwoServers.external)
        let peer = RawPeer(servers.world, "192.0.2.2")
        peer.authenticate()
        peer.say("<message type='error' from='mallory@a.test' to='bob@b.test' id='m1'><error type='cancel'/></message>")
        #expect(servers.b.submitted.isEmpty)
        #expect(!peer.end.isClosed)
    }

    @Test("Questions are answered on the stream that goes the other way")
    func questions() throws {
        let servers = TwoServers(TwoServers.external)
        let peer = RawPeer(servers.world, "192.0.2.2")
        peer.authenticate()
        peer.say("<iq type='get' from='a.test' to='b.test' id='q1'><ping xmlns='urn:xmpp:ping'/></iq>")
        peer.say("<iq type='get' from='x@a.test' to='b.test' id='q2'/>")
        peer.say("<message type='groupchat' from='x@a.test' to='bob@b.test' id='q3'><body>x</body></message>")
        let out = try #require(servers.b.everyEndpoint.first { $0.isClient })
        #expect(out.written.contains("<iq from='b.test' to='a.test' id='q1' type='result'/>"))
        #expect(out.written.contains("<iq from='b.test' to='x@a.test' id='q2' type='error'><error type='modify'>"))
        #expect(out.written.contains("<message from='bob@b.test' to='x@a.test' id='q3' type='error'>"))
        #expect(servers.a.submitted.isEmpty)
    }
}
