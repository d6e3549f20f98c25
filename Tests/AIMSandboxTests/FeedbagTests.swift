import AIMSandbox
import OSCARWire
import Testing

@Suite struct FeedbagTests {
    private let three = """
        0000 0000 0000 0001 0006 00C8 0002 0001
        0007"Buddies" 0001 0000 0001 0006 00C8 0002 000A
        0007"BobTest" 0001 000A 0000 000A 0131 0006 "Bob é"
        """

    @Test func itemsAreStoredAndKeptAfterTheSession() throws {
        let world = try World()
        let alice = try world.alice()
        _ = try alice.snacs()
        alice.send(0x13, 4)
        #expect(try alice.snacs().map(\.body) == [bytes("00 0000 00000000")])
        alice.send(0x13, 0x11)
        alice.send(0x13, 8, self.three)
        alice.send(0x13, 0x12)
        let answer = try #require(try alice.snacs().first)
        #expect(try answer.encoded() == bytes("0013 000E 0000 00000007 0000 0000 0000"))
        world.disconnect(alice.id)

        let again = try world.alice()
        _ = try again.snacs()
        again.send(0x13, 4)
        let list = try #require(try again.all(FeedbagReply.self).first)
        #expect(list.items.map(\.name) == ["", "Buddies", "bobtest"])
        #expect(list.items[2].alias == "Bob é")
        again.send(0x13, 5, "6553F100 0003")
        #expect(try again.snacs().map(\.body) == [bytes("6553F100 03")])
        again.send(0x13, 5, "6553F100 0002")
        #expect(try again.all(FeedbagReply.self).count == 1)
    }

    @Test func insertAndUpdateAreTheSameUnlessTheNetworkIsStrict() throws {
        let lenient = try World().alice()
        _ = try lenient.snacs()
        lenient.send(0x13, 9, self.three)
        lenient.send(0x13, 8, self.three)
        lenient.send(0x13, 0x0A, "0003\"xyz\" 0009 0009 0000 0000")
        #expect(
            try lenient.all(FeedbagStatus.self).map(\.results) == [
                [.done, .done, .done], [.done, .done, .done], [.done],
            ]
        )

        let strict = try World(strict: true).alice()
        _ = try strict.snacs()
        strict.send(0x13, 9, self.three)
        strict.send(0x13, 8, self.three)
        strict.send(0x13, 8, self.three)
        let results = try strict.all(FeedbagStatus.self).map(\.results)
        #expect(results[0] == [.notFound, .notFound, .notFound])
        #expect(results[1] == [.done, .done, .done])
        #expect(results[2] == [.exists, .exists, .exists])
    }

    @Test func aStrictNetworkHasRoomForSixtyOneBuddies() throws {
        let alice = try World(strict: true).alice()
        _ = try alice.snacs()
        var results: [FeedbagStatus.Result] = []
        for number in 0..<62 {
            let digits = String(number, radix: 16)
            let id = String(repeating: "0", count: 4 - digits.count) + digits
            alice.send(0x13, 8, "0003\"b\(number < 10 ? "0" : "")\(number)\" 0001 \(id) 0000 0000")
            alice.world.wait(milliseconds: 3_000)
            results += try alice.all(FeedbagStatus.self).flatMap(\.results)
        }
        #expect(results == [FeedbagStatus.Result](repeating: .done, count: 61) + [.full])
    }

    @Test func otherSessionsAreToldAndOneselfCannotBeDenied() throws {
        let world = try World()
        let (desk, phone) = (try world.alice(sessions: "004A 0001 01"), try world.alice(sessions: "004A 0001 01"))
        _ = (try desk.snacs(), try phone.snacs())
        desk.send(0x13, 8, self.three)
        let told = try #require(try phone.snacs().first)
        #expect(told.kind == FeedbagInsert.kind)
        #expect(told.requestID == SNAC.serverStarted)
        #expect(told.body == bytes(self.three))
        _ = try desk.snacs()
        desk.send(0x13, 8, "0009\"alicetest\" 0000 0005 0003 0000")
        #expect(try #require(try desk.snacs().first).encoded() == bytes("0013 0001 0000 00000007 0008"))
    }

    @Test func aRequestForAuthorizationIsPassedWithABlockBeforeIt() throws {
        let world = try World()
        let (alice, bob) = (try world.alice(), try world.bob())
        _ = (try alice.snacs(), try bob.snacs())
        alice.send(0x13, 0x18, "07\"bobtest\" 0006\"please\" 0000")
        let asked = try #require(try bob.snacs().first)
        #expect(
            try asked.encoded()
                == bytes("0013 0019 8000 80000000 0006 0001 0002 0004 0A\"Alice Test\" 0006\"please\" 0000")
        )
        bob.send(0x13, 0x1A, "0A\"Alice Test\" 01 0003\"yes\"")
        #expect(try #require(try alice.all(AuthorizationAnswered.self).first).content.isAllowed)
    }
}
