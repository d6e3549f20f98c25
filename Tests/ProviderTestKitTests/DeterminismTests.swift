import ProviderKit
import ProviderTestKit
import Testing

@Suite struct DeterminismTests {
    /// Plays a long scenario with all kinds of faults.
    static func play(seed: UInt64) throws -> Simulation {
        let simulation = Simulation(seed: seed)
        simulation.router = .busy
        simulation.faults = .random(oneIn: 30)
        let server = LineServer()
        server.setUp(simulation.network)
        let line = try simulation.start(
            TestedPlugin(LineProvider.self),
            settings: ["server": "im.example", "domain": "line.example"]
        )
        let names = ["alice", "bob", "carol", "dave"].compactMap { Address(user: $0, domain: "home.example") }
        let peer = try #require(Address("peer@line.example"))
        for round in 0..<25 {
            for (index, name) in names.enumerated() {
                let marker = Marker(4 * round + index)
                line.deliver(Envelope(from: name, to: peer, content: .message(Message(text: "\(marker)"))))
            }
            server.say(Marker(1000 + round))
            simulation.run(for: .seconds(20))
        }
        try simulation.finish()
        return simulation
    }

    @Test func oneSeedTakesOneWayAndAnotherSeedAnother() throws {
        let first = try Self.play(seed: 11)
        let second = try Self.play(seed: 11)
        let other = try Self.play(seed: 12)
        #expect(first.traceHash == second.traceHash)
        #expect(first.eventCount == second.eventCount)
        #expect(first.eventCount > 500)
        #expect(first.traceHash != other.traceHash)
    }

    /// Every process hashes in another way, and nothing of the kit's may come of it.
    @Test(.timeLimit(.minutes(1))) func anotherProcessTakesTheSameWay() async throws {
        let own = try Self.play(seed: 13).traceHash
        let result = await #expect(processExitsWith: .success, observing: [\.standardOutputContent]) {
            print("trace hash \(try DeterminismTests.play(seed: 13).traceHash)")
        }
        let output = String(decoding: try #require(result).standardOutputContent, as: UTF8.self)
        #expect(output.contains("trace hash \(own)"))
    }
}
