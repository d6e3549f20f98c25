import Testing

@testable import Configuration

@Suite("Limits of providers, and the log")
struct ProviderLimitsTests {
    private func read(_ text: String, workers: Int = 1) -> (RouterConfiguration?, [Problem]) {
        let start = """
            router: { id: a, state: state, workers: \(workers) }
            home: { domains: { a.test: { users: [alice] } } }

            """
        let (configuration, problems) = ConfigurationLoader.read(start + text, file: "a.yaml", directory: "/")
        return (configuration, problems.filter { $0.keyPath.hasPrefix("providers") || $0.keyPath.hasPrefix("log") })
    }

    @Test("Without any, a provider shares a worker, may hand in what it likes, and has 10 s for a call")
    func defaults() throws {
        let (configuration, problems) = read("providers: { x: { plugin: X } }")
        let provider = try #require(configuration?.providers.first)
        #expect(problems.isEmpty)
        #expect(!provider.hasOwnWorker)
        #expect(provider.limits.slowCall == .milliseconds(100))
        #expect(provider.limits.stuckCall == .seconds(10))
        #expect(provider.limits.submitsPerSecond == 0)
        #expect(provider.limits.submitBurst == 1000)
        #expect(provider.limits.settle == nil)
    }

    @Test("Each can be set")
    func set() throws {
        let limits =
            "{ slow_call: 20ms, stuck_call: 1m, submits_per_second: 7, submit_burst: 3, settle: 2m }"
        let (configuration, problems) = read("providers: { x: { plugin: X, worker: own, limits: \(limits) } }")
        let provider = try #require(configuration?.providers.first)
        #expect(problems.isEmpty)
        #expect(provider.hasOwnWorker)
        #expect(provider.limits.slowCall == .milliseconds(20))
        #expect(provider.limits.stuckCall == .seconds(60))
        #expect(provider.limits.submitsPerSecond == 7)
        #expect(provider.limits.submitBurst == 3)
        #expect(provider.limits.settle == .seconds(120))
    }

    @Test(
        "What is out of bounds is told with its key",
        arguments: [
            ("slow_call: 9ms", "slow_call"), ("slow_call: 11s", "slow_call"), ("stuck_call: 99ms", "stuck_call"),
            ("submits_per_second: 10000001", "submits_per_second"), ("submit_burst: 0", "submit_burst"),
            ("settle: 999ms", "settle"), ("settle: 25h", "settle"),
        ]
    )
    func bounds(_ text: String, _ key: String) {
        let (_, problems) = read("providers: { x: { plugin: X, limits: { \(text) } } }")
        #expect(problems.contains { $0.severity == .error && $0.keyPath == "providers.x.limits.\(key)" })
    }

    @Test("Workers of their own count among the workers that there may be")
    func workers() {
        let text = "providers: { x: { plugin: X, worker: own } }"
        #expect(read(text, workers: RouterSection.workersMax - 1).1.isEmpty)
        let (_, problems) = read(text, workers: RouterSection.workersMax)
        #expect(problems.contains { $0.keyPath == "providers.x.worker" })
    }

    @Test("The log has a level, a format, and levels of parts; a part that is no provider is warned of")
    func log() throws {
        let (configuration, problems) = read(
            "log: { level: error, format: json, parts: { x: debug, y: info } }\nproviders: { x: { plugin: X } }"
        )
        let log = try #require(configuration?.log)
        #expect(log.level == .error)
        #expect(log.format == .json)
        #expect(log.parts == [.init(name: "x", level: .debug), .init(name: "y", level: .info)])
        #expect(problems.map(\.severity) == [.warning])
        #expect(problems.first?.keyPath == "log.parts.y")
    }
}
