/// A place in a text file.
package struct SourcePosition: Hashable, Sendable, Comparable {
    /// Line, from 1.
    package var line: Int
    /// Column, from 1, counted in Unicode scalars.
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The first character of a file.
    package static let start = SourcePosition(line: 1, column: 1)

    package static func < (left: SourcePosition, right: SourcePosition) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// One thing that is wrong with a configuration file: where it is, what it is, and what to do.
package struct Problem: Hashable, Sendable {
    /// Whether the router can start in spite of the problem.
    package enum Severity: String, Hashable, Sendable {
        /// The configuration cannot be used.
        case error
        /// The configuration can be used, but probably does not do what its author wants.
        case warning
    }

    package var severity: Severity
    /// The file, as the caller named it.
    package var file: String
    package var position: SourcePosition
    /// The setting, for example `providers.xmpp.settings.partners[0].tls`; empty for the whole file.
    package var keyPath: String
    /// What is wrong, in one sentence without a full stop.
    package var message: String
    /// What to do about it, if that is known; it follows the message after a semicolon.
    package var suggestion: String?

    package init(
        severity: Severity = .error,
        file: String,
        position: SourcePosition,
        keyPath: String = "",
        message: String,
        suggestion: String? = nil
    ) {
        self.severity = severity
        self.file = file
        self.position = position
        self.keyPath = keyPath
        self.message = message
        self.suggestion = suggestion
    }
}

extension Problem: CustomStringConvertible {
    /// `file:line:column: severity: message; suggestion`, the form that editors and CI systems can follow.
    package var description: String {
        let advice = self.suggestion.map { "; \($0)" } ?? ""
        return "\(self.file):\(self.position.line):\(self.position.column): \(self.severity.rawValue): "
            + "\(self.message)\(advice)"
    }
}
