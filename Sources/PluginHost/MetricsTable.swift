internal import CPlugboard
internal import HostServices
internal import Telemetry

/// The host extension `plugboard.metrics/1`.
enum MetricsTable {
    /// The most labels, and bounds of buckets, that are looked at; the service's own limits are lower.
    static let elementsMax = 4096

    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let table = HostExtensions.immortal(
        plugboard_metrics_t(
            struct_size: UInt32(MemoryLayout<plugboard_metrics_t>.size),
            reserved: 0,
            declare: { context, declaration, metric in
                guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
                guard let metric, let declaration, let read = MetricDeclaration(abi: declaration.pointee) else {
                    return PLUGBOARD_E_INVALID
                }
                return HostTable.status { () throws(ServiceError) in
                    metric.pointee = try instance.extras.metrics.declare(read).rawValue
                }
            },
            series: { context, metric, values, count, series in
                guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
                guard let series, let values = MetricsTable.texts(values, count) else { return PLUGBOARD_E_INVALID }
                return HostTable.status { () throws(ServiceError) in
                    let handle = MetricHandle(rawValue: metric)
                    series.pointee = try instance.extras.metrics.series(of: handle, values).rawValue
                }
            },
            add: { context, series, amount in
                guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
                return HostTable.status { () throws(ServiceError) in
                    try instance.extras.metrics.add(MetricSeriesHandle(rawValue: series), amount)
                }
            },
            record: { context, series, value in
                guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
                return HostTable.status { () throws(ServiceError) in
                    try instance.extras.metrics.record(MetricSeriesHandle(rawValue: series), value)
                }
            }
        )
    )

    /// Copies of texts; nil if a pointer does not fit its count.
    static func texts(_ start: UnsafePointer<plugboard_bytes_t>?, _ count: Int) -> [String]? {
        guard (0...elementsMax).contains(count), count == 0 || start != nil else { return nil }
        let texts = UnsafeBufferPointer(start: start, count: count)
        return texts.allSatisfy(\.isWellFormed) ? texts.map(\.string) : nil
    }
}

extension MetricDeclaration {
    fileprivate init?(abi source: plugboard_metric_declaration_t) {
        guard source.struct_size >= MemoryLayout<plugboard_metric_declaration_t>.size,
            source.name.isWellFormed, source.help.isWellFormed, source.unit.isWellFormed,
            let labels = MetricsTable.texts(source.labels, source.label_count),
            (0...MetricsTable.elementsMax).contains(source.bucket_count),
            source.bucket_count == 0 || source.buckets != nil
        else { return nil }
        let kind: MetricKind
        switch source.kind {
        case PLUGBOARD_METRIC_COUNTER: kind = .counter
        case PLUGBOARD_METRIC_GAUGE: kind = .gauge
        case PLUGBOARD_METRIC_HISTOGRAM: kind = .histogram
        default: return nil
        }
        self.init(
            kind,
            source.name.string,
            help: source.help.string,
            unit: source.unit.string,
            labels: labels,
            buckets: Array(UnsafeBufferPointer(start: source.buckets, count: source.bucket_count))
        )
    }
}
