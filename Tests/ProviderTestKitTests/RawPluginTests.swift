import CPlugboard
import Glibc
import ProviderKit
import ProviderTestKit
import Testing

/// Rules that only a plugin on the bare ABI can break.
@Suite struct RawPluginTests {
    private func rule(_ raw: RawPlugin, _ script: (Simulation, SimulatedInstance) -> Void = { _, _ in }) throws
        -> Violation.Rule?
    {
        let simulation = Simulation(seed: 5)
        let instance = try simulation.start(raw.tested())
        script(simulation, instance)
        simulation.run(for: .seconds(10))
        return simulation.violation?.rule
    }

    private static func message() throws -> Envelope {
        let alice = try #require(Address("alice@home.example"))
        return Envelope(from: alice, to: alice, content: .message(Message(text: "hello")))
    }

    @Test func aGapInTheTableIsFound() throws {
        let raw = RawPlugin()
        raw.forgetWritable()
        #expect(try rule(raw) == .incompleteTable)
    }

    @Test func aDeliverThatTookMoreThanThereWasIsFound() throws {
        let raw = RawPlugin()
        raw.onDeliver = { $1.count + 1 }
        let message = try Self.message()
        #expect(try rule(raw) { $1.deliver(message) } == .tookTooMuch)
    }

    @Test func aTokenThatNeverWasIsFound() throws {
        let raw = RawPlugin()
        raw.onStart = { $0.complete(17) == PLUGBOARD_E_HANDLE ? PLUGBOARD_OK : PLUGBOARD_E_INVALID }
        #expect(try rule(raw) == .unknownToken)
    }

    @Test func aStreamThatNeverWasIsFound() throws {
        let raw = RawPlugin()
        raw.onStart = { $0.write(17, count: 1) == PLUGBOARD_E_HANDLE ? PLUGBOARD_OK : PLUGBOARD_E_INVALID }
        #expect(try rule(raw) == .unknownHandle)
    }

    @Test func aConsumptionOfMoreThanWasOfferedIsFound() throws {
        let raw = RawPlugin()
        raw.onStart = {
            _ = $0.connect("im.example")
            return PLUGBOARD_OK
        }
        raw.onReceived = { $2 + 1 }
        let found = try ruleWithPeer(raw) { $0.write("hello\n") }
        #expect(found == .consumedTooMuch)
    }

    private func ruleWithPeer(_ raw: RawPlugin, _ greet: @escaping (PeerConnection) -> Void) throws -> Violation.Rule? {
        let simulation = Simulation(seed: 5)
        simulation.network.listen("im.example", port: 7000) { $0.onOpened = greet }
        _ = try simulation.start(raw.tested())
        simulation.run(for: .seconds(10))
        return simulation.violation?.rule
    }

    @Test func aCallOfTheHostOutsideOfACallIsFound() throws {
        let raw = RawPlugin()
        #expect(try rule(raw) { _, _ in _ = raw.startTimer(1) } == .outsideCallback)
    }

    @Test func aCallOnAnotherThreadIsFoundAndRefused() throws {
        let raw = RawPlugin()
        raw.onStart = { raw in
            var thread = pthread_t()
            pthread_create(
                &thread,
                nil,
                { pointer in
                    let raw = RawPlugin.from(pointer)
                    // The clocks may be asked by anybody.
                    _ = raw.host?.pointee.monotonic_ns(raw.host?.pointee.context)
                    raw.causes = [UInt32(bitPattern: raw.startTimer(1))]
                    return nil
                },
                Unmanaged.passUnretained(raw).toOpaque()
            )
            pthread_join(thread, nil)
            return PLUGBOARD_OK
        }
        raw.onFired = { raw, _ in raw.calls.append("never") }
        #expect(try rule(raw) { simulation, instance in try? simulation.finish() } == .wrongThread)
        #expect(raw.causes == [UInt32(bitPattern: PLUGBOARD_E_SHUTDOWN)])
        #expect(!raw.calls.contains("fired"))
    }

    @Test func aRightOneBreaksNothing() throws {
        let raw = RawPlugin()
        raw.onDeliver = { raw, tokens in
            for token in tokens { _ = raw.complete(token) }
            return tokens.count
        }
        let message = try Self.message()
        #expect(
            try rule(raw) { simulation, instance in
                instance.deliver(message)
                try? simulation.finish()
            } == nil
        )
        #expect(raw.calls == ["drain", "stop", "destroy"])
    }
}
