import Testing

@testable import XMPPWire

@Suite struct StringPrepTests {
    static let parts: [JIDError.Part] = [.local, .domain, .resource]

    private func outcome(_ body: () throws(JIDError) -> String) -> Result<String, JIDError> {
        Result { () throws(JIDError) in try body() }
    }

    @Test("The fast way gives for every ASCII character what the tables give", arguments: parts)
    func asciiCharacters(part: JIDError.Part) {
        for byte in UInt8(0)..<0x80 {
            for text in [String(Unicode.Scalar(byte)), "x\(Unicode.Scalar(byte))Y", "\(Unicode.Scalar(byte))0"] {
                let fast = self.outcome { () throws(JIDError) in try StringPrep.prepareASCII(text, part: part) }
                let slow = self.outcome { () throws(JIDError) in try StringPrep.prepareUnicode(text, part: part) }
                #expect(fast == slow, "\(part) U+\(String(byte, radix: 16))")
            }
        }
    }

    @Test("The fast way gives for every pair of ASCII characters what the tables give", arguments: parts)
    func asciiPairs(part: JIDError.Part) {
        for first in UInt8(0)..<0x80 {
            for second in UInt8(0)..<0x80 {
                let text = String(decoding: [first, second], as: UTF8.self)
                let fast = self.outcome { () throws(JIDError) in try StringPrep.prepareASCII(text, part: part) }
                let slow = self.outcome { () throws(JIDError) in try StringPrep.prepareUnicode(text, part: part) }
                if fast != slow { Issue.record("\(part) \([first, second])") }
            }
        }
    }

    struct Vector: CustomTestStringConvertible, Sendable {
        let name: String
        let part: JIDError.Part
        let text: String
        /// Nil when the text is refused.
        let prepared: String?
        var testDescription: String { "\(self.part) \(self.name)" }

        init(_ name: String, _ part: JIDError.Part, _ text: String, _ prepared: String?) {
            self.name = name
            self.part = part
            self.text = text
            self.prepared = prepared
        }
    }

    static let vectors = [
        // RFC 3454 table B.1: mapped to nothing.
        Vector("soft hyphen", .local, "a\u{AD}b", "ab"),
        Vector("zero width joiner", .local, "a\u{200D}b", "ab"),
        Vector("word joiner", .resource, "a\u{2060}b", "ab"),
        Vector("variation selector", .resource, "a\u{FE0F}", "a"),
        Vector("byte order mark", .resource, "\u{FEFF}a", "a"),
        // Table B.2: case folding, in local part and domain only.
        Vector("sharp s", .local, "\u{DF}", "ss"),
        Vector("sharp s", .resource, "\u{DF}", "\u{DF}"),
        Vector("capital sharp s, unknown to Unicode 3.2", .local, "\u{1E9E}", "\u{1E9E}"),
        Vector("dotless i", .local, "\u{131}", "\u{131}"),
        Vector("capital i with dot", .local, "\u{130}", "i\u{307}"),
        Vector("capital i with dot", .resource, "\u{130}", "\u{130}"),
        Vector("final sigma", .local, "\u{3A3}\u{3C2}\u{3C3}", "\u{3C3}\u{3C3}\u{3C3}"),
        Vector("Cyrillic", .local, "\u{416}", "\u{436}"),
        Vector("umlaut", .local, "\u{DC}", "\u{FC}"),
        Vector("umlaut", .resource, "\u{DC}", "\u{DC}"),
        Vector("Kelvin sign", .local, "\u{212A}", "k"),
        Vector("Kelvin sign", .resource, "\u{212A}", "K"),
        // NFKC.
        Vector("composed", .local, "u\u{308}", "\u{FC}"),
        Vector("order of marks", .resource, "a\u{301}\u{323}", "\u{1EA1}\u{301}"),
        Vector("fullwidth letter", .local, "\u{FF21}", "a"),
        Vector("fullwidth letter", .resource, "\u{FF21}", "A"),
        Vector("ligature", .local, "\u{FB01}", "fi"),
        Vector("Roman numeral", .local, "\u{2163}", "iv"),
        Vector("superscript", .resource, "x\u{B2}", "x2"),
        Vector("Hangul", .resource, "\u{1112}\u{1161}\u{11AB}", "\u{D55C}"),
        // What becomes a forbidden character.
        Vector("fullwidth at sign", .local, "\u{FF20}", nil),
        Vector("fullwidth slash", .local, "\u{FF0F}", nil),
        Vector("fullwidth slash", .resource, "\u{FF0F}", "/"),
        Vector("account of", .local, "\u{2100}", nil),
        Vector("ideographic space", .local, "a\u{3000}b", nil),
        Vector("ideographic space", .resource, "a\u{3000}b", "a b"),
        // Tables C.1 to C.9: forbidden.
        Vector("Ogham space", .resource, "a\u{1680}b", nil),
        Vector("C1 control", .resource, "\u{85}", nil),
        Vector("line separator", .local, "\u{2028}", nil),
        Vector("private use", .local, "\u{E000}", nil),
        Vector("private use plane", .resource, "\u{10FFFD}", nil),
        Vector("no character", .resource, "\u{FFFF}", nil),
        Vector("no character", .resource, "\u{1FFFE}", nil),
        Vector("replacement character", .resource, "\u{FFFD}", nil),
        Vector("object replacement", .local, "\u{FFFC}", nil),
        Vector("ideographic description", .resource, "\u{2FF0}", nil),
        Vector("left-to-right mark", .local, "a\u{200E}", nil),
        Vector("right-to-left override", .resource, "a\u{202E}", nil),
        Vector("deprecated", .resource, "\u{206A}", nil),
        Vector("tag", .resource, "\u{E0041}", nil),
        // RFC 3454 §6: writing directions.
        Vector("Hebrew", .local, "\u{5D0}\u{5D1}", "\u{5D0}\u{5D1}"),
        Vector("Hebrew with digit inside", .resource, "\u{5D0}1\u{5D1}", "\u{5D0}1\u{5D1}"),
        Vector("Hebrew with digit at the end", .resource, "\u{5D0}1", nil),
        Vector("Hebrew with Latin", .local, "\u{5D0}a\u{5D0}", nil),
        // Code points that Unicode 3.2 did not know.
        Vector("emoji", .local, "\u{1F600}", "\u{1F600}"),
        Vector("emoji", .resource, "phone \u{1F4F1}", "phone \u{1F4F1}"),
        Vector("emoji", .domain, "\u{1F600}", "\u{1F600}"),
        Vector("family of emoji loses its joiners", .resource, "\u{1F468}\u{200D}\u{1F469}", "\u{1F468}\u{1F469}"),
        // Nameprep leaves ASCII to the rules for host names.
        Vector("space", .domain, "a b", "a b"),
        Vector("capitals", .domain, "A.\u{DC}", "a.\u{FC}"),
        Vector("private use", .domain, "\u{E000}", nil),
    ]

    @Test("Every profile maps, normalises and forbids what RFC 3454 and RFC 6122 say", arguments: vectors)
    func profiles(_ vector: Vector) throws {
        if let prepared = vector.prepared {
            let result = try StringPrep.prepare(vector.text, part: vector.part)
            #expect(Array(result.unicodeScalars) == Array(prepared.unicodeScalars))
            #expect(
                Array(try StringPrep.prepare(result, part: vector.part).unicodeScalars) == Array(result.unicodeScalars)
            )
        } else {
            #expect(throws: JIDError.forbiddenCharacters(vector.part, vector.text)) {
                try StringPrep.prepare(vector.text, part: vector.part)
            }
        }
    }
}
