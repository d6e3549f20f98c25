import CPlugboard
import HostServices
import Lanes
import PluginHost
import Testing

@testable import Router

@Suite("Envelopes in flight, and conversations that wait")
struct TableTests {
    private let pools = SlabPools(workers: 1)

    private func envelope(_ conversation: UInt64, isDurable: Bool = true) -> RoutedEnvelope {
        let envelope = RoutedEnvelope(imageBytes: 0, from: pools, worker: 0)
        envelope.header.pointee.conversation = conversation
        envelope.header.pointee.isDurable = isDurable
        return envelope
    }

    @Test("A token names its envelope until it is removed, and never again")
    func tokens() {
        var table = InFlightTable()
        var seen: Set<UInt64> = [0]
        for round in 0..<100 {
            let envelopes = (0..<3).map { _ in envelope(UInt64(round)) }
            let tokens = envelopes.map { table.insert($0) }
            for token in tokens {
                let isNew = seen.insert(token).inserted
                #expect(isNew)
            }
            #expect(table.count == 3)
            #expect(table.count(of: UInt64(round)) == 3)
            for (token, envelope) in zip(tokens, envelopes) {
                #expect(table.envelope(of: token)?.word == envelope.word)
                let removed = [table.remove(token), table.remove(token)]
                #expect(removed.map { $0?.word } == [envelope.word, nil])
                envelope.release(to: pools, worker: 0)
            }
            #expect(table.count(of: UInt64(round)) == 0)
        }
        #expect(table.envelope(of: 0) == nil)
        #expect(table.envelope(of: .max) == nil)
        #expect(table.count == 0)
        #expect(pools.outstanding == 0)
    }

    @Test("Only durable envelopes are counted by conversation")
    func countsOfConversation() {
        var table = InFlightTable()
        let envelopes = [envelope(1), envelope(1, isDurable: false), envelope(2)]
        let tokens = envelopes.map { table.insert($0) }
        #expect(table.count(of: 1) == 1)
        #expect(table.count(of: 2) == 1)
        #expect(table.count(of: 3) == 0)
        _ = table.remove(tokens[0])
        #expect(table.count(of: 1) == 0)
        let rest = table.removeAll()
        #expect(rest.count == 2)
        #expect(table.count == 0)
        for envelope in envelopes { envelope.release(to: pools, worker: 0) }
    }

    @Test("A parked conversation is loaded once its time has come and nothing of it is in flight")
    func parked() {
        var parked = ParkedConversations()
        #expect(!parked.contains(1))
        let results = [parked.park(1, key: "a|b"), parked.park(1, key: "a|b")]
        #expect(results == [true, false], "the second time it is parked already, and its time stands")
        #expect(parked.contains(1))
        let early = [
            parked.settled(1, inFlight: 0),  // its time has not come
            parked.due(1, inFlight: 2),  // some are in flight
            parked.settled(1, inFlight: 1),
            parked.settled(2, inFlight: 0),  // another conversation
        ]
        #expect(early == [nil, nil, nil, nil])
        let loads = [parked.settled(1, inFlight: 0), parked.settled(1, inFlight: 0), parked.due(1, inFlight: 0)]
        #expect(loads == ["a|b", nil, nil], "once")
        #expect(parked.contains(1), "until its messages follow")
        parked.unpark(1)
        #expect(!parked.contains(1))
        #expect(parked.count == 0)
    }

    @Test("A reason is cut at a whole character", arguments: [("x", 1024), ("é", 512), ("€", 341), ("😀", 256)])
    func reason(character: String, kept: Int) {
        let text = String(repeating: character, count: 1100)
        let reason = withTexts([text]) { texts in
            var outcome = plugboard_outcome_t()
            outcome.reason = texts[0]
            return FailureReason(outcome)
        }
        #expect(reason.text == String(repeating: character, count: kept))
    }
}
