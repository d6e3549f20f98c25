/// The text format of Prometheus, version 0.0.4.
///
/// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
enum MetricText {
    /// `text` as the name of a metric: letters, digits and underscores.
    static func name(_ text: String) -> String { word(text) }

    /// Labels as they stand between the braces, sorted by name.
    static func labels(_ dimensions: [(String, String)]) -> String {
        dimensions.map { "\(word($0.0))=\"\(escapedValue($0.1))\"" }.sorted().joined(separator: ",")
    }

    static func series(_ name: String, _ labels: String) -> String { labels.isEmpty ? name : "\(name){\(labels)}" }

    static func number(_ value: Double) -> String {
        if value == .infinity { return "+Inf" }
        if value == -.infinity { return "-Inf" }
        if value.isNaN { return "NaN" }
        return value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    static func escapedHelp(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
    }

    private static func escapedValue(_ text: String) -> String {
        escapedHelp(text).replacing("\"", with: "\\\"")
    }

    private static func word(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { scalar -> Character in
            let isPlain = scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            return isPlain || scalar == "_" ? Character(scalar) : "_"
        }
        guard let first = scalars.first else { return "_" }
        return (first.isNumber ? "_" : "") + String(scalars)
    }
}
