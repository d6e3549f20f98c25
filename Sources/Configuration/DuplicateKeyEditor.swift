/// Gives duplicate keys names of their own, so that a file with some can still be read to its end.
///
/// Yams stops at a map with duplicate keys and tells only where the first one is. That one is renamed by putting a
/// private-use character in place of its first, which moves no other text; then the file is read again.
struct DuplicateKeyEditor {
    private(set) var text: String
    /// The name that each renamed key had, by its position.
    private(set) var renamed: [SourcePosition: Unicode.Scalar] = [:]
    private static let firstPlaceholder: UInt32 = 0xE000

    init(_ text: String) {
        self.text = text
    }

    /// Renames the key `name` at `position`.
    ///
    /// - Returns: whether it could be; a key that is written with escapes, for example, cannot.
    mutating func rename(_ name: String, at position: SourcePosition) -> Bool {
        guard
            var index = Self.index(of: position, in: self.text),
            let placeholder = Unicode.Scalar(Self.firstPlaceholder + UInt32(self.renamed.count)),
            self.renamed[position] == nil
        else { return false }
        var scalars = self.text.unicodeScalars
        if "\"'".unicodeScalars.contains(scalars[index]) {
            scalars.formIndex(after: &index)
            guard index < scalars.endIndex else { return false }
        }
        guard let first = name.unicodeScalars.first, scalars[index...].starts(with: name.unicodeScalars) else {
            return false
        }
        scalars.replaceSubrange(index...index, with: [placeholder])
        self.text = String(scalars)
        self.renamed[position] = first
        return true
    }

    /// Where `position` is in `text`; `nil` at or past its end.
    static func index(of position: SourcePosition, in text: String) -> String.Index? {
        let scalars = text.unicodeScalars
        var line = 1
        var index = scalars.startIndex
        while line < position.line {
            guard let newline = scalars[index...].firstIndex(of: "\n") else { return nil }
            index = scalars.index(after: newline)
            line += 1
        }
        return scalars.index(index, offsetBy: position.column - 1, limitedBy: scalars.endIndex).flatMap {
            $0 < scalars.endIndex ? $0 : nil
        }
    }
}
