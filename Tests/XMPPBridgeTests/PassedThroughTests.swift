import IMModel
import Testing
import XMPPBridge
import XMPPWire

/// Stanzas as clients write them, and what is and is not made of them.
@Suite struct PassedThroughTests {
    @Test("A correction goes in and comes out under the id of the first version (XEP-0308)")
    func correction() throws {
        let read = envelopes(
            fromBob(
                "message",
                "type='chat' id='bad1'",
                "<body>O Romeo!</body><replace xmlns='urn:xmpp:message-correct:0' id='bad0'/>"
            )
        )
        var envelope = try #require(read.first)
        #expect(read.count == 1 && envelope.id == "bad1")
        (envelope.from, envelope.to) = (envelope.to, envelope.from)
        (envelope.fromDevice, envelope.toDevice) = ("", "")
        #expect(xml(envelope, id: "bad1").contains("<replace xmlns='urn:xmpp:message-correct:0' id='bad0'/>"))
    }

    @Test("A marker is a receipt of reading, and comes out as a marker (XEP-0333)")
    func marker() throws {
        let read = envelopes(
            fromBob(
                "message",
                "id='r'",
                "<displayed xmlns='urn:xmpp:chat-markers:0' id='m7'/><store xmlns='urn:xmpp:hints'/>"
            )
        )
        #expect(read.map(\.content) == [.receipt(Receipt(.read, messageID: "m7"))])
        let written = xml(toBob(.receipt(Receipt(.read, messageID: "m7"))))
        #expect(written.contains("<displayed xmlns='urn:xmpp:chat-markers:0' id='m7'/>"))
    }

    @Test("A message says the id that its author gave it, for who gets a copy (XEP-0359)")
    func originID() {
        #expect(xml(toBob(.message(Message(text: "x")))).contains("<origin-id xmlns='urn:xmpp:sid:0' id='m1'/>"))
        let read = envelopes(fromBob("message", "", "<body>x</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/>"))
        #expect(read.map(\.id) == ["o1"])
        let both = envelopes(
            fromBob("message", "id='m'", "<body>x</body><origin-id xmlns='urn:xmpp:sid:0' id='o1'/>")
        )
        #expect(both.map(\.id) == ["m"])
    }

    @Test("An id that claims to be from a server, and copies that claim to be carbons, are not believed")
    func forged() {
        let claimed = "<body>x</body><stanza-id xmlns='urn:xmpp:sid:0' id='forged' by='a.test'/>"
        #expect(envelopes(fromBob("message", "id='m'", claimed)).map(\.id) == ["m"])
        let carbon =
            "<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
            + "<message xmlns='jabber:client' from='mallory@c.test' to='alice@a.test'><body>forged</body></message>"
            + "</forwarded></received>"
        #expect(envelopes(fromBob("message", "id='m'", carbon)).isEmpty)
    }

    @Test(
        "Names that are no local parts are escaped, and read back (XEP-0106)",
        arguments: [
            ("space cadet", #"space\20cadet"#), (#"call me "ishmael""#, #"call\20me\20\22ishmael\22"#),
            ("at&t guy", #"at\26t\20guy"#), ("d'artagnan", #"d\27artagnan"#), ("/.fanboy", #"\2f.fanboy"#),
            ("::foo::", #"\3a\3afoo\3a\3a"#), ("<foo>", #"\3cfoo\3e"#), ("user@host", #"user\40host"#),
            (#"c:\net"#, #"c\3a\net"#), (#"c:\\net"#, #"c\3a\\net"#), (#"c:\cool stuff"#, #"c\3a\cool\20stuff"#),
            (#"c:\5commas"#, #"c\3a\5c5commas"#), ("plain", "plain"),
        ]
    )
    func escaping(name: String, local: String) {
        #expect(LocalPartEscaping.escape(name) == local)
        #expect(LocalPartEscaping.unescape(local) == name)
    }

    @Test("A home user of such a name is written to and writes; a partner's user is called what the partner calls them")
    func escapedAddresses() throws {
        var envelope = toBob(.message(Message(text: "x")))
        envelope.from = try #require(Address(user: "d'artagnan", domain: "a.test"))
        envelope.to = address(#"o\27hara@b.test"#)
        let stanza = try StanzaWriter.stanza(for: envelope, id: "m1")
        #expect(stanza.from?.description == #"d\27artagnan@a.test"#)
        #expect(stanza.to?.description == #"o\27hara@b.test"#)
        let answer = XMPPWire.Stanza(.message(.chat), to: stanza.from, from: stanza.to, id: "m2")
        var withBody = answer
        withBody.body = "y"
        let read = try #require(envelopes(withBody).first)
        #expect(read.to == envelope.from)
        #expect(read.from == envelope.to)
    }
}

/// Presence over a link that is lost.
@Suite struct LostPresenceTests {
    private func presence(_ availability: Presence.Availability, _ device: String = "phone") -> Envelope {
        var envelope = Envelope(
            from: address("bob@b.test"),
            to: address("alice@a.test"),
            content: .presence(Presence(availability))
        )
        envelope.fromDevice = device
        return envelope
    }

    @Test("Who is there, is not known any more when it is taken back; who left, is not spoken of")
    func takingBack() {
        var seen = SeenPresence()
        seen.note(self.presence(.away, "desk"))
        seen.note(self.presence(.available, "phone"))
        seen.note(self.presence(.offline, "desk"))
        #expect(seen.takeBack() == [self.presence(.unknown, "phone")])
        #expect(seen.isEmpty)
    }

    @Test("As many are remembered as the limit allows, and no more")
    func limit() {
        var seen = SeenPresence()
        for number in 0...SeenPresence.pairsMax { seen.note(self.presence(.available, "\(number)")) }
        #expect(seen.count == SeenPresence.pairsMax)
    }

    @Test("When the link to a partner is lost, its users' presence becomes unknown to who saw it, once")
    func linkLoss() throws {
        let servers = TwoServers(TwoServers.unmanaged)
        servers.b.deliver(self.presence(.away))
        servers.a.deliver(TwoServers.message("hello"))
        servers.world.run()
        #expect(servers.a.submitted == [self.known(.away)])
        servers.world.addresses["b.test"] = nil
        try #require(servers.a.everyEndpoint.first { $0.isClient }).cut()
        servers.world.run()
        #expect(servers.a.submitted == [self.known(.away), self.presence(.unknown)])
        servers.world.run(forMs: 5_000)
        servers.a.deliver(TwoServers.message("again", id: "m2"))
        servers.world.run()
        #expect(servers.a.submitted.count == 2)
    }

    /// As it arrives, with the id that was made for it.
    private func known(_ availability: Presence.Availability) -> Envelope {
        var envelope = self.presence(availability)
        envelope.id = "0-0"
        return envelope
    }
}
