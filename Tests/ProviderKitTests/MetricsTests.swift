import CPlugboard
import Testing

@testable import ProviderKit

@Suite("Metrics in Swift")
struct MetricsTests {
    private func lab() -> Lab {
        let lab = Lab()
        lab.fake.extensions[PLUGBOARD_EXT_METRICS] = UnsafeRawPointer(FakeMetrics.table)
        return lab
    }

    @Test("declarations, series and updates cross whole")
    func use() throws {
        let lab = lab()
        let logins = try lab.host.counter(MetricDescription("logins", help: "Logins.", labels: ["a", "b"]))
        try logins.series("x", "").increment(by: 3)
        let size = try lab.host.gauge(MetricDescription("size", help: "Size.", unit: "bytes")).series()
        size.set(1.5)
        size.add(-1)
        let time = try lab.host.histogram(MetricDescription("time", help: "Time."), buckets: [1, 2])
        try time.series().observe(0.5)
        #expect(
            lab.fake.calls == [
                "declare 1 logins Logins.  a,b []", "series 1 x,", "add 2 3.0", "declare 2 size Size. bytes  []",
                "series 3 ", "record 4 1.5", "add 4 -1.0", "declare 3 time Time.   [1.0, 2.0]", "series 5 ",
                "record 6 0.5",
            ]
        )
    }

    @Test("a refusal is told, and a host without metrics says so")
    func refusals() throws {
        let lab = lab()
        let metric = try lab.host.gauge(MetricDescription("a", help: "A."))
        lab.fake.status = PLUGBOARD_E_CONFLICT
        #expect(throws: HostError.conflict) { try lab.host.gauge(MetricDescription("a", help: "A.")) }
        lab.fake.status = PLUGBOARD_E_LIMIT
        #expect(throws: HostError.limitReached) { try metric.series() }
        lab.fake.extensions = [:]
        #expect(throws: HostError.unsupported) { try lab.host.gauge(MetricDescription("a", help: "A.")) }
    }
}

/// A host's metrics that note what they are asked.
private enum FakeMetrics {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let table = InstanceBox.immortal(
        plugboard_metrics_t(
            struct_size: structSize(plugboard_metrics_t.self),
            reserved: 0,
            declare: { context, declaration, metric in
                guard let it = declaration?.pointee else { return PLUGBOARD_E_INVALID }
                let host = FakeHost.from(context)
                metric?.pointee = host.newHandle()
                let buckets = Array(UnsafeBufferPointer(start: it.buckets, count: it.bucket_count))
                return host.noted(
                    "declare \(it.kind) \(it.name.string) \(it.help.string) \(it.unit.string) "
                        + "\(FakeMetrics.texts(it.labels, it.label_count)) \(buckets)"
                )
            },
            series: { context, metric, values, count, series in
                let host = FakeHost.from(context)
                series?.pointee = host.newHandle()
                return host.noted("series \(metric) \(FakeMetrics.texts(values, count))")
            },
            add: { FakeHost.from($0).noted("add \($1) \($2)") },
            record: { FakeHost.from($0).noted("record \($1) \($2)") }
        )
    )

    private static func texts(_ start: UnsafePointer<plugboard_bytes_t>?, _ count: Int) -> String {
        UnsafeBufferPointer(start: start, count: count).map(\.string).joined(separator: ",")
    }
}
