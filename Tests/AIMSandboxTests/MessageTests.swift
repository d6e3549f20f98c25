import AIMSandbox
import OSCARWire
import Testing

@Suite struct MessageTests {
    @Test func aTextIsPassedOnAndAcknowledgedAsItWasTyped() throws {
        let world = try World()
        let (alice, bob) = (try world.alice(), try world.bob())
        _ = (try alice.snacs(), try bob.snacs())
        alice.say("h<b>i", to: "bob test", tlvs: "0003 0000 0006 0000 9999 0001 07")
        let message = try #require(try bob.all(IncomingMessage.self).first)
        #expect(message.cookie == 0x0102_0304_0506_0708)
        #expect(message.sender.name.display == "Alice Test")
        #expect(try message.text()?.markup == "h<b>i")
        #expect(message.tlvs.entries.map(\.tag) == [2, 0x9999])
        #expect(
            try #require(try alice.snacs().first).encoded()
                == bytes("0004 000C 0000 00000007 0102030405060708 0001 08\"bob test\"")
        )
    }

    @Test func withoutAWishForItNothingIsAcknowledged() throws {
        let world = try World()
        let (alice, bob) = (try world.alice(), try world.bob())
        _ = (try alice.snacs(), try bob.snacs())
        alice.say("hi", to: "bobtest", tlvs: "")
        #expect(try bob.all(IncomingMessage.self).count == 1)
        #expect(try alice.snacs().isEmpty)
    }

    @Test(arguments: ["", "0006 0000"]) func anUnknownRecipientIsNotLoggedOn(_ tlvs: String) throws {
        let alice = try World().alice()
        _ = try alice.snacs()
        alice.say("hi", to: "nobody", tlvs: tlvs)
        #expect(try #require(try alice.snacs().first).encoded() == bytes("0004 0001 0000 00000007 0004"))
    }

    @Test func aUserWhoIsNotReadyIsNotThere() throws {
        let world = try World()
        let alice = try world.alice()
        let bob = try world.connect(as: "Bob Test", "bobpw")
        _ = (try alice.snacs(), try bob.snacs())
        alice.say("hi", to: "bobtest")
        #expect(try alice.snacs().map(\.body) == [bytes("0004")])
        #expect(try bob.snacs().isEmpty)
    }

    @Test func tenMessagesOfOneSenderWaitAndTheEleventhIsRefused() throws {
        let world = try World()
        let alice = try world.alice()
        _ = try alice.snacs()
        for number in 1...10 {
            alice.say("number \(number)", to: "bobtest", tlvs: "0003 0000 0006 0000")
            world.wait(milliseconds: 6_000)
        }
        #expect(try alice.all(MessageAck.self).count == 10)
        alice.say("one more", to: "bobtest", tlvs: "0003 0000 0006 0000")
        #expect(try alice.snacs().map(\.body) == [bytes("0004 0008 0002 000F")])

        let bob = try world.bob()
        let notices = try bob.all(IncomingMessage.self)
        #expect(notices.map(\.sender.name.display) == ["OOS System Msg"])
        #expect(notices[0].cookie == 0)
        #expect(try notices[0].text()?.markup.contains("10 IM(s)") == true)
        bob.send(4, 0x10)
        let snacs = try bob.snacs()
        #expect(snacs.count == 11)
        #expect(snacs.last?.kind == StoredMessagesReply.kind)
        let first = try snacs[0].message(IncomingMessage.self)
        #expect(first.sender == UserInfo(name: try ScreenName("alicetest")))
        #expect(first.sender.name.display == "alicetest")
        #expect(first.tlvs.entries.map(\.tag) == [2, 3, 6, 0x16])
        #expect(try first.sentAt() == 1_700_000_000)
        bob.send(4, 0x10)
        #expect(try bob.snacs().map(\.kind) == [StoredMessagesReply.kind])
    }

    @Test func typingIsPassedWithTheSendersRequestIDAndNotToTheAway() throws {
        let world = try World()
        let (alice, bob) = (try world.alice(), try world.bob())
        _ = (try alice.snacs(), try bob.snacs())
        alice.send(4, 0x14, "0000000000000000 0001 08\"bob test\" 0002", requestID: 0x1234)
        #expect(
            try #require(try bob.snacs().first).encoded()
                == bytes("0004 0014 0000 00001234 0000000000000000 0001 0A\"Alice Test\" 0002")
        )
        bob.send(2, 4, "0004 0003\"out\"")
        alice.send(4, 0x14, "0000000000000000 0001 08\"bob test\" 0002")
        #expect(try bob.snacs().isEmpty)
        #expect(try alice.snacs().isEmpty)
    }

    @Test func whoShowsTypingSaysSoInMessages() throws {
        let world = try World()
        let (alice, bob) = (try world.alice(), try world.bob())
        alice.send(0x13, 8, "0000 0000 0007 0005 0010 00C9 0004 00400000 00D6 0004 00400000")
        _ = try bob.snacs()
        alice.say("hi", to: "bobtest")
        #expect(try #require(try bob.all(IncomingMessage.self).first).wantsTyping)
    }

    @Test func whereNobodySitsNothingIsDeliveredIfSomebodySitsElsewhere() throws {
        let world = try World()
        let sessions = "004A 0001 01"
        let alice = try world.alice()
        let (desk, phone) = (try world.bob(sessions: sessions), try world.bob(sessions: sessions))
        desk.send(2, 4, "0004 0003\"out\"")
        _ = (try desk.snacs(), try phone.snacs())
        alice.say("hi", to: "bobtest")
        #expect(try desk.all(IncomingMessage.self).isEmpty)
        #expect(try phone.all(IncomingMessage.self).count == 1)
        phone.send(2, 4, "0004 0003\"out\"")
        alice.say("hi", to: "bobtest")
        #expect(try desk.all(IncomingMessage.self).count == 1)
        #expect(try phone.all(IncomingMessage.self).count == 1)
    }
}
