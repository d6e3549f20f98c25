import CPlugboard
import HostServices
import Telemetry
import Testing

@testable import PluginHost

@Suite("Metrics across the plugin ABI", .timeLimit(.minutes(1)))
struct MetricsTableTests {
    private func withStage(_ registry: MetricsRegistry, _ body: (Stage) async throws -> Void) async throws {
        try await Bench.with { bench in
            try await bench.withStage(services: { $0.metrics = registry }, body)
        }
    }

    @Test("a plugin's numbers can be read while it runs")
    func use() async throws {
        let registry = MetricsRegistry()
        try await withStage(registry) { (stage: Stage) async throws in
            try await stage.on { stage in
                let provider = stage.provider
                let (status, metric) = provider.declare(
                    PLUGBOARD_METRIC_HISTOGRAM,
                    "wait",
                    labels: ["kind"],
                    buckets: [2]
                )
                #expect(status == PLUGBOARD_OK)
                let (_, series) = provider.series(metric, ["x"])
                #expect(provider.metrics { $0.record($1, series, 1) } == PLUGBOARD_OK)
                #expect(provider.metrics { $0.add($1, series, 1) } == PLUGBOARD_E_STATE)
                let (_, logins) = provider.declare(PLUGBOARD_METRIC_COUNTER, "logins")
                let (_, count) = provider.series(logins, [])
                #expect(provider.metrics { $0.add($1, count, 3) } == PLUGBOARD_OK)
            }
            let text = registry.text()
            #expect(text.contains("plugboard_plugin_logins_total{provider=\"raw-1\"} 3\n"))
            #expect(text.contains("plugboard_plugin_wait_bucket{kind=\"x\",provider=\"raw-1\",le=\"2\"} 1\n"))
        }
        #expect(registry.text().isEmpty)
    }

    @Test("malformed calls are refused, and all of them after the end")
    func refusals() async throws {
        try await withStage(MetricsRegistry()) { (stage: Stage) async throws in
            try await stage.on { stage in
                let provider = stage.provider
                let changes: [(inout plugboard_metric_declaration_t) -> Void] = [
                    { $0.struct_size = 8 }, { $0.kind = 4 }, { $0.label_count = 1 }, { $0.bucket_count = 1 },
                    { $0.name = plugboard_bytes_t(start: nil, count: 1) }, { $0.label_count = .max },
                ]
                for (index, change) in changes.enumerated() {
                    let status = provider.declare(PLUGBOARD_METRIC_GAUGE, "a", change: change).status
                    #expect(status == PLUGBOARD_E_INVALID, "\(index)")
                }
                let (status, gauge) = provider.declare(PLUGBOARD_METRIC_GAUGE, "a")
                #expect(status == PLUGBOARD_OK)
                #expect(provider.declare(PLUGBOARD_METRIC_COUNTER, "a").status == PLUGBOARD_OK)
                #expect(provider.declare(PLUGBOARD_METRIC_HISTOGRAM, "a").status == PLUGBOARD_E_CONFLICT)
                #expect(provider.series(gauge, ["x"]).status == PLUGBOARD_E_INVALID)
                #expect(provider.series(77, []).status == PLUGBOARD_E_HANDLE)
                #expect(provider.metrics { $0.record($1, 77, 1) } == PLUGBOARD_E_HANDLE)
                let nothing = provider.metrics { table, context in
                    [table.declare(context, nil, nil), table.series(context, gauge, nil, 1, nil)]
                }
                #expect(nothing == [PLUGBOARD_E_INVALID, PLUGBOARD_E_INVALID])
                stage.instance?.stop()
                #expect(provider.declare(PLUGBOARD_METRIC_GAUGE, "b").status == PLUGBOARD_E_SHUTDOWN)
            }
        }
    }
}

extension RawProvider {
    fileprivate func metrics<R>(_ body: (plugboard_metrics_t, UnsafeMutableRawPointer?) -> R) -> R {
        withExtension(PLUGBOARD_EXT_METRICS, as: plugboard_metrics_t.self, body)
    }

    fileprivate func declare(
        _ kind: UInt32,
        _ name: String,
        labels: [String] = [],
        buckets: [Double] = [],
        change: (inout plugboard_metric_declaration_t) -> Void = { _ in }
    ) -> (status: plugboard_status_t, metric: UInt64) {
        withSpans([name, "Help."] + labels) { spans in
            buckets.withUnsafeBufferPointer { buckets in
                var declaration = plugboard_metric_declaration_t()
                declaration.struct_size = structSize(plugboard_metric_declaration_t.self)
                declaration.kind = kind
                declaration.name = spans[0]
                declaration.help = spans[1]
                declaration.labels = spans.count > 2 ? spans.baseAddress.map { $0 + 2 } : nil
                declaration.label_count = spans.count - 2
                declaration.buckets = buckets.isEmpty ? nil : buckets.baseAddress
                declaration.bucket_count = buckets.count
                change(&declaration)
                var metric: UInt64 = 0
                let status = metrics { $0.declare($1, &declaration, &metric) }
                return (status, metric)
            }
        }
    }

    fileprivate func series(_ metric: UInt64, _ values: [String]) -> (status: plugboard_status_t, series: UInt64) {
        withSpans(values) { spans in
            var series: UInt64 = 0
            let status = metrics { $0.series($1, metric, spans.baseAddress, spans.count, &series) }
            return (status, series)
        }
    }

    private func withSpans<R>(_ texts: [String], _ body: (UnsafeBufferPointer<plugboard_bytes_t>) -> R) -> R {
        withTexts(texts) { $0.withUnsafeBufferPointer(body) }
    }
}
