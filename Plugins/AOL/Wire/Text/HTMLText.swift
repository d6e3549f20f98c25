/// The HTML of AIM's clients, as text and back.
///
/// A message is HTML by custom, but many clients send bare text, with `<` and `&` as they are. So only what looks like
/// markup is taken for markup.
package enum HTMLText {
    /// Markup for a text: `&`, `<` and `>` are escaped, and line ends become `<BR>`.
    package static func markup(for text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\n", "\r\n", "\r": result += "<BR>"
            default: result.append(character)
            }
        }
        return result
    }

    /// The text of a markup: tags are taken out, `<BR>` and the beginnings of blocks become line ends, references become
    /// characters, and a link's address follows its words in brackets unless the words say it.
    package static func text(of markup: String) -> String {
        var reader = HTMLReader(markup)
        return reader.read()
    }
}

/// One reading of a piece of markup.
private struct HTMLReader {
    /// The longest reference that is looked for, with `&` and `;`.
    static let referenceBytesMax = 12
    /// The longest address of a link that is shown.
    static let addressBytesMax = 2_048

    private let bytes: [UInt8]
    private var position = 0
    private var result: [UInt8] = []
    /// The link that the reading is within, and where its words begin in the result.
    private var link: (address: [UInt8], wordsStart: Int)?

    /// Whether a comment was found that does not end, so that no other is looked for: each search goes to the end.
    private var hasOpenComment = false

    init(_ markup: String) {
        self.bytes = Array(markup.utf8)
        self.result.reserveCapacity(self.bytes.count)
    }

    mutating func read() -> String {
        while self.position < self.bytes.count {
            let byte = self.bytes[self.position]
            if byte == UInt8(ascii: "<"), self.readTag() { continue }
            if byte == UInt8(ascii: "&"), self.readReference() { continue }
            if byte == UInt8(ascii: "\r") {
                self.position += 1
                if self.position < self.bytes.count, self.bytes[self.position] == 0x0A { self.position += 1 }
                self.result.append(0x0A)
                continue
            }
            self.result.append(byte)
            self.position += 1
        }
        self.closeLink()
        return String(decoding: self.result, as: UTF8.self)
    }

    /// Reads a tag or a comment; false if this `<` begins none.
    private mutating func readTag() -> Bool {
        let rest = self.bytes[(self.position + 1)...]
        if rest.starts(with: Array("!--".utf8)) {
            guard !self.hasOpenComment, let end = self.indexOf("-->", from: self.position + 4) else {
                self.hasOpenComment = true
                return false
            }
            self.position = end + 3
            return true
        }
        guard let next = rest.first, Self.isLetter(next) || next == UInt8(ascii: "/") || next == UInt8(ascii: "!"),
            let end = self.endOfTag(from: self.position + 1)
        else { return false }
        let tag = self.bytes[(self.position + 1)..<end]
        let isClosing = tag.first == UInt8(ascii: "/")
        let name = String(
            decoding: tag.drop { $0 == UInt8(ascii: "/") }.prefix { Self.isLetter($0) || Self.isDigit($0) },
            as: UTF8.self
        ).uppercased()
        // `a</3` has no name of a tag in it.
        guard !name.isEmpty || tag.first == UInt8(ascii: "!") else { return false }
        self.position = end + 1
        self.apply(name, isClosing: isClosing, tag: tag)
        return true
    }

    /// The index of the `>` of a tag; one within quotes does not count.
    private func endOfTag(from start: Int) -> Int? {
        var quote: UInt8?
        for index in start..<self.bytes.count {
            let byte = self.bytes[index]
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: ">") {
                return index
            } else if byte == UInt8(ascii: "<") {
                return nil
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'"),
                self.bytes[index - 1] == UInt8(ascii: "=")
            {
                quote = byte
            }
        }
        return nil
    }

    private mutating func apply(_ name: String, isClosing: Bool, tag: ArraySlice<UInt8>) {
        switch name {
        case "BR": self.result.append(0x0A)
        case "P", "DIV", "HR", "LI", "TR", "TABLE", "H1", "H2", "H3":
            if !isClosing, let last = self.result.last, last != 0x0A { self.result.append(0x0A) }
        case "A":
            self.closeLink()
            if !isClosing, let address = Self.attribute("HREF", of: tag), address.count <= Self.addressBytesMax {
                self.link = (address, self.result.count)
            }
        default: break
        }
    }

    private mutating func closeLink() {
        guard let link = self.link else { return }
        self.link = nil
        let words = self.result[link.wordsStart...]
        if words.isEmpty {
            self.result += link.address
        } else if !words.elementsEqual(link.address) {
            self.result += Array(" (".utf8) + link.address + Array(")".utf8)
        }
    }

    /// Reads `&amp;`, `&#65;` or `&#x41;`; false if this `&` begins none that is known.
    private mutating func readReference() -> Bool {
        let limit = min(self.position + Self.referenceBytesMax, self.bytes.count)
        guard let end = self.bytes[self.position..<limit].firstIndex(of: UInt8(ascii: ";")) else { return false }
        let name = String(decoding: self.bytes[(self.position + 1)..<end], as: UTF8.self)
        guard let scalar = Self.scalar(named: name) else { return false }
        self.result += Array(String(Character(scalar)).utf8)
        self.position = end + 1
        return true
    }

    private static func scalar(named name: String) -> Unicode.Scalar? {
        switch name.lowercased() {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        case "nbsp": return " "
        default: break
        }
        guard name.hasPrefix("#") else { return nil }
        let digits = name.dropFirst()
        let number =
            digits.first == "x" || digits.first == "X" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        // No control characters but tab and line end.
        guard let number, number >= 0x20 || number == 0x09 || number == 0x0A else { return nil }
        return Unicode.Scalar(number)
    }

    /// The value of a tag's attribute, with the references in it replaced.
    private static func attribute(_ name: String, of tag: ArraySlice<UInt8>) -> [UInt8]? {
        let text = String(decoding: tag, as: UTF8.self)
        let bytes = Array(text.utf8)
        let upper = Array(text.utf8.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 })
        let wanted = Array(name.utf8) + [UInt8(ascii: "=")]
        guard upper.count > wanted.count,
            let start = (1...upper.count - wanted.count).first(where: {
                upper[$0 - 1] <= 0x20 && upper[$0..<$0 + wanted.count].elementsEqual(wanted)
            })
        else { return nil }
        var value = bytes[(start + wanted.count)...]
        if let quote = value.first, quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            value = value.dropFirst().prefix { $0 != quote }
        } else {
            value = value.prefix { $0 > 0x20 }
        }
        guard !value.isEmpty else { return nil }
        // An address has no tags in it, only references.
        var reader = HTMLReader(String(decoding: value, as: UTF8.self))
        return Array(reader.readReferences().utf8)
    }

    private mutating func readReferences() -> String {
        while self.position < self.bytes.count {
            if self.bytes[self.position] == UInt8(ascii: "&"), self.readReference() { continue }
            self.result.append(self.bytes[self.position])
            self.position += 1
        }
        return String(decoding: self.result, as: UTF8.self)
    }

    private func indexOf(_ text: String, from start: Int) -> Int? {
        let wanted = Array(text.utf8)
        guard start <= self.bytes.count - wanted.count else { return nil }
        return (start...self.bytes.count - wanted.count).first {
            self.bytes[$0..<$0 + wanted.count].elementsEqual(wanted)
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
