/// Writes text so that it means itself in XML.
///
/// White space that a parser would change (XML 1.0 §2.11, §3.3.3) becomes a character reference. A character that XML
/// 1.0 §2.2 forbids becomes U+FFFD, for one of them would end the stream.
package enum XMLEscaping {
    /// Appends character data.
    package static func writeText(_ text: String, into bytes: inout [UInt8]) {
        self.write(text, inAttribute: false, into: &bytes)
    }

    /// Appends what stands between the single or double quotes of an attribute.
    package static func writeAttributeValue(_ value: String, into bytes: inout [UInt8]) {
        self.write(value, inAttribute: true, into: &bytes)
    }

    /// White space of XML 1.0 §2.3.
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    private static func write(_ text: String, inAttribute: Bool, into bytes: inout [UInt8]) {
        var text = text
        text.withUTF8 { utf8 in
            var clean = 0
            var index = 0
            while index < utf8.count {
                let byte = utf8[index]
                var length = 1
                let replacement: StaticString?
                switch byte {
                case UInt8(ascii: "<"): replacement = "&lt;"
                case UInt8(ascii: ">"): replacement = "&gt;"
                case UInt8(ascii: "&"): replacement = "&amp;"
                case UInt8(ascii: "'"): replacement = inAttribute ? "&apos;" : nil
                case UInt8(ascii: "\""): replacement = inAttribute ? "&quot;" : nil
                case 0x0D: replacement = "&#13;"
                case 0x0A: replacement = inAttribute ? "&#10;" : nil
                case 0x09: replacement = inAttribute ? "&#9;" : nil
                case 0x00..<0x20: replacement = "\u{FFFD}"
                case 0xEF where self.isNonCharacter(utf8, at: index):
                    length = 3
                    replacement = "\u{FFFD}"
                default: replacement = nil
                }
                if let replacement {
                    bytes.append(contentsOf: utf8[clean..<index])
                    bytes.append(
                        contentsOf: UnsafeBufferPointer(
                            start: replacement.utf8Start,
                            count: replacement.utf8CodeUnitCount
                        )
                    )
                    clean = index + length
                }
                index += length
            }
            bytes.append(contentsOf: utf8[clean...])
        }
    }

    /// Whether U+FFFE or U+FFFF stands at `index`, where the byte is 0xEF.
    private static func isNonCharacter(_ utf8: UnsafeBufferPointer<UInt8>, at index: Int) -> Bool {
        index + 2 < utf8.count && utf8[index + 1] == 0xBF && utf8[index + 2] >= 0xBE
    }
}
