import AIMSandbox
import OSCARWire
import Testing

@Suite struct SignOnTests {
    @Test func theFoodGroupsComeFirst() throws {
        let client = try World().connect(as: "Alice Test", "alicepw")
        let snac = try #require(try client.snacs().first)
        #expect(
            try snac.encoded() == bytes("0001 0003 0000 80000000 001800100003001300040015000200010009000A00060008000B")
        )
    }

    @Test func versionsAreRepeatedAndAWelcomeFollows() throws {
        let client = try World().connect(as: "Alice Test", "alicepw")
        _ = try client.snacs()
        client.send(1, 0x17, "0001 0004 0099 0007")
        let snacs = try client.snacs()
        #expect(snacs.map(\.kind) == [SNACKind(1, 0x18), SNACKind(1, 0x13)])
        #expect(snacs[0].body == bytes("0001 0004 0099 0007"))
        #expect(snacs[0].requestID == 7)
    }

    @Test func shapesFollowTheVersionThatTheClientSaid() throws {
        let client = try World().connect(as: "Alice Test", "alicepw")
        client.send(1, 0x17, "0001 0001")
        client.send(1, 6)
        client.send(1, 0x0E)
        let old = try client.snacs()
        var reader = WireReader(try #require(old.first { $0.kind == Rates.kind }).body)
        #expect(try Rates(from: &reader, hasState: false).classes.map(\.id) == [1, 2, 3, 4, 5])
        #expect(try #require(old.last).message(SelfInfo.self).blocks.count == 1)
        client.send(1, 0x17, "0001 0004")
        client.send(1, 6)
        client.send(1, 0x0E)
        let new = try client.snacs()
        #expect(try #require(new.first { $0.kind == Rates.kind }).message(Rates.self).classes[2].limit == 4_000)
        let info = try #require(new.last).message(SelfInfo.self)
        #expect(info.blocks.count == 2)
        #expect(info.blocks[0].name.display == "Alice Test")
        #expect(info.blocks[1].tlvs[0x14] == [1])
        #expect(info.blocks[0].tlvs.entries.count { $0.tag == 3 } == 2)
    }

    @Test func limitsAreToldToWhoAsks() throws {
        let client = try World().connect(as: "Alice Test", "alicepw")
        _ = try client.snacs()
        for family in [2, 3, 9, 0x13] as [UInt16] { client.send(family, 2) }
        client.send(4, 4)
        #expect(try client.snacs().map(\.kind.description) == ["02/03", "03/03", "09/03", "13/03", "04/05"])
    }

    @Test func anUnknownRequestIsRefusedAndTheConnectionLives() throws {
        let client = try World().alice()
        _ = try client.snacs()
        client.send(0x15, 2, "0001 0000", requestID: 99)
        let refusal = try #require(try client.snacs().first)
        #expect(try refusal.encoded() == bytes("0015 0001 0000 00000063 0001"))
        #expect(!client.isClosed)
    }

    @Test(
        arguments: [
            "2A 02 0000 0006 0004 0006 0000", "2A 02 0000 000A 0004 0006 0000 00000007",
            "2A 02 0000 0013 0002 0004 0000 00000007 0005 0005 0102030405",
            "2A 02 0000 000C 0001 0016 8000 00000007 0000", "2A 02 0000 000A 0001 001F 0000 00000007",
            "2A 01 0000 0004 00000001", "2A 03 0000 0000", "2A 07 0000 0000", "2A 04 0000 0000",
        ]
    )
    func whatCannotBeReadEndsTheConnectionWithoutAWord(_ text: String) throws {
        let client = try World().alice()
        _ = client.world.received(on: client.id)
        client.world.send(bytes(text), on: client.id)
        #expect(client.isClosed)
        #expect(client.world.received(on: client.id) == [])
    }

    @Test func keepAlivesAreTakenAndNotAnswered() throws {
        let client = try World().alice()
        _ = client.world.received(on: client.id)
        client.world.send(bytes("2A 05 1234 0000"), on: client.id)
        #expect(!client.isClosed)
        #expect(client.world.received(on: client.id) == [])
    }

    @Test(
        arguments: [
            ("", "004A 0001 01", true, true), ("004A 0001 00", "", true, true),
            ("004A 0001 03", "004A 0001 03", true, false),
            ("004A 0001 01", "004A 0001 00", true, false), ("004A 0001 01", "004A 0001 01", false, false),
        ]
    )
    func aSecondSignOnMeetsTheFirst(_ first: String, _ second: String, _ isEnded: Bool, _ isBare: Bool) throws {
        let world = try World()
        let old = try world.alice(sessions: first)
        _ = try old.snacs()
        let new = try world.connect(as: "alicetest", "alicepw", sessions: second)
        #expect(!new.isClosed)
        #expect(old.isClosed == isEnded)
        let rest = world.received(on: old.id)
        if isBare {
            #expect(rest.count == 4)
            #expect(rest.starts(with: [0x2A, 4]))
            #expect(rest.withUnsafeBytes { FLAPFrame.Ending(rest: $0) } == .bareSignOff)
        } else if isEnded {
            #expect(rest.dropFirst(6).starts(with: bytes("0009 0001 01 000B")))
        } else {
            #expect(rest.isEmpty)
        }
    }

    @Test func anAccountHasFiveSessionsAndNoMore() throws {
        let world = try World()
        for _ in 0..<5 { _ = try world.alice(sessions: "004A 0001 01") }
        let sixth = try world.logIn("alice test", "alicepw", sessions: "004A 0001 01")
        #expect(try sixth.result() == .refused(.tooFast))
    }
}
