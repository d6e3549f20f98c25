import CoreMetrics
package import Telemetry

/// A metric that an instance declared.
package struct MetricHandle: ServiceHandle {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// One metric with one set of label values.
package struct MetricSeriesHandle: ServiceHandle {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// What an instance declares.
package struct MetricDeclaration: Hashable, Sendable {
    package var kind: MetricKind
    /// Small letters, digits and underscores; without what the text format adds (`_total`, `_sum`…).
    package var name: String
    /// One sentence.
    package var help: String
    /// A word such as `seconds` or `bytes`, which ends the name; empty: none.
    package var unit: String
    package var labels: [String]
    /// Upper bounds of a histogram's buckets, ascending; empty: the standard ones, for seconds.
    package var buckets: [Double]

    package init(
        _ kind: MetricKind,
        _ name: String,
        help: String,
        unit: String = "",
        labels: [String] = [],
        buckets: [Double] = []
    ) {
        self.kind = kind
        self.name = name
        self.help = help
        self.unit = unit
        self.labels = labels
        self.buckets = buckets
    }
}

/// The metrics of one instance.
///
/// Worker's loop only. Declaring and adding series take a lock and time; updates go from a handle straight to a number.
/// Names begin with `plugboard_plugin_`, and each series has the label `provider`.
package final class MetricsService {
    private let limits: ServiceLimits
    private let registry: MetricsRegistry
    private let instance: String
    private var metrics = SlotTable<MetricHandle, Metric>()
    private var series = SlotTable<MetricSeriesHandle, Series>()
    private var isStopped = false

    /// What every name of a plugin's metric begins with.
    package static let prefix = "plugboard_plugin_"

    private final class Metric {
        let declaration: MetricDeclaration
        let fullName: String
        var series: [[String]: MetricSeriesHandle] = [:]

        init(_ declaration: MetricDeclaration, _ fullName: String) {
            self.declaration = declaration
            self.fullName = fullName
        }
    }

    /// A number that is updated.
    private enum Series {
        case counter(Counter)
        case gauge(Meter)
        case histogram(Recorder)
    }

    package init(limits: ServiceLimits, registry: MetricsRegistry, instance: String) {
        self.limits = limits
        self.registry = registry
        self.instance = instance
    }

    /// Declares a metric.
    ///
    /// - Throws: ``ServiceError/invalidArgument(_:)``, ``ServiceError/conflict(_:)`` if there is one of this name and
    ///   another kind, ``ServiceError/limitReached(_:limit:)``, ``ServiceError/stopped``.
    package func declare(_ declaration: MetricDeclaration) throws(ServiceError) -> MetricHandle {
        guard !isStopped else { throw .stopped }
        try check(declaration)
        guard metrics.count < limits.metricsMax else { throw .limitReached(.metrics, limit: limits.metricsMax) }
        let suffix = (declaration.unit.isEmpty ? "" : "_\(declaration.unit)")
        let name = Self.prefix + declaration.name + suffix + (declaration.kind == .counter ? "_total" : "")
        let isNew = registry.describe(
            name,
            declaration.kind,
            help: declaration.help,
            buckets: declaration.buckets
        )
        guard isNew else { throw .conflict("another metric is called \(name), of another kind") }
        return metrics.insert { _ in Metric(declaration, name) }
    }

    /// The series of a metric with these label values, in the order of the labels declared.
    package func series(of metric: MetricHandle, _ values: [String]) throws(ServiceError) -> MetricSeriesHandle {
        guard !isStopped else { throw .stopped }
        guard let metric = metrics[metric] else { throw .unknownHandle(metric.rawValue) }
        guard values.count == metric.declaration.labels.count else {
            throw .invalidArgument("the metric has \(metric.declaration.labels.count) labels, not \(values.count)")
        }
        guard values.allSatisfy({ $0.utf8.count <= limits.metricLabelBytesMax }) else {
            throw .invalidArgument("a label's value has up to \(limits.metricLabelBytesMax) bytes")
        }
        if let known = metric.series[values] { return known }
        guard series.count < limits.metricSeriesMax else {
            throw .limitReached(.metricSeries, limit: limits.metricSeriesMax)
        }
        let dimensions = dimensions(metric, values)
        let made: Series =
            switch metric.declaration.kind {
            case .counter: .counter(Counter(label: metric.fullName, dimensions: dimensions, factory: registry))
            case .gauge: .gauge(Meter(label: metric.fullName, dimensions: dimensions, factory: registry))
            case .histogram:
                .histogram(
                    Recorder(label: metric.fullName, dimensions: dimensions, aggregate: true, factory: registry)
                )
            }
        registry.hold(metric.fullName, dimensions)
        let handle = series.insert { _ in made }
        metric.series[values] = handle
        return handle
    }

    private func dimensions(_ metric: Metric, _ values: [String]) -> [(String, String)] {
        [("provider", instance)] + Array(zip(metric.declaration.labels, values))
    }

    /// Adds to a counter (0 or more) or to a gauge.
    package func add(_ handle: MetricSeriesHandle, _ amount: Double) throws(ServiceError) {
        switch series[handle] {
        case .counter(let counter):
            guard amount >= 0, let whole = Int64(exactly: amount.rounded()) else {
                throw .invalidArgument("a counter grows by a whole number")
            }
            counter.increment(by: whole)
        case .gauge(let gauge): gauge.increment(by: amount)
        case .histogram: throw .badState("a histogram is not added to")
        case nil: throw .unknownHandle(handle.rawValue)
        }
    }

    /// Sets a gauge, or lets a histogram observe a value.
    package func record(_ handle: MetricSeriesHandle, _ value: Double) throws(ServiceError) {
        switch series[handle] {
        case .gauge(let gauge): gauge.set(value)
        case .histogram(let histogram): histogram.record(value)
        case .counter: throw .badState("a counter is not set")
        case nil: throw .unknownHandle(handle.rawValue)
        }
    }

    /// Ends everything for good; series that no other uses, such as the next version of the instance, are not written
    /// any more.
    package func closeAll() {
        guard !isStopped else { return }
        isStopped = true
        for metric in metrics.elements {
            for values in metric.series.keys { registry.release(metric.fullName, dimensions(metric, values)) }
        }
        metrics = SlotTable()
        series = SlotTable()
    }

    // MARK: - Checks

    /// What the text format adds to names.
    private static let reservedEndings = ["_total", "_sum", "_count", "_bucket", "_info", "_created"]

    private func check(_ declaration: MetricDeclaration) throws(ServiceError) {
        guard Self.isName(declaration.name, max: 64),
            !Self.reservedEndings.contains(where: { declaration.name.hasSuffix($0) })
        else {
            throw .invalidArgument("\"\(declaration.name.prefix(80))\" is no name of a metric, such as logins_failed")
        }
        guard declaration.unit.isEmpty || Self.isName(declaration.unit, max: 16) else {
            throw .invalidArgument("\"\(declaration.unit.prefix(80))\" is no unit, such as seconds")
        }
        guard (1...limits.metricHelpBytesMax).contains(declaration.help.utf8.count) else {
            throw .invalidArgument("a metric needs a sentence of up to \(limits.metricHelpBytesMax) bytes")
        }
        guard declaration.labels.count <= limits.metricLabelsMax else {
            throw .limitReached(.metricLabels, limit: limits.metricLabelsMax)
        }
        for label in declaration.labels
        where !Self.isName(label, max: 32) || ["provider", "instance", "le"].contains(label) {
            throw .invalidArgument("\"\(label.prefix(80))\" cannot be a label")
        }
        guard Set(declaration.labels).count == declaration.labels.count else {
            throw .invalidArgument("a label is there twice")
        }
        let buckets = declaration.buckets
        guard buckets.isEmpty || declaration.kind == .histogram, buckets.count <= limits.metricBucketsMax,
            buckets.allSatisfy(\.isFinite), zip(buckets, buckets.dropFirst()).allSatisfy({ $0 < $1 })
        else {
            throw .invalidArgument("buckets are a histogram's, up to \(limits.metricBucketsMax) ascending numbers")
        }
    }

    private static func isName(_ text: String, max: Int) -> Bool {
        guard let first = text.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        return text.utf8.count <= max && !text.hasSuffix("_") && !text.contains("__")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
