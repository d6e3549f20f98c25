/// Some lines of metrics, in the text format of Prometheus.
package struct MetricsPart: Codable, Hashable, Sendable {
    /// Whole lines.
    package var text: String

    /// Longest part, in bytes, unless one line is longer: with room for JSON's escapes, less than a response's line.
    package static let bytesMax = 256 * 1024

    package init(text: String) {
        self.text = text
    }

    /// A whole text in parts.
    package static func parts(of text: String) -> [MetricsPart] {
        var parts: [MetricsPart] = []
        var part = ""
        for line in text.split(separator: "\n") {
            if !part.isEmpty, part.utf8.count + line.utf8.count >= bytesMax {
                parts.append(MetricsPart(text: part))
                part = ""
            }
            part += line + "\n"
        }
        return part.isEmpty ? parts : parts + [MetricsPart(text: part)]
    }
}
