/// The text of a message on channel 1: the value of its TLV 0x02.
///
///     fragments: 1 id, 1 version, 2 length, data
///     id 5: bytes that say what the text may have in it; id 1: 2 charset, 2 language, text
///
/// A text may come in several fragments, each with a charset of its own.
package struct InstantText: Hashable, Sendable {
    /// The most fragments.
    package static let partsMax = 64
    private static let textID: UInt8 = 1
    private static let featuresID: UInt8 = 5

    /// A fragment of text.
    package struct Part: Hashable, Sendable {
        package var charset: Charset
        package var language: UInt16
        package var bytes: [UInt8]
        package init(charset: Charset, language: UInt16 = 0, bytes: [UInt8]) {
            self.charset = charset
            self.language = language
            self.bytes = bytes
        }
    }

    /// What the text may have in it; 1 is all that it means.
    ///
    /// Nil: it is not said.
    package var features: [UInt8]?
    /// The text.
    package var parts: [Part]

    /// As it came.
    package init(features: [UInt8]?, parts: [Part]) {
        self.features = features
        self.parts = parts
    }

    /// One part, in the smallest charset, with the markup as it is given.
    package init(markup: String) {
        let (charset, bytes) = Charset.encode(markup)
        self.init(features: [1], parts: [Part(charset: charset, bytes: bytes)])
    }

    /// All parts as one string, markup and all.
    package var markup: String { self.parts.map { $0.charset.decode($0.bytes) }.joined() }

    /// Reads the value of the TLV.
    ///
    /// Fragments of other kinds are left out.
    package init(value: [UInt8]) throws(OSCARWireError) {
        var reader = WireReader(value)
        self.features = nil
        self.parts = []
        var count = 0
        while !reader.isAtEnd {
            count += 1
            guard count <= InstantText.partsMax else {
                throw .tooMany(list: "the fragments of a text", count: count, max: InstantText.partsMax)
            }
            let id: UInt8 = try reader.integer("a fragment's id")
            let _: UInt8 = try reader.integer("a fragment's version")
            let length: UInt16 = try reader.integer("a fragment's length")
            var part = try reader.part(Int(length), "a fragment")
            switch id {
            case InstantText.featuresID: self.features = part.rest()
            case InstantText.textID:
                let charset: UInt16 = try part.integer("a charset")
                let language: UInt16 = try part.integer("a language")
                self.parts.append(Part(charset: Charset(rawValue: charset), language: language, bytes: part.rest()))
            default: break
            }
        }
    }

    /// The value of the TLV.
    package func encoded() throws(OSCARWireError) -> [UInt8] {
        var writer = WireWriter()
        if let features = self.features {
            writer.integer(InstantText.featuresID)
            writer.integer(UInt8(1))
            try writer.lp16(features, "the features of a text")
        }
        for part in self.parts {
            writer.integer(InstantText.textID)
            writer.integer(UInt8(1))
            var data = WireWriter()
            data.integer(part.charset.rawValue)
            data.integer(part.language)
            data.append(part.bytes)
            try writer.lp16(data.bytes, "a text")
        }
        return writer.bytes
    }
}
