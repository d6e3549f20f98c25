package import CoreMetrics
internal import NIOConcurrencyHelpers

/// Keeps the metrics of one process, and writes them as text: a factory for swift-metrics.
///
/// Any thread. Making a metric takes a lock; using one does not. What is made twice with the same name and labels is one.
package final class MetricsRegistry: MetricsFactory {
    private let families = NIOLockedValueBox<[String: Family]>([:])

    package init() {}

    /// Everything of one name.
    struct Family {
        var kind: MetricKind
        var help: String
        var buckets: [Double]
        /// By the text of their labels.
        var series: [String: any MetricSeries] = [:]
        /// How many hold a series, by the text of its labels.
        var holders: [String: Int] = [:]
    }

    /// Series of one name; what is made past it works, and is not written.
    package static let seriesMax = 10_000
    /// Names.
    package static let familiesMax = 1000

    /// Says what a metric is for, before it is made; the newest words count.
    ///
    /// - Parameter buckets: upper bounds of a histogram's buckets, ascending, for series that are not made yet; empty: the
    ///   standard ones.
    /// - Returns: false if there is one of this name and another kind, or there are too many.
    @discardableResult
    package func describe(_ name: String, _ kind: MetricKind, help: String, buckets: [Double] = []) -> Bool {
        families.withLockedValue { families in
            guard families[name] != nil || families.count < Self.familiesMax else { return false }
            var family = families[name] ?? Family(kind: kind, help: help, buckets: buckets)
            guard family.kind == kind else { return false }
            (family.help, family.buckets) = (help, buckets)
            families[name] = family
            return true
        }
    }

    /// The series of a name and labels, made if it is new; one that is not kept if there are too many, or its name is
    /// another kind's.
    private func series<Series: MetricSeries>(
        _ label: String,
        _ dimensions: [(String, String)],
        _ kind: MetricKind,
        _ make: (Family) -> Series
    ) -> Series {
        let name = MetricText.name(label)
        let labels = MetricText.labels(dimensions)
        return families.withLockedValue { families in
            let standard = Family(kind: kind, help: "", buckets: [])
            let family = families[name] ?? standard
            if family.kind == kind, let known = family.series[labels] as? Series { return known }
            let made = make(family)
            guard family.kind == kind, family.series.count < Self.seriesMax,
                families[name] != nil || families.count < Self.familiesMax
            else { return made }
            families[name, default: standard].series[labels] = made
            return made
        }
    }

    /// Notes that somebody uses a series, which is then forgotten when all who did have said so.
    package func hold(_ label: String, _ dimensions: [(String, String)]) {
        let (name, labels) = (MetricText.name(label), MetricText.labels(dimensions))
        families.withLockedValue { $0[name]?.holders[labels, default: 0] += 1 }
    }

    /// Takes ``hold(_:_:)`` back: what nobody holds any more is not written, and neither is a metric without series.
    package func release(_ label: String, _ dimensions: [(String, String)]) {
        let (name, labels) = (MetricText.name(label), MetricText.labels(dimensions))
        families.withLockedValue { families in
            guard let holders = families[name]?.holders[labels] else { return }
            families[name]?.holders[labels] = holders > 1 ? holders - 1 : nil
            guard holders == 1 else { return }
            families[name]?.series[labels] = nil
            if families[name]?.series.isEmpty == true { families[name] = nil }
        }
    }

    /// All metrics in the text format of Prometheus, version 0.0.4, sorted by name and labels.
    package func text() -> String {
        let families = families.withLockedValue { $0 }
        var text = ""
        for (name, family) in families.sorted(by: { $0.key < $1.key }) where !family.series.isEmpty {
            if !family.help.isEmpty { text += "# HELP \(name) \(MetricText.escapedHelp(family.help))\n" }
            text += "# TYPE \(name) \(family.kind.rawValue)\n"
            for (labels, series) in family.series.sorted(by: { $0.key < $1.key }) {
                text += series.lines(name, labels)
            }
        }
        return text
    }

    // MARK: The factory

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        series(label, dimensions, .counter) { _ in CounterSeries() }
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        series(label, dimensions, .gauge) { _ in GaugeSeries() }
    }

    package func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        if !aggregate { return series(label, dimensions, .gauge) { _ in GaugeSeries() } }
        return series(label, dimensions, .histogram) { HistogramSeries(bounds: $0.buckets) }
    }

    /// Times are written in seconds.
    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        series(label, dimensions, .histogram) { HistogramSeries(bounds: $0.buckets) }
    }

    // What was counted stays to be read; whoever wants it gone holds it and lets go.
    package func destroyCounter(_ handler: any CounterHandler) {}
    package func destroyMeter(_ handler: any MeterHandler) {}
    package func destroyRecorder(_ handler: any RecorderHandler) {}
    package func destroyTimer(_ handler: any TimerHandler) {}
}

/// What a metric is, by the word of its type line.
package enum MetricKind: String, Sendable {
    case counter
    case gauge
    case histogram
}
