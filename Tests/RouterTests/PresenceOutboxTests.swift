import ProviderKit
import Testing

@testable import Router

@Suite("Presence that waits to be handed in")
struct PresenceOutboxTests {
    private func presence(_ status: String, to: String, device: String = "d") throws -> Envelope {
        let from = try #require(Address("alice@home.example"))
        var envelope = Envelope(
            from: from,
            to: try #require(Address(to)),
            content: .presence(Presence(.available, status: status))
        )
        envelope.fromDevice = device
        return envelope
    }

    private func status(_ envelope: Envelope) -> String {
        if case .presence(let presence) = envelope.content { presence.status } else { "" }
    }

    @Test("The latest value takes the place of the one that waits, in its turn")
    func latest() throws {
        var outbox = PresenceOutbox()
        outbox.put(try presence("1", to: "b@x.example"))
        outbox.put(try presence("2", to: "c@x.example"))
        outbox.put(try presence("3", to: "b@x.example"))
        outbox.put(try presence("4", to: "b@x.example", device: "e"))
        var taken: [String] = []
        outbox.offer { envelope in
            guard taken.count < 2 else { return false }
            taken.append(status(envelope))
            return true
        }
        #expect(taken == ["3", "2"])
        #expect(outbox.count == 1)
        outbox.offer { envelope in
            taken.append(status(envelope))
            return true
        }
        #expect(taken == ["3", "2", "4"])
        #expect(outbox.isEmpty)
    }

    @Test("The last place is taken, and one more is refused; a newer value needs none")
    func limit() throws {
        var outbox = PresenceOutbox()
        let results: [Bool] = try ["b@x.example", "c@x.example", "d@x.example", "b@x.example"].map {
            outbox.put(try presence("s", to: $0), countMax: 2)
        }
        #expect(results == [true, true, false, true])
        #expect(outbox.count == 2)
    }
}
