internal import CPlugboard

/// One series of a metric that an instance has declared, as a test reads it.
public struct SimulatedSeries: Sendable, Hashable {
    /// What the operator would see, such as `plugboard_plugin_logins_failed_total`.
    public let name: String
    /// Label values by label, without the instance's name.
    public let labels: [String: String]
    /// The number; of a histogram how many values it has seen.
    public internal(set) var value = 0.0
    /// What a histogram has seen, in order; the first ``SimulatedSeries/observationsMax`` are kept.
    public internal(set) var observations: [Double] = []

    /// The most observations that are kept.
    public static let observationsMax = 10_000

    let kind: UInt32
}

extension SimulatedInstance {
    /// Every series that the instance has, in the order in which it made them; also after its end.
    public var metrics: [SimulatedSeries] { meters.series }

    /// The number of a series; nil if the instance has not made it.
    ///
    /// - Parameter name: what the operator would see, such as `plugboard_plugin_logins_failed_total`.
    public func metric(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        meters.series.first { $0.name == name && $0.labels == labels }?.value
    }
}

/// The extension `plugboard.metrics/1` of simulated hosts: what one instance has declared.
struct SimulatedMetrics {
    private struct Metric {
        var name: String
        var kind: UInt32
        var labels: [String]
        var series: [[String]: UInt64] = [:]
    }

    private var metrics: [UInt64: Metric] = [:]
    /// Places in ``series`` by handle.
    private var places: [UInt64: Int] = [:]
    private(set) var series: [SimulatedSeries] = []

    static let metricsMax = 128
    static let seriesMax = 4096
    private static let labelsMax = 8
    private static let labelBytesMax = 128
    private static let helpBytesMax = 256
    private static let bucketsMax = 32

    /// The instance is stopping: handles are forgotten, numbers stay for tests.
    mutating func closeAll() {
        (metrics, places) = ([:], [:])
    }

    mutating func declare(
        _ source: plugboard_metric_declaration_t,
        in kinds: inout [String: UInt32],
        handle: () -> UInt64,
        _ result: inout UInt64
    ) -> plugboard_status_t {
        guard let labels = Self.texts(source.labels, source.label_count), Self.isPossible(source, labels) else {
            return PLUGBOARD_E_INVALID
        }
        if let flaw = Self.flaw(source, labels) { return flaw }
        guard metrics.count < Self.metricsMax else { return PLUGBOARD_E_LIMIT }
        let unit = source.unit.count == 0 ? "" : "_\(source.unit.text)"
        let ending = source.kind == PLUGBOARD_METRIC_COUNTER ? "_total" : ""
        let name = "plugboard_plugin_\(source.name.text)\(unit)\(ending)"
        guard kinds[name, default: source.kind] == source.kind else { return PLUGBOARD_E_CONFLICT }
        kinds[name] = source.kind
        result = handle()
        metrics[result] = Metric(name: name, kind: source.kind, labels: labels)
        return PLUGBOARD_OK
    }

    /// Nil: there is no such metric.
    mutating func series(
        of metric: UInt64,
        _ values: [String],
        handle: () -> UInt64,
        _ result: inout UInt64
    ) -> plugboard_status_t? {
        guard let found = metrics[metric] else { return nil }
        guard values.count == found.labels.count, values.allSatisfy({ $0.utf8.count <= Self.labelBytesMax }) else {
            return PLUGBOARD_E_INVALID
        }
        if let known = found.series[values] {
            result = known
            return PLUGBOARD_OK
        }
        guard places.count < Self.seriesMax else { return PLUGBOARD_E_LIMIT }
        result = handle()
        metrics[metric]?.series[values] = result
        let labels = Dictionary(zip(found.labels, values)) { first, _ in first }
        // Two metrics of one name share their series.
        if let place = series.firstIndex(where: { $0.name == found.name && $0.labels == labels }) {
            places[result] = place
        } else {
            places[result] = series.count
            series.append(SimulatedSeries(name: found.name, labels: labels, kind: found.kind))
        }
        return PLUGBOARD_OK
    }

    /// Nil: there is no such series.
    mutating func add(_ handle: UInt64, _ amount: Double) -> plugboard_status_t? {
        guard let place = places[handle] else { return nil }
        switch series[place].kind {
        case PLUGBOARD_METRIC_COUNTER:
            guard amount >= 0, let whole = Int64(exactly: amount.rounded()) else { return PLUGBOARD_E_INVALID }
            series[place].value += Double(whole)
        case PLUGBOARD_METRIC_GAUGE: series[place].value += amount
        default: return PLUGBOARD_E_STATE
        }
        return PLUGBOARD_OK
    }

    /// Nil: there is no such series.
    mutating func record(_ handle: UInt64, _ value: Double) -> plugboard_status_t? {
        guard let place = places[handle] else { return nil }
        switch series[place].kind {
        case PLUGBOARD_METRIC_GAUGE: series[place].value = value
        case PLUGBOARD_METRIC_HISTOGRAM:
            series[place].value += 1
            if series[place].observations.count < SimulatedSeries.observationsMax {
                series[place].observations.append(value)
            }
        default: return PLUGBOARD_E_STATE
        }
        return PLUGBOARD_OK
    }

    // MARK: Checks

    /// Copies of texts; nil if a pointer does not fit its count.
    static func texts(_ start: UnsafePointer<plugboard_bytes_t>?, _ count: Int) -> [String]? {
        guard (0...4096).contains(count), count == 0 || start != nil else { return nil }
        let texts = UnsafeBufferPointer(start: start, count: count)
        return texts.allSatisfy(\.isWellFormed) ? texts.map(\.text) : nil
    }

    private static func isPossible(_ source: plugboard_metric_declaration_t, _ labels: [String]) -> Bool {
        source.struct_size >= MemoryLayout<plugboard_metric_declaration_t>.size && source.name.isWellFormed
            && source.help.isWellFormed && source.unit.isWellFormed && (0...4096).contains(source.bucket_count)
            && (source.bucket_count == 0 || source.buckets != nil)
            && (PLUGBOARD_METRIC_COUNTER...PLUGBOARD_METRIC_HISTOGRAM).contains(source.kind)
    }

    private static func flaw(_ source: plugboard_metric_declaration_t, _ labels: [String]) -> plugboard_status_t? {
        let name = source.name.text
        let reserved = ["_total", "_sum", "_count", "_bucket", "_info", "_created"]
        guard isName(name, max: 64), !reserved.contains(where: { name.hasSuffix($0) }),
            source.unit.count == 0 || isName(source.unit.text, max: 16), (1...helpBytesMax).contains(source.help.count)
        else { return PLUGBOARD_E_INVALID }
        guard labels.count <= labelsMax else { return PLUGBOARD_E_LIMIT }
        guard labels.allSatisfy({ isName($0, max: 32) && $0 != "instance" && $0 != "le" }),
            Set(labels).count == labels.count
        else { return PLUGBOARD_E_INVALID }
        let buckets = Array(UnsafeBufferPointer(start: source.buckets, count: source.bucket_count))
        let areBuckets =
            buckets.isEmpty
            || (source.kind == PLUGBOARD_METRIC_HISTOGRAM && buckets.count <= bucketsMax
                && buckets.allSatisfy(\.isFinite) && zip(buckets, buckets.dropFirst()).allSatisfy { $0 < $1 })
        return areBuckets ? nil : PLUGBOARD_E_INVALID
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

    // MARK: The table

    static var table: plugboard_metrics_t {
        plugboard_metrics_t(
            struct_size: structSize(plugboard_metrics_t.self),
            reserved: 0,
            declare: { context, declaration, metric in
                guard let instance = HostTable.enter(context, "metrics.declare", .beginning) else {
                    return PLUGBOARD_E_SHUTDOWN
                }
                guard let metric, let declaration else { return PLUGBOARD_E_INVALID }
                return instance.declareMetric(declaration.pointee, &metric.pointee)
            },
            series: { context, metric, values, count, series in
                guard let instance = HostTable.enter(context, "metrics.series", .beginning) else {
                    return PLUGBOARD_E_SHUTDOWN
                }
                guard let series, let values = SimulatedMetrics.texts(values, count) else { return PLUGBOARD_E_INVALID }
                return instance.meterSeries(metric, values, &series.pointee)
            },
            add: { context, series, amount in
                guard let instance = HostTable.enter(context, "metrics.add", .started) else {
                    return PLUGBOARD_E_SHUTDOWN
                }
                return instance.meters.add(series, amount) ?? instance.noMeter(series, .series, "metrics.add")
            },
            record: { context, series, value in
                guard let instance = HostTable.enter(context, "metrics.record", .started) else {
                    return PLUGBOARD_E_SHUTDOWN
                }
                return instance.meters.record(series, value) ?? instance.noMeter(series, .series, "metrics.record")
            }
        )
    }
}

extension SimulatedInstance {
    func declareMetric(_ source: plugboard_metric_declaration_t, _ result: inout UInt64) -> plugboard_status_t {
        meters.declare(source, in: &simulation.metricKinds, handle: { newHandle(.metric) }, &result)
    }

    func meterSeries(_ metric: UInt64, _ values: [String], _ result: inout UInt64) -> plugboard_status_t {
        meters.series(of: metric, values, handle: { newHandle(.series) }, &result)
            ?? noMeter(metric, .metric, "metrics.series")
    }

    /// A handle of a metric or series that there is not.
    func noMeter(_ handle: UInt64, _ kind: HandleKind, _ call: String) -> plugboard_status_t {
        if issued[handle] != kind { unknown(handle, call) }
        return PLUGBOARD_E_HANDLE
    }
}
