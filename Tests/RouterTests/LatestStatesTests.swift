import CPlugboard
import Lanes
import PluginHost
import ProviderKit
import Testing

@testable import Router

@Suite("Presence and typing that wait for room", .timeLimit(.minutes(1)))
struct LatestStatesTests {
    private func typing(_ state: Typing, to: String = "user@partner.example") -> Envelope {
        guard let from = Address("pump@home.example"), let to = Address(to) else {
            preconditionFailure("these are addresses")
        }
        return Envelope(from: from, to: to, content: .typing(state))
    }

    private let pump = Script("pump", claims: ["pump@home.example"])

    /// A provider that takes nothing until it is told to.
    private func net() -> Script { Script("net", claims: ["partner.example"]) { _, _ in false } }

    private func open(_ net: Script, in rig: Rig) async throws {
        try await rig.on(net) { provider in
            net.onDeliver = { _, delivery in
                delivery.complete(.delivered)
                return true
            }
            provider.host.ready()
        }
    }

    @Test("Behind a full lane only the latest of a sender's to a recipient is kept, and none is refused")
    func latestWins() async throws {
        let net = net()
        var setup = Setup.tiny(isDurable: false)
        setup.limits.inFlightMax = 4
        try await Rig.with(setup, [pump, net]) { rig in
            // More than lane and offer hold; the recipients take turns.
            let all = (0..<400).map { index in
                typing(Typing.allCases[index % 5], to: "user\(index % 2)@partner.example")
            }
            let last = [typing(.gone, to: "user0@partner.example"), typing(.paused, to: "user1@partner.example")]
            try await rig.send(all + last, by: pump)
            #expect(pump.busy.all.isEmpty)
            #expect(try await pump.answers.wait(for: 402).allSatisfy { $0.outcome == .accepted })
            let coalesced = Int(try await rig.status(of: "pump").counters.coalesced)
            #expect(coalesced > 0)
            try await open(net, in: rig)
            let taken = try await net.taken.wait(for: 402 - coalesced)
            for envelope in last {
                #expect(taken.last { $0.to == envelope.to }?.content == envelope.content)
            }
            #expect(taken.count == 402 - coalesced)
        }
    }

    @Test("Messages behind a full lane are never left out")
    func messages() async throws {
        let net = net()
        try await Rig.with(Setup.tiny(isDurable: false), [pump, net]) { rig in
            let messages = (0..<100).map {
                Envelope.message("\($0)", from: "pump@home.example", to: "user@partner.example")
            }
            try await rig.send(messages, by: pump)
            try await pump.busy.wait(for: 1)
            try await open(net, in: rig)
            #expect(try await net.taken.wait(for: 100).map(\.text) == messages.map(\.text))
            #expect(try await rig.status(of: "pump").counters.coalesced == 0)
        }
    }

    /// An envelope in memory of its own.
    private func routed(_ envelope: Envelope, _ pools: SlabPools, kind: UInt16) -> RoutedEnvelope {
        var from = Array(envelope.from.description.utf8)
        var to = Array(envelope.to.description.utf8)
        let routed = RoutedEnvelope(imageBytes: 1024, from: pools, worker: 0)
        var source = plugboard_envelope_t()
        var content = plugboard_typing_t()
        source.struct_size = UInt32(MemoryLayout<plugboard_envelope_t>.size)
        content.struct_size = UInt32(MemoryLayout<plugboard_typing_t>.size)
        source.kind = kind
        from.withUnsafeMutableBufferPointer { from in
            to.withUnsafeMutableBufferPointer { to in
                withUnsafePointer(to: content) { content in
                    source.from = plugboard_bytes_t(start: UnsafePointer(from.baseAddress), count: from.count)
                    source.to = plugboard_bytes_t(start: UnsafePointer(to.baseAddress), count: to.count)
                    source.content = UnsafeRawPointer(content)
                    FlatEnvelope.copy(&source, to: routed.image)
                }
            }
        }
        return routed
    }

    @Test("At the limit the next one is refused, unless it takes the place of an older one")
    func limit() {
        let pools = SlabPools(workers: 1)
        var states = LatestStates(countMax: 2)
        func make(_ to: String) -> RoutedEnvelope { routed(typing(.gone, to: to), pools, kind: PLUGBOARD_TYPING) }
        let envelopes = ["a@x", "b@x", "c@x", "a@x"].map(make)
        if case .waits = states.put(envelopes[0]) {} else { Issue.record("the first waits") }
        if case .waits = states.put(envelopes[1]) {} else { Issue.record("the second waits") }
        if case .full = states.put(envelopes[2]) {} else { Issue.record("the third is one too many") }
        if case .replaced(let older) = states.put(envelopes[3]) {
            #expect(older.word == envelopes[0].word)
        } else {
            Issue.record("the fourth is a newer first")
        }
        #expect(states.count == 2)
        let none = states.pass { _, _ in false }
        #expect(none == 0)
        var passed: [UInt] = []
        let all = states.pass { envelope, _ in
            passed.append(envelope.word)
            return true
        }
        #expect(all == 2)
        #expect(passed == [envelopes[3].word, envelopes[1].word])
        #expect(states.isEmpty)
        for envelope in envelopes { envelope.release(to: pools, worker: 0) }
        #expect(pools.outstanding == 0)
    }
}
