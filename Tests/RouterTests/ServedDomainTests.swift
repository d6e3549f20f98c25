import ProviderKit
import Testing

@testable import Router

/// Home domains whose users a provider serves, such as a component of the organisation's own XMPP server.
@Suite(.timeLimit(.minutes(1))) struct ServedDomainTests {
    private var setup: Setup {
        var setup = Setup()
        setup.moreDomains = ", office.example: {served_by: office}"
        return setup
    }

    private func envelope(_ from: String, _ to: String, _ text: String) throws -> Envelope {
        Envelope(
            from: try #require(Address(from)),
            to: try #require(Address(to)),
            id: text,
            content: .message(Message(text: text))
        )
    }

    @Test("The provider gets what is for the users of its domain, and speaks for them")
    func served() async throws {
        let office = Script("office", claims: ["office.example"])
        let network = Script("network", claims: ["net.example"])
        try await Rig.with(self.setup, [office, network]) { rig in
            #expect(rig.setups.allSatisfy { $0.problems.isEmpty })
            let out = try self.envelope("ann@office.example", "bob@net.example", "out")
            let back = try self.envelope("bob@net.example", "ann@office.example", "back")
            try await rig.send([out], by: office)
            try await rig.send([back], by: network)
            let outward = try await network.taken.wait(for: 1)
            let homeward = try await office.taken.wait(for: 1)
            #expect(outward.map(\.id) == ["out"])
            #expect(homeward.map(\.id) == ["back"])
        }
    }

    @Test("No other provider can claim a domain that is left to one")
    func notOthers() async throws {
        let network = Script("network", claims: ["office.example"])
        let office = Script("office", claims: ["office.example"])
        try await Rig.with(self.setup, [network, office]) { rig in
            #expect(rig.setups.first { $0.name == "network" }?.problems.isEmpty == false)
            #expect(rig.setups.first { $0.name == "office" }?.problems.isEmpty == true)
        }
    }

    @Test("The router's own users are served by nobody else")
    func own() async throws {
        let office = Script("office", claims: ["home.example"])
        try await Rig.with(self.setup, [office]) { rig in
            #expect(rig.setups.first?.problems.isEmpty == false)
        }
    }
}
