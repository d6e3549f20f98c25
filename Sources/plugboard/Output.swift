internal import Foundation

/// What the commands print.
///
/// Nothing is held back in a buffer, so that a following reader sees each line at once.
enum Output {
    /// Writes a line to the standard output.
    static func line(_ text: String) {
        FileHandle.standardOutput.write(Data("\(text)\n".utf8))
    }

    /// Writes a line to the standard error.
    static func error(_ text: String) {
        FileHandle.standardError.write(Data("\(text)\n".utf8))
    }

    /// Writes `value` as one line of JSON, which has no line breaks or control characters of its own.
    static func json(_ value: some Encodable) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return }
        FileHandle.standardOutput.write(data + [UInt8(ascii: "\n")])
    }

    /// `text` without what could move the cursor, change colours or reorder a terminal's line.
    ///
    /// Text from other networks is printed only so.
    static func plain(_ text: String) -> String {
        var plain = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": plain += "⏎"
            case "\t": plain += " "
            default:
                switch scalar.properties.generalCategory {
                case .control, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: plain += "�"
                // Joiners belong to emoji and to some scripts; all other format characters can mislead.
                case .format where scalar.value != 0x200C && scalar.value != 0x200D: plain += "�"
                default: plain.unicodeScalars.append(scalar)
                }
            }
        }
        return plain
    }
}
