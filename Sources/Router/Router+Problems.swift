internal import Configuration
internal import Logging
internal import Telemetry

extension Router {
    /// Logs what is wrong with a configuration, each with its place.
    func log(_ problems: [Problem]) {
        for problem in problems {
            let isError = problem.severity == .error
            logger.log(
                isError ? .error : .warning,
                isError ? "the configuration has an error" : "the configuration may not do what it is to do",
                problem.fields
            )
        }
    }
}

extension Problem {
    /// What a log line says of it.
    fileprivate var fields: [LogField: String] {
        var fields: [LogField: String] = [
            .path: file, .position: "\(position.line):\(position.column)",
            .reason: message + (suggestion.map { "; \($0)" } ?? ""),
        ]
        if !keyPath.isEmpty { fields[.key] = keyPath }
        let steps = keyPath.split(separator: ".", maxSplits: 2)
        if steps.count > 1, steps[0] == "providers" { fields[.provider] = String(steps[1]) }
        return fields
    }
}
