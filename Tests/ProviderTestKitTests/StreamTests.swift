import CPlugboard
import ProviderTestKit
import Testing

/// Streams as the real host has them.
@Suite struct StreamTests {
    private func world(_ raw: RawPlugin, seed: UInt64 = 9, _ accept: @escaping (PeerConnection) -> Void) throws
        -> Simulation
    {
        let simulation = Simulation(seed: seed)
        simulation.network.listen("im.example", port: 7000, accept: accept)
        _ = try simulation.start(raw.tested())
        return simulation
    }

    private func connecting(to host: String = "im.example", port: UInt16 = 7000, timeoutMs: UInt32 = 0) -> RawPlugin {
        let raw = RawPlugin()
        raw.onStart = {
            _ = $0.connect(host, port: port, timeoutMs: timeoutMs)
            return PLUGBOARD_OK
        }
        return raw
    }

    @Test func whatCannotBeConnectedIsClosedWithTheCause() throws {
        let nobody = connecting(to: "nowhere.example")
        try world(nobody) { _ in }.run(for: .seconds(5))
        #expect(nobody.causes == [PLUGBOARD_CLOSED_NAME_FAILED])
        let silent = connecting(port: 7001)
        try world(silent) { _ in }.run(for: .seconds(5))
        #expect(silent.causes == [PLUGBOARD_CLOSED_CONNECT_FAILED])
        #expect(silent.calls == ["closed"])
    }

    @Test func aFullWindowMakesWritesHighUntilThePeerReads() throws {
        let raw = connecting()
        var answers: [plugboard_status_t] = []
        raw.onOpened = { raw, stream, _ in
            for _ in 0..<3 { answers.append(raw.write(stream, count: 60_000)) }
        }
        var peer: PeerConnection?
        let simulation = try world(raw) {
            $0.isReading = false
            peer = $0
        }
        simulation.limits.writeHighWater = 100_000
        simulation.limits.writeBufferMax = 150_000
        simulation.run(for: .seconds(10))
        // The window of 64 KiB empties only between calls.
        #expect(answers == [PLUGBOARD_OK, PLUGBOARD_HIGH, PLUGBOARD_E_LIMIT])
        #expect(!raw.calls.contains("writable"))
        peer?.isReading = true
        simulation.run(for: .seconds(10))
        #expect(raw.calls.count { $0 == "writable" } == 1)
    }

    @Test(arguments: 1...UInt64(20))
    func aSlowPeerReadsAsManyBytesAsItIsSaidToAlsoOutOfSmallSegments(seed: UInt64) throws {
        let raw = connecting()
        raw.onOpened = { raw, stream, _ in _ = raw.write(stream, count: 2000) }
        var readCount = 0
        let simulation = try world(raw, seed: seed) {
            $0.bytesPerSecond = 200
            $0.onReceived = { bytes, _ in readCount += bytes.count }
        }
        simulation.network.conditions = .narrow
        simulation.run(for: .seconds(15))
        #expect(readCount == 2000)
    }

    @Test func whatIsNotConsumedIsOfferedAgainWithWhatFollows() throws {
        let raw = connecting()
        var offers: [Int] = []
        raw.onReceived = { _, _, count in
            offers.append(count)
            return count < 10 ? 0 : 10
        }
        let simulation = try world(raw) { peer in
            peer.onOpened = { $0.write("12345") }
        }
        simulation.network.conditions.splitOneIn = 0
        simulation.run(for: .seconds(1))
        #expect(offers == [5])
        #expect(raw.causes.isEmpty)
    }

    @Test(arguments: [(1999, []), (2000, [PLUGBOARD_CLOSED_PROTOCOL])])
    func moreThanInputMaxUnconsumedEndsTheStream(_ count: Int, _ causes: [UInt32]) throws {
        let raw = connecting()
        raw.onReceived = { _, _, _ in 0 }
        let simulation = Simulation(seed: 9)
        simulation.limits.inputMax = 1999
        simulation.network.listen("im.example", port: 7000) { peer in
            peer.onOpened = { $0.write([UInt8](repeating: 1, count: count)) }
        }
        _ = try simulation.start(raw.tested())
        simulation.run(for: .seconds(5))
        #expect(raw.causes == causes)
    }

    @Test func theEndOfThePeerComesAfterItsBytes() throws {
        let raw = connecting()
        raw.onReceived = { raw, _, count in
            raw.calls.append("received")
            return count
        }
        let simulation = try world(raw) { peer in
            peer.onOpened = {
                $0.write("last words")
                $0.close()
            }
        }
        simulation.network.conditions.splitOneIn = 0
        simulation.run(for: .seconds(5))
        #expect(raw.calls == ["opened", "received", "closed"])
        #expect(raw.causes == [PLUGBOARD_CLOSED_BY_PEER])
    }

    @Test func aSilentConnectionIsGivenUpWhenNobodyAcknowledges() throws {
        let raw = connecting()
        raw.onOpened = { raw, stream, _ in _ = raw.write(stream, count: 10) }
        var peer: PeerConnection?
        let simulation = try world(raw) { peer = $0 }
        simulation.faults = .at(1, .halfOpen)
        simulation.run(for: .seconds(900))
        #expect(raw.causes.isEmpty)
        #expect(peer?.isOpen == true)
        simulation.run(for: .seconds(60))
        #expect(raw.causes == [PLUGBOARD_CLOSED_ERROR])
    }

    @Test func plaintextBehindSTARTTLSEndsTheStream() throws {
        let raw = connecting()
        raw.onReceived = { raw, stream, count in
            #expect(raw.startTLS(stream) == PLUGBOARD_OK)
            #expect(raw.write(stream, count: 1) == PLUGBOARD_E_STATE)
            return 3
        }
        let simulation = try world(raw) { peer in
            peer.onOpened = { $0.write("go\ninjected\n") }
        }
        simulation.network.conditions.splitOneIn = 0
        simulation.run(for: .seconds(30))
        #expect(raw.calls == ["opened", "closed"])
        #expect(raw.causes == [PLUGBOARD_CLOSED_PROTOCOL])
    }

    @Test func startTLSOpensTheStreamAgain() throws {
        let raw = connecting()
        raw.onReceived = { raw, stream, count in
            _ = raw.startTLS(stream)
            return count
        }
        var tls: plugboard_tls_info_t?
        raw.onOpened = { tls = $2 }
        let simulation = try world(raw) { peer in
            peer.onOpened = { peer in
                guard !peer.isEncrypted else { return }
                peer.write("go\n")
                peer.startTLS(PeerTLS(SimulatedCertificate("im.example")))
            }
        }
        simulation.network.conditions.splitOneIn = 0
        simulation.run(for: .seconds(30))
        #expect(raw.calls == ["opened", "opened with TLS"])
        #expect(tls?.flags == PLUGBOARD_TLS_HAS_CERTIFICATE | PLUGBOARD_TLS_TRUSTED)
    }

    @Test func aPeerThatNeverStartsTLSIsGivenUp() throws {
        let raw = connecting()
        raw.onReceived = { raw, stream, count in
            _ = raw.startTLS(stream)
            return count
        }
        let simulation = try world(raw) { peer in peer.onOpened = { $0.write("go\n") } }
        simulation.network.conditions.splitOneIn = 0
        simulation.run(for: .seconds(30))
        #expect(raw.causes == [PLUGBOARD_CLOSED_TLS])
    }

    @Test func nothingComesAfterStop() throws {
        let raw = connecting()
        let simulation = Simulation(seed: 2)
        simulation.network.listen("im.example", port: 7000) { $0.onOpened = { $0.write("hello") } }
        let instance = try simulation.start(raw.tested())
        instance.stop()
        simulation.run(for: .seconds(100))
        #expect(raw.calls == ["closed", "stop", "destroy"])
        #expect(raw.causes == [PLUGBOARD_CLOSED_BY_US])
    }

    @Test func aConnectionComesInAndGoes() throws {
        let raw = RawPlugin()
        raw.onStart = {
            $0.listen(port: 6000)
            return PLUGBOARD_OK
        }
        let simulation = Simulation(seed: 2)
        let instance = try simulation.start(raw.tested())
        let peer = simulation.network.connect(to: instance, port: 6000) { _ in }
        simulation.run(for: .seconds(1))
        #expect(raw.calls == ["accepted", "opened"])
        peer.reset()
        simulation.run(for: .seconds(1))
        #expect(raw.calls == ["accepted", "opened", "closed"])
        #expect(raw.causes == [PLUGBOARD_CLOSED_ERROR])
        let refused = simulation.network.connect(to: instance, port: 6001) { _ in }
        simulation.run(for: .seconds(1))
        #expect(!refused.isOpen)
    }
}
