import CoreMetrics
import Testing

@testable import Telemetry

@Suite("Metrics as text")
struct MetricsRegistryTests {
    let registry = MetricsRegistry()

    @Test("counters, gauges and histograms are written with their words, sorted")
    func text() {
        registry.describe("b_total", .counter, help: "How often.\nAnd \\ when.")
        registry.describe("c_seconds", .histogram, help: "How long.", buckets: [0.1, 1])
        let counter = Counter(label: "b_total", dimensions: [("z", "1"), ("a", "x\"\\\n")], factory: registry)
        counter.increment(by: 2)
        Counter(label: "b_total", dimensions: [("a", "x\"\\\n"), ("z", "1")], factory: registry).increment()
        Meter(label: "a", factory: registry).set(1.5)
        let times = Recorder(label: "c_seconds", factory: registry)
        for value in [0.1, 0.5, 1, 7] { times.record(value) }
        #expect(
            registry.text() == """
                # TYPE a gauge
                a 1.5
                # HELP b_total How often.\\nAnd \\\\ when.
                # TYPE b_total counter
                b_total{a="x\\"\\\\\\n",z="1"} 3
                # HELP c_seconds How long.
                # TYPE c_seconds histogram
                c_seconds_bucket{le="0.1"} 1
                c_seconds_bucket{le="1"} 3
                c_seconds_bucket{le="+Inf"} 4
                c_seconds_sum 8.6
                c_seconds_count 4

                """
        )
    }

    @Test("what other libraries name and label is made fit for the text")
    func names() {
        Counter(label: "http.requests-1", dimensions: [("le vel", "a")], factory: registry).increment()
        Gauge(label: "9 lives", factory: registry).record(9)
        let timer = Timer(label: "t", factory: registry)
        timer.recordMilliseconds(3)
        let text = registry.text()
        #expect(text.contains("http_requests_1{le_vel=\"a\"} 1\n"))
        #expect(text.contains("_9_lives 9\n"))
        #expect(text.contains("t_bucket{le=\"0.0025\"} 0\n") && text.contains("t_bucket{le=\"0.005\"} 1\n"))
    }

    @Test("a meter goes up and down, from many threads")
    func meters() async {
        let meter = Meter(label: "m", factory: registry)
        let counter = Counter(label: "c", factory: registry)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for _ in 0..<1000 {
                        meter.increment(by: 2)
                        meter.decrement(by: 1)
                        counter.increment()
                    }
                }
            }
        }
        #expect(registry.text().contains("c 4000\n") && registry.text().contains("m 4000\n"))
    }

    @Test("a name has one meaning: what is of another kind works, and is not written")
    func conflicts() {
        #expect(registry.describe("a", .counter, help: "x"))
        #expect(registry.describe("a", .counter, help: "x"))
        #expect(registry.describe("a", .counter, help: "y"))
        #expect(!registry.describe("a", .gauge, help: "x"))
        Meter(label: "a", factory: registry).set(7)
        #expect(registry.text().isEmpty)
    }

    @Test("a series that was held is forgotten when all have let go of it, and its name is free when it has no other")
    func holding() {
        let labels = [("instance", "a")]
        for value in ["a", "b"] {
            Counter(label: "n", dimensions: [("instance", value)], factory: registry).increment()
        }
        registry.hold("n", labels)
        registry.hold("n", labels)
        registry.release("n", labels)
        #expect(registry.text().contains("n{instance=\"a\"} 1"))
        registry.release("n", labels)
        registry.release("n", labels)
        #expect(!registry.text().contains("n{instance=\"a\"}") && registry.text().contains("n{instance=\"b\"} 1"))
        #expect(!registry.describe("n", .gauge, help: "x"))
        registry.hold("n", [("instance", "b")])
        registry.release("n", [("instance", "b")])
        #expect(registry.text().isEmpty && registry.describe("n", .gauge, help: "x"))
    }

    @Test("series up to the limit are written, one more is not")
    func limit() {
        for index in 0...MetricsRegistry.seriesMax {
            Counter(label: "n", dimensions: [("i", "\(index)")], factory: registry).increment()
        }
        #expect(registry.text().split(separator: "\n").count == MetricsRegistry.seriesMax + 1)
        #expect(!registry.text().contains("i=\"\(MetricsRegistry.seriesMax)\""))
    }
}
