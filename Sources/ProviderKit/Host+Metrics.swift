internal import CPlugboard

/// What a metric is called, and for.
public struct MetricDescription: Hashable, Sendable {
    /// Small letters, digits and underscores, such as `logins_failed`.
    ///
    /// The host puts `plugboard_plugin_` in front, and the unit, and `_total` for counters, behind it.
    public var name: String
    /// One sentence.
    public var help: String
    /// A word such as `seconds`; empty: none.
    public var unit: String
    /// The names of its labels.
    ///
    /// The host adds `instance`.
    public var labels: [String]

    /// A metric with these labels.
    public init(_ name: String, help: String, unit: String = "", labels: [String] = []) {
        self.name = name
        self.help = help
        self.unit = unit
        self.labels = labels
    }
}

/// A declared metric, of which there is a series for each set of label values.
///
/// Declare it in ``Provider/start()``, and keep its series: finding one takes time, updating it does not.
public struct Metric<Series: MetricSeries> {
    let host: Host
    let handle: plugboard_metric_t

    /// The series with these values, one for each label, in order.
    ///
    /// - Throws: ``HostError/invalidArgument``, ``HostError/limitReached``, ``HostError/shuttingDown``.
    public func series(_ values: String...) throws(HostError) -> Series {
        guard let table = host.metrics else { throw .unsupported }
        var strings = StringBlock()
        for value in values { strings.append(value) }
        var handle: plugboard_series_t = 0
        let status = strings.withSpans { table.series(host.context, self.handle, $0.baseAddress, $0.count, &handle) }
        try HostError.check(status)
        return Series(host: host, table: table, handle: handle)
    }
}

/// One number, or one distribution, that the operator sees.
///
/// Usable on the instance's thread only.
public protocol MetricSeries {
    /// For the host table's own use.
    init(update: SeriesUpdate)
}

/// How a series is updated: opaque, made by ``Metric/series(_:)``.
public struct SeriesUpdate {
    let table: plugboard_metrics_t
    let context: UnsafeMutableRawPointer?
    let handle: plugboard_series_t

    // A refusal can only mean that the instance is stopping: what was counted then is of no use.
    func add(_ amount: Double) { _ = table.add(context, handle, amount) }
    func record(_ value: Double) { _ = table.record(context, handle, value) }
}

extension MetricSeries {
    fileprivate init(host: Host, table: plugboard_metrics_t, handle: plugboard_series_t) {
        self.init(update: SeriesUpdate(table: table, context: host.context, handle: handle))
    }
}

/// A number that grows.
public struct CounterSeries: MetricSeries {
    private let update: SeriesUpdate

    /// For the host table's own use.
    public init(update: SeriesUpdate) { self.update = update }

    /// Adds to it.
    public func increment(by amount: UInt32 = 1) { update.add(Double(amount)) }
}

/// A number that goes up and down.
public struct GaugeSeries: MetricSeries {
    private let update: SeriesUpdate

    /// For the host table's own use.
    public init(update: SeriesUpdate) { self.update = update }

    /// Sets it.
    public func set(_ value: Double) { update.record(value) }

    /// Adds to it; a negative amount takes away.
    public func add(_ amount: Double) { update.add(amount) }
}

/// How often values fell into which bucket.
public struct HistogramSeries: MetricSeries {
    private let update: SeriesUpdate

    /// For the host table's own use.
    public init(update: SeriesUpdate) { self.update = update }

    /// Counts a value.
    public func observe(_ value: Double) { update.record(value) }
}

extension Host {
    var metrics: plugboard_metrics_t? { extensionTable(PLUGBOARD_EXT_METRICS, as: plugboard_metrics_t.self) }

    /// Declares a number that grows.
    ///
    /// - Throws: ``HostError/invalidArgument``, ``HostError/limitReached``, ``HostError/conflict`` (there is one of this
    ///   name and another kind), ``HostError/unsupported``, ``HostError/shuttingDown``.
    public func counter(_ description: MetricDescription) throws(HostError) -> Metric<CounterSeries> {
        try declare(description, PLUGBOARD_METRIC_COUNTER, [])
    }

    /// Declares a number that goes up and down; throws as ``counter(_:)``.
    public func gauge(_ description: MetricDescription) throws(HostError) -> Metric<GaugeSeries> {
        try declare(description, PLUGBOARD_METRIC_GAUGE, [])
    }

    /// Declares a distribution; throws as ``counter(_:)``.
    ///
    /// - Parameter buckets: upper bounds, ascending; empty: 1 ms to 10 s, for seconds.
    public func histogram(
        _ description: MetricDescription,
        buckets: [Double] = []
    ) throws(HostError) -> Metric<HistogramSeries> {
        try declare(description, PLUGBOARD_METRIC_HISTOGRAM, buckets)
    }

    private func declare<Series>(
        _ description: MetricDescription,
        _ kind: UInt32,
        _ buckets: [Double]
    ) throws(HostError) -> Metric<Series> {
        guard let metrics else { throw .unsupported }
        var strings = StringBlock()
        for text in [description.name, description.help, description.unit] + description.labels {
            strings.append(text)
        }
        var metric: plugboard_metric_t = 0
        let status = strings.withSpans { spans in
            buckets.withUnsafeBufferPointer { buckets in
                var declaration = plugboard_metric_declaration_t()
                declaration.struct_size = structSize(plugboard_metric_declaration_t.self)
                declaration.kind = kind
                declaration.name = spans[0]
                declaration.help = spans[1]
                declaration.unit = spans[2]
                declaration.labels = spans.baseAddress.map { $0 + 3 }
                declaration.label_count = spans.count - 3
                declaration.buckets = buckets.baseAddress
                declaration.bucket_count = buckets.count
                return metrics.declare(context, &declaration, &metric)
            }
        }
        try HostError.check(status)
        return Metric(host: self, handle: metric)
    }
}
