import AIMSandbox
import OSCARWire
import Testing

@Suite struct PresenceTests {
    @Test func aBuddyOfTheListIsSeenToComeAndGo() throws {
        let world = try World()
        let alice = try world.alice()
        alice.send(0x13, 8, "0007\"BobTest\" 0001 000A 0000 0000")
        #expect(try alice.all(BuddyArrived.self).isEmpty)
        let bob = try world.bob()
        #expect(try alice.all(BuddyArrived.self).map(\.user.name.display) == ["Bob Test"])
        world.disconnect(bob.id)
        let gone = try #require(try alice.snacs().first)
        #expect(try gone.encoded() == bytes("0003 000C 0000 80000000 07\"bobtest\" 0000 0001 0001 0002 0000"))
    }

    @Test func whoIsThereAlreadyIsToldWhenTheListIsUsedAndTheClientReadyInEitherOrder() throws {
        let world = try World()
        _ = try world.bob()
        for ready in [true, false] {
            let alice = try world.connect(as: "Alice Test", "alicepw")
            alice.send(0x13, 8, "0007\"bobtest\" 0001 000A 0000 0000")
            _ = try alice.snacs()
            ready ? alice.send(1, 2, "") : alice.send(0x13, 7)
            #expect(try alice.all(BuddyArrived.self).isEmpty)
            ready ? alice.send(0x13, 7) : alice.send(1, 2, "")
            #expect(try alice.all(BuddyArrived.self).count == 1)
        }
    }

    @Test func withoutTheListNobodyIsSeenButWhoIsWatchedForTheSession() throws {
        let world = try World()
        let alice = try world.connect(as: "Alice Test", "alicepw")
        alice.send(1, 2, "")
        alice.send(0x13, 8, "0007\"bobtest\" 0001 000A 0000 0000")
        let bob = try world.bob()
        #expect(try alice.all(BuddyArrived.self).isEmpty)
        alice.send(3, 4, "08\"BOB test\"")
        #expect(try alice.all(BuddyArrived.self).count == 1)
        alice.send(3, 5, "07\"bobtest\"")
        bob.send(1, 0x11, "00000258")
        #expect(try alice.all(BuddyArrived.self).isEmpty)
    }

    @Test func awayIdleAndInvisibleAreTold() throws {
        let world = try World()
        let alice = try world.alice()
        alice.send(3, 4, "07\"bobtest\"")
        let bob = try world.bob()
        _ = try alice.snacs()
        // Capabilities and an away text at once are two states.
        bob.send(2, 4, "0003 000A\"text/plain\" 0004 0003\"out\" 0005 0010 094613454C7F11D18222444553540000")
        let states = try alice.all(BuddyArrived.self)
        #expect(states.count == 2)
        #expect(states[1].user.flags.contains(.away))
        #expect(states[1].user.capabilities == [.directIM])
        alice.send(2, 0x15, "00000003 08\"bob test\"")
        let reply = try #require(try alice.all(UserInfoReply.self).first)
        #expect(try reply.away()?.type == "text/aolrtf; charset=\"us-ascii\"")
        #expect(try reply.away()?.text == "out")
        bob.send(2, 4, "0004 0000")
        #expect(try #require(try alice.all(BuddyArrived.self).first).user.flags.contains(.away) == false)
        bob.send(1, 0x11, "00000258")
        #expect(try #require(try alice.all(BuddyArrived.self).first).user.idleMinutes == 10)
        bob.send(1, 0x1E, "0006 0004 00000100")
        #expect(try alice.all(BuddyDeparted.self).count == 1)
        #expect(try bob.all(SelfInfo.self).count == 1)
        alice.say("still there?", to: "bobtest")
        #expect(try bob.all(IncomingMessage.self).count == 1)
    }

    @Test func whoIsNotThereHasNoInfo() throws {
        let alice = try World().alice()
        _ = try alice.snacs()
        alice.send(2, 5, "0002 07\"bobtest\"")
        #expect(try #require(try alice.snacs().first).encoded() == bytes("0002 0001 0000 00000007 0004"))
    }

    @Test func aDenyItemCountsInItsModeOnly() throws {
        let world = try World()
        let alice = try world.alice()
        alice.send(3, 4, "07\"bobtest\"")
        let bob = try world.bob()
        _ = try alice.snacs()
        bob.send(0x13, 8, "0009\"alicetest\" 0000 0005 0003 0000")
        alice.say("hi", to: "bobtest")
        #expect(try alice.snacs().contains { $0.kind == MessageAck.kind })
        bob.send(0x13, 8, "0000 0000 0006 0004 0005 00CA 0001 04")
        let gone = try #require(try alice.snacs().first)
        #expect(gone.kind == BuddyDeparted.kind)
        #expect(gone.body == bytes("07\"bobtest\" 0000 0000"))
        _ = try bob.snacs()
        alice.say("hi", to: "bobtest")
        #expect(try alice.snacs().map(\.body) == [bytes("0004")])
        bob.say("hi", to: "alicetest")
        #expect(try bob.snacs().map(\.body) == [bytes("0010")])
    }
}
