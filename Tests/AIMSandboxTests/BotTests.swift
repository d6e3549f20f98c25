import AIMSandbox
import OSCARWire
import Testing

@Suite struct BotTests {
    @Test func theEchoAnswersATextAndNoAutomaticOne() throws {
        let world = try World()
        world.network.addBot(Account(name: try ScreenName("EchoBot"), password: ""), .echo, now: world.now)
        let alice = try world.alice()
        _ = try alice.snacs()
        alice.say("hello", to: "echobot")
        let answers = try alice.all(IncomingMessage.self)
        #expect(answers.map(\.sender.name.display) == ["EchoBot"])
        #expect(try answers[0].text()?.markup == "hello")
        #expect(answers[0].isAutomatic)
        alice.say("hello", to: "echobot", tlvs: "0004 0000")
        #expect(try alice.all(IncomingMessage.self).isEmpty)
    }

    @Test func theOtherComesAndGoes() throws {
        let world = try World()
        world.network.addBot(
            Account(name: try ScreenName("ComeAndGo"), password: ""),
            .comingAndGoing(nextAt: world.now + 10_000),
            now: world.now
        )
        let alice = try world.alice()
        alice.send(3, 4, "09\"comeandgo\"")
        #expect(try alice.all(BuddyArrived.self).first?.user.flags.contains(.bot) == true)
        world.wait(milliseconds: 10_000)
        #expect(try alice.all(BuddyDeparted.self).count == 1)
        world.wait(milliseconds: 10_000)
        #expect(try alice.all(BuddyArrived.self).count == 1)
    }
}
