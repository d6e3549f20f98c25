import EchoProviderLogic
import ProviderKit
import ProviderTestKit
import Testing

@Suite struct EchoConformanceTests {
    @Test(arguments: Conformance.Check.allCases)
    func theEchoProviderConforms(to check: Conformance.Check) throws {
        let address = try #require(Address("echo@world.example"))
        var conformance = Conformance(
            TestedPlugin(EchoProvider.self),
            settings: ["address": "echo@world.example", "prefix": "You wrote: "],
            to: address
        )
        conformance.refused = [[:], ["address": "no address"], ["address": "echo@world.example", "adress": "twice"]]
        try conformance.run(check)
    }

    @Test func anAnswerComesForEachMessage() throws {
        let simulation = Simulation(seed: 7)
        simulation.router = .busy
        let echo = try simulation.start(
            TestedPlugin(EchoProvider.self),
            settings: ["address": "echo@world.example", "prefix": "> "]
        )
        let alice = try #require(Address("alice@home.example"))
        let address = try #require(Address("echo@world.example"))
        for number in 1...10 {
            echo.deliver(Envelope(from: alice, to: address, content: .message(Message(text: "hello \(number)"))))
        }
        simulation.run(for: .seconds(60))
        #expect(echo.claims == ["echo@world.example"])
        #expect(
            echo.submitted.map(\.content)
                == (1...10).map { .message(Message(text: "> hello \($0)")) }
        )
        try simulation.finish()
    }
}
