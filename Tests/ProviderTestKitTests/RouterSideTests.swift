import ProviderKit
import ProviderTestKit
import Testing

/// What the simulated router does with envelopes, settings and services.
@Suite struct RouterSideTests {
    /// A provider that does with a delivery what a test says.
    private final class Sink: Provider {
        static let descriptor = Descriptor(
            id: "org.example.sink",
            name: "Sink",
            version: "1",
            vendor: "Example",
            capabilities: [],
            settings: [
                SettingSchema("wait", .duration(0...60_000), standard: "5s", help: "How long."),
                SettingSchema("size", .size(0...65536), standard: "64KiB", help: "How much."),
                SettingSchema("name", .string, isRequired: true, help: "Who."),
                SettingSchema("hosts[].port", .integer(1...65535), standard: "7", help: "Where."),
                SettingSchema("hosts[].name", .string, help: "Whose."),
                SettingSchema("mode", .choice(["one", "two"]), help: "Which."),
            ]
        )

        let host: Host
        let settings: Settings
        var onDeliver: (Sink, Delivery) -> Bool = {
            $1.complete(.delivered)
            return true
        }

        init(host: Host, instance: InstanceInfo) throws(ProviderError) {
            self.host = host
            settings = instance.settings
        }

        func start() throws(ProviderError) {}
        func deliver(_ delivery: Delivery) -> Bool { onDeliver(self, delivery) }
    }

    private func message(_ text: String, to user: String = "bob") throws -> Envelope {
        let alice = try #require(Address("alice@home.example"))
        let to = try #require(Address("\(user)@sink.example"))
        return Envelope(from: alice, to: to, content: .message(Message(text: text)))
    }

    @Test func settingsAreFilledInAndConverted() throws {
        let values = try settings(["name": "x", "hosts[0].name": "a", "hosts[1].name": "b", "size": "2KiB"])
        #expect(values["wait"] == "5000")
        #expect(values["size"] == "2048")
        #expect(values["hosts[0].port"] == "7")
        #expect(values["hosts[1].port"] == "7")
        #expect(values["mode"] == nil)
    }

    @Test(
        arguments: [
            ([:], "name is missing"), (["name": "x", "nme": "y"], "nme is no setting"),
            (["name": "x", "wait": "2m"], "wait must be 0 to 60000, not 120000"),
            (["name": "x", "mode": "three"], "mode is none of one|two"),
            (["name": "x", "size": "much"], "size cannot be \"much\""),
        ] as [([String: String], String)]
    )
    func wrongSettingsAreRefusedWithASentence(_ written: [String: String], _ sentence: String) {
        let refusal = #expect(throws: InstanceRefusal.self) { _ = try settings(written) }
        #expect(refusal?.description.contains(sentence) == true, "\(refusal?.description ?? "")")
    }

    private func settings(_ written: [String: String]) throws -> Settings {
        let simulation = Simulation(seed: 1)
        let instance = try simulation.start(TestedPlugin(Sink.self), settings: written)
        return try #require(instance.provider(as: Sink.self)).settings
    }

    @Test func whatIsDeferredComesAgainInOrder() throws {
        let simulation = Simulation(seed: 3)
        let instance = try simulation.start(TestedPlugin(Sink.self), settings: ["name": "x"])
        var log: [String] = []
        var isDown = true
        try #require(instance.provider(as: Sink.self)).onDeliver = { sink, delivery in
            guard case .message(let message) = delivery.envelope.content else { return false }
            log.append("\(message.text)\(delivery.envelope.isRedelivered ? " again" : "")")
            delivery.complete(isDown ? .deferred(Outcome.Reason(.unavailable, "down", retryAfter: 60_000)) : .delivered)
            return true
        }
        simulation.router.batchMax = 1
        let first = instance.deliver(try message("1"))
        let second = instance.deliver(try message("2"))
        let other = instance.deliver(try message("3", to: "carol"))
        simulation.run(for: .seconds(59))
        #expect(log == ["1", "3"])
        isDown = false
        simulation.run(for: .seconds(10))
        #expect(log.filter { !$0.hasPrefix("3") } == ["1", "1 again", "2"])
        #expect(log.contains("3 again"))
        #expect(first.isDelivered && second.isDelivered && other.isDelivered)
        #expect(first.attempts == 2 && second.attempts == 1)
        try simulation.finish()
    }

    @Test func theServicesOfTheHostAreTheRealOnes() throws {
        let simulation = Simulation(seed: 3)
        simulation.network.name("www.example", address: "192.0.2.80")
        simulation.network.service("_im._tcp.example", target: "im.example", port: 7000, priority: 5)
        simulation.network.breakName("broken.example")
        let instance = try simulation.start(TestedPlugin(Sink.self), settings: ["name": "x"])
        var answers: [String] = []
        var fired: [Int64] = []
        try #require(instance.provider(as: Sink.self)).onDeliver = { sink, delivery in
            let host = sink.host
            delivery.complete(.delivered)
            let md5 = try? host.digest(.md5, Array("abc".utf8))
            answers.append(md5.map { String($0.reduce(0) { $0 + Int($1) }) } ?? "none")
            for (kind, name) in [
                (DNSRecord.Kind.address, "www.example"), (.srv, "_im._tcp.example"), (.txt, "x.example"),
            ] {
                try? host.resolve(kind, name) {
                    answers.append("\(name) \((try? $0.get())?.map(\.value) ?? ["failed"])")
                }
            }
            try? host.resolve(.address, "broken.example") { result in
                if case .failure(let error) = result { answers.append("broken \(error)") }
            }
            let start = host.wallClock
            _ = try? host.startTimer(after: 1500) { fired.append(host.wallClock - start) }
            let cancelled = try? host.startTimer(after: 1500) { fired.append(-1) }
            if let cancelled { host.cancel(cancelled) }
            return true
        }
        instance.deliver(try message("go"))
        simulation.run(for: .seconds(5))
        // RFC 1321: 900150983cd24fb0d6963f7d28e17f72, of which the sum of all bytes.
        let md5: [Int] = [
            0x90, 0x01, 0x50, 0x98, 0x3C, 0xD2, 0x4F, 0xB0, 0xD6, 0x96, 0x3F, 0x7D, 0x28, 0xE1, 0x7F, 0x72,
        ]
        #expect(answers.first == String(md5.reduce(0, +)))
        #expect(answers.contains("www.example [\"192.0.2.80\"]"))
        #expect(answers.contains("_im._tcp.example [\"im.example\"]"))
        #expect(answers.contains("x.example []"))
        #expect(answers.contains("broken system"))
        #expect(fired.count == 1 && (1500...1503).contains(fired[0]))
        try simulation.finish()
    }

    @Test func whatIsStoredIsFoundAgainByTheNextInstanceOfTheName() throws {
        let simulation = Simulation(seed: 3)
        var answers: [String] = []
        for round in 1...2 {
            let instance = try simulation.start(TestedPlugin(Sink.self), settings: ["name": "x"], id: "kept")
            try #require(instance.provider(as: Sink.self)).onDeliver = { sink, delivery in
                delivery.complete(.delivered)
                let store = sink.host.store
                try? store.get([1]) { answers.append("get \((try? $0.get()) ?? nil ?? [])") }
                try? store.put([1], [UInt8(round)], if: .absent) { result in
                    if case .success(.conflict(let there)) = result { answers.append("conflict \(there ?? [])") }
                    if case .success(.done) = result { answers.append("put") }
                }
                try? store.put([2, 7], [9])
                try? store.list(prefix: [2]) { answers.append("list \((try? $0.get()) ?? [])") }
                try? sink.host.secrets.get([1]) { answers.append("secret \((try? $0.get()) ?? nil ?? [])") }
                return true
            }
            instance.deliver(try message("go"))
            simulation.run(for: .seconds(5))
            instance.stop()
        }
        #expect(
            answers.filter { !$0.hasPrefix("secret") }
                == ["get []", "put", "list [[2, 7]]", "get [1]", "conflict [1]", "list [[2, 7]]"]
        )
        #expect(answers.count { $0 == "secret []" } == 2)
        try simulation.finish()
    }

    @Test(arguments: [0, 1, 512, 513])
    func aKeyHasOneTo512Bytes(_ count: Int) throws {
        let simulation = Simulation(seed: 3)
        let instance = try simulation.start(TestedPlugin(Sink.self), settings: ["name": "x"])
        var refusal: HostError?
        try #require(instance.provider(as: Sink.self)).onDeliver = { sink, delivery in
            delivery.complete(.delivered)
            do throws(HostError) {
                try sink.host.store.put([UInt8](repeating: 1, count: count), [])
            } catch {
                refusal = error
            }
            return true
        }
        instance.deliver(try message("go"))
        simulation.run(for: .seconds(5))
        #expect(refusal == ((1...512).contains(count) ? nil : .invalidArgument))
        try simulation.finish()
    }
}
