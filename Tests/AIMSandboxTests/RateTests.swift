import AIMSandbox
import OSCARWire
import Testing

@Suite struct RateTests {
    @Test func eightTextsAtOnceGoThroughTheNextVanishAndTheFifteenthEndsTheSession() throws {
        let world = try World()
        let (alice, bob) = (try world.alice(), try world.bob())
        _ = (try alice.snacs(), try bob.snacs())
        for _ in 0..<14 { alice.say("hi", to: "bobtest") }
        #expect(try bob.all(IncomingMessage.self).count == 8)
        // Not a word about the others.
        #expect(try alice.snacs().map(\.kind) == [SNACKind](repeating: MessageAck.kind, count: 8))
        #expect(!alice.isClosed)
        alice.say("hi", to: "bobtest")
        #expect(alice.isClosed)
        let last = try #require(try world.frames(on: alice.id).last)
        #expect(last.channel == .signOff)
        #expect(last.payload.starts(with: bytes("0009 0001 01 000B")))
    }

    @Test func warningsComeInASilenceAndToThoseWhoAskedForThem() throws {
        let world = try World()
        let (alice, bob) = (try world.alice(), try world.bob())
        alice.send(1, 8, "0001 0002 0003 0004 0005")
        _ = (try alice.snacs(), try bob.snacs())
        for _ in 0..<10 { alice.say("hi", to: "bobtest") }
        bob.say("hi", to: "nobody")
        world.wait(milliseconds: 999)
        #expect(try alice.all(RateChange.self).isEmpty)
        world.wait(milliseconds: 1)
        let warnings = try alice.all(RateChange.self)
        #expect(warnings.map(\.event) == [.limited])
        #expect(warnings[0].rateClass.id == 3)
        #expect(warnings[0].rateClass.state?.isDropping == true)
        world.wait(milliseconds: 1_000)
        #expect(try alice.snacs().isEmpty)
        world.wait(milliseconds: 40_000)
        #expect(try alice.all(RateChange.self).map(\.event) == [.cleared])
        alice.say("again", to: "bobtest")
        #expect(try alice.all(MessageAck.self).count == 1)
        #expect(try bob.all(RateChange.self).isEmpty)
    }

    @Test func aTextEachSixSecondsNeverMeetsALimit() throws {
        let world = try World()
        let (alice, bob) = (try world.alice(), try world.bob())
        _ = try bob.snacs()
        for _ in 0..<50 {
            alice.say("hi", to: "bobtest")
            world.wait(milliseconds: 6_000)
        }
        #expect(try bob.all(IncomingMessage.self).count == 50)
        #expect(!alice.isClosed)
    }
}
