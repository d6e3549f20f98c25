import Telemetry
import Testing

@testable import HostServices

@Suite("An instance's metrics")
struct MetricsServiceTests {
    let registry = MetricsRegistry()

    private func service(_ instance: String = "aol", _ limits: ServiceLimits = ServiceLimits()) -> MetricsService {
        MetricsService(limits: limits, registry: registry, instance: instance)
    }

    @Test("what is updated can be read, with prefix, unit and instance, until the end")
    func use() throws {
        let service = service()
        let logins = try service.declare(MetricDeclaration(.counter, "logins", help: "Logins.", labels: ["result"]))
        let good = try service.series(of: logins, ["good"])
        #expect(try service.series(of: logins, ["good"]) == good)
        try service.add(good, 2)
        try service.add(try service.series(of: logins, ["bad"]), 0)
        let size = try service.declare(MetricDeclaration(.gauge, "buddy_list", help: "Size.", unit: "bytes"))
        let sizes = try service.series(of: size, [])
        try service.record(sizes, 10)
        try service.add(sizes, -3)
        let time = try service.declare(
            MetricDeclaration(.histogram, "round_trip", help: "Time.", unit: "seconds", buckets: [1])
        )
        try service.record(try service.series(of: time, []), 0.5)
        #expect(
            registry.text() == """
                # HELP plugboard_plugin_buddy_list_bytes Size.
                # TYPE plugboard_plugin_buddy_list_bytes gauge
                plugboard_plugin_buddy_list_bytes{provider="aol"} 7
                # HELP plugboard_plugin_logins_total Logins.
                # TYPE plugboard_plugin_logins_total counter
                plugboard_plugin_logins_total{provider="aol",result="bad"} 0
                plugboard_plugin_logins_total{provider="aol",result="good"} 2
                # HELP plugboard_plugin_round_trip_seconds Time.
                # TYPE plugboard_plugin_round_trip_seconds histogram
                plugboard_plugin_round_trip_seconds_bucket{provider="aol",le="1"} 1
                plugboard_plugin_round_trip_seconds_bucket{provider="aol",le="+Inf"} 1
                plugboard_plugin_round_trip_seconds_sum{provider="aol"} 0.5
                plugboard_plugin_round_trip_seconds_count{provider="aol"} 1

                """
        )
        service.closeAll()
        #expect(registry.text().isEmpty)
        #expect(throws: ServiceError.unknownHandle(good.rawValue)) { try service.add(good, 1) }
        #expect(throws: ServiceError.stopped) { try service.declare(MetricDeclaration(.gauge, "a", help: "A.")) }
    }

    @Test("instances share a metric, and a series with their next version")
    func sharing() throws {
        let (one, two) = (service("one"), service("two"))
        let declaration = MetricDeclaration(.counter, "logins", help: "Logins.")
        try one.add(try one.series(of: try one.declare(declaration), []), 1)
        try two.add(try two.series(of: try two.declare(declaration), []), 2)
        #expect(
            registry.text().contains("{provider=\"one\"} 1\n") && registry.text().contains("{provider=\"two\"} 2\n")
        )
        // The next version of an instance runs before the last has ended, and goes on where it was.
        let next = service("one")
        try next.add(try next.series(of: try next.declare(declaration), []), 5)
        one.closeAll()
        #expect(registry.text().contains("{provider=\"one\"} 6\n"))
        next.closeAll()
        #expect(!registry.text().contains("one") && registry.text().contains("two"))
    }

    @Test("updates must fit the kind of metric")
    func kinds() throws {
        let service = service()
        let counter = try service.series(of: try service.declare(MetricDeclaration(.counter, "a", help: "A.")), [])
        let histogram = try service.series(of: try service.declare(MetricDeclaration(.histogram, "b", help: "B.")), [])
        for amount in [-1, .nan, .infinity, 1e30] {
            #expect(throws: ServiceError.invalidArgument("a counter grows by a whole number")) {
                try service.add(counter, amount)
            }
        }
        #expect(throws: ServiceError.badState("a counter is not set")) { try service.record(counter, 1) }
        #expect(throws: ServiceError.badState("a histogram is not added to")) { try service.add(histogram, 1) }
        #expect(throws: ServiceError.unknownHandle(77)) { try service.add(MetricSeriesHandle(rawValue: 77), 1) }
    }

    @Test(
        "names that the text format has no room for are refused",
        arguments: ["", "A", "1a", "a-b", "a__b", "a_", "a_total", "a_sum", "a_count", "a_bucket", "é"]
    )
    func names(name: String) throws {
        #expect(throws: (any Error).self) { try service().declare(MetricDeclaration(.counter, name, help: "A.")) }
    }

    @Test(
        "labels that the text format or the host has a use for are refused",
        arguments: ["", "A", "le", "instance", "provider", "é"]
    )
    func labels(label: String) throws {
        #expect(throws: (any Error).self) {
            try service().declare(MetricDeclaration(.counter, "a", help: "A.", labels: [label]))
        }
        #expect(throws: (any Error).self) {
            try service().declare(MetricDeclaration(.counter, "a", help: "A.", labels: ["l", "l"]))
        }
    }

    @Test("metrics, series, labels, words and buckets up to their limits are taken, more are not")
    func limits() throws {
        var limits = ServiceLimits()
        limits.metricsMax = 2
        limits.metricSeriesMax = 2
        limits.metricLabelsMax = 1
        limits.metricLabelBytesMax = 3
        limits.metricHelpBytesMax = 2
        limits.metricBucketsMax = 2
        let service = service("aol", limits)
        let metric = try service.declare(
            MetricDeclaration(
                .histogram,
                String(repeating: "a", count: 64),
                help: "A.",
                labels: ["l"],
                buckets: [1, 2]
            )
        )
        let bad = [
            MetricDeclaration(.gauge, String(repeating: "a", count: 65), help: "A."),
            MetricDeclaration(.gauge, "b", help: "Aa."), MetricDeclaration(.gauge, "b", help: ""),
            MetricDeclaration(.gauge, "b", help: "A.", labels: ["l", "m"]),
            MetricDeclaration(.histogram, "b", help: "A.", buckets: [1, 2, 3]),
            MetricDeclaration(.histogram, "b", help: "A.", buckets: [2, 1]),
            MetricDeclaration(.gauge, "b", help: "A.", buckets: [1]),
        ]
        for declaration in bad { #expect(throws: (any Error).self) { try service.declare(declaration) } }
        _ = try service.series(of: metric, ["123"])
        #expect(throws: (any Error).self) { try service.series(of: metric, ["1234"]) }
        #expect(throws: (any Error).self) { try service.series(of: metric, []) }
        _ = try service.series(of: metric, ["2"])
        #expect(throws: ServiceError.limitReached(.metricSeries, limit: 2)) { try service.series(of: metric, ["3"]) }
        _ = try service.declare(MetricDeclaration(.gauge, "b", help: "A."))
        #expect(throws: ServiceError.limitReached(.metrics, limit: 2)) {
            try service.declare(MetricDeclaration(.gauge, "c", help: "A."))
        }
    }
}
