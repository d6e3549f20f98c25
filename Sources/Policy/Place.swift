/// Where a rule stands, so that whoever asks why can find it.
package struct Place: Hashable, Sendable, CustomStringConvertible {
    /// The file; empty for what no file says.
    package var file: String
    /// Line and column, from 1; 0 if the file has none.
    package var line: Int
    package var column: Int
    /// The setting, such as `policy.access.users["alice@home.example"].federation`.
    package var keyPath: String

    package init(file: String = "", line: Int = 0, column: Int = 0, keyPath: String) {
        self.file = file
        self.line = line
        self.column = column
        self.keyPath = keyPath
    }

    package var description: String {
        guard !file.isEmpty else { return keyPath }
        return line == 0 ? "\(file) \(keyPath)" : "\(file):\(line):\(column) \(keyPath)"
    }
}

/// A value, and where it was set.
package struct Placed<Value: Hashable & Sendable>: Hashable, Sendable {
    package var value: Value
    package var place: Place

    package init(_ value: Value, at place: Place) {
        self.value = value
        self.place = place
    }
}
