import CPlugboard
import ProviderKit
import ProviderTestKit
import Testing

/// What the router does with envelopes that a plugin keeps for too long, and with states that wait for room.
@Suite struct TakeBackTests {
    private func message(_ text: String) throws -> Envelope {
        let (alice, bob) = (try #require(Address("alice@home.example")), try #require(Address("bob@net.example")))
        return Envelope(from: alice, to: bob, content: .message(Message(text: text)))
    }

    @Test func whatIsNotSettledInTimeIsTakenBackAndOfferedAgain() throws {
        let simulation = Simulation(seed: 1)
        simulation.router.settleTime = .seconds(10)
        let raw = RawPlugin()
        var offers: [UInt64] = []
        raw.onDeliver = { _, tokens in
            offers += tokens
            return tokens.count
        }
        let instance = try simulation.start(raw.tested())
        let delivery = instance.deliver(try message("hello"))
        simulation.run(for: .milliseconds(9_999))
        #expect(delivery.outcomes.isEmpty)
        simulation.run(atMost: .seconds(60)) { offers.count == 2 }
        #expect(offers.count == 2 && offers[0] != offers[1])
        guard case .deferred(let reason)? = delivery.outcomes.first else {
            return #expect(Bool(false), "\(delivery.outcomes)")
        }
        #expect(reason.code == "overdue")
        #expect(delivery.attempts == 2)
    }

    @Test func whoSettlesWhatWasTakenBackIsToldSoAndHasBrokenNothing() throws {
        let simulation = Simulation(seed: 1)
        simulation.router.settleTime = .seconds(10)
        let raw = RawPlugin()
        var first: UInt64 = 0
        var answer = PLUGBOARD_OK
        raw.onDeliver = { raw, tokens in
            if first == 0 {
                first = tokens[0]
            } else {
                answer = raw.complete(first)
                for token in tokens { _ = raw.complete(token) }
            }
            return tokens.count
        }
        let instance = try simulation.start(raw.tested())
        let delivery = instance.deliver(try message("hello"))
        simulation.run(atMost: .seconds(120)) { delivery.isDelivered }
        #expect(answer == PLUGBOARD_E_HANDLE)
        try simulation.finish()
    }

    @Test func whoNeverSettlesIsFoundInSpiteOfTheTakingBack() throws {
        let simulation = Simulation(seed: 1)
        simulation.router.settleTime = .seconds(10)
        let raw = RawPlugin()
        var isFirst = true
        raw.onDeliver = { raw, tokens in
            // The first time it is forgotten, later not.
            if !isFirst { for token in tokens { _ = raw.complete(token) } }
            isFirst = false
            return tokens.count
        }
        let instance = try simulation.start(raw.tested())
        let delivery = instance.deliver(try message("hello"))
        let violation = #expect(throws: Violation.self) { try simulation.finish() }
        #expect(delivery.isDelivered)
        #expect(violation?.rule == .forgotten)
    }

    @Test func ofStatesThatWaitForRoomTheLatestIsOffered() throws {
        let simulation = Simulation(seed: 1)
        simulation.router.laneMax = 1
        let raw = RawPlugin()
        var offered = 0
        raw.onDeliver = { _, _ in 0 }
        raw.onStart = { $0.startTimer(30_000) }
        raw.onFired = { raw, _ in
            raw.onDeliver = { raw, tokens in
                offered += tokens.count
                for token in tokens { _ = raw.complete(token) }
                return tokens.count
            }
            raw.host?.pointee.ready(raw.host?.pointee.context)
        }
        let instance = try simulation.start(raw.tested())
        let first = instance.deliver(try message("in the way"))
        simulation.run(for: .seconds(1))
        var states: [SimulatedDelivery] = []
        for typing in [Typing.composing, .paused, .composing, .gone] {
            var envelope = try message("")
            envelope.content = .typing(typing)
            states.append(instance.deliver(envelope))
        }
        var other = try message("")
        other.content = .presence(Presence(.available))
        states.append(instance.deliver(other))
        let more = instance.deliver(try message("behind"))
        simulation.run(for: .seconds(60))
        #expect(states.map(\.isReplaced) == [true, true, true, false, false])
        #expect(states.map(\.isDelivered) == [false, false, false, true, true])
        #expect(first.isDelivered && more.isDelivered)
        #expect(offered == 4)
    }
}
