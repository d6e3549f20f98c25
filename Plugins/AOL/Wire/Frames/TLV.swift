/// A tagged value: 16 bits of tag, 16 bits of length, and the value.
package struct TLV: Hashable, Sendable {
    /// What it is; the meaning depends on the message.
    package var tag: UInt16
    /// At most 65,535 bytes.
    package var value: [UInt8]

    /// Puts one together from bytes.
    package init(_ tag: UInt16, _ value: [UInt8] = []) {
        self.tag = tag
        self.value = value
    }

    /// Puts one together from an integer.
    package init<T: FixedWidthInteger & UnsignedInteger>(_ tag: UInt16, integer: T) {
        var writer = WireWriter()
        writer.integer(integer)
        self.init(tag, writer.bytes)
    }

    /// Puts one together from text, as UTF-8.
    package init(_ tag: UInt16, text: String) {
        self.init(tag, Array(text.utf8))
    }
}

/// TLVs in the order of the message.
///
/// A tag may come more than once.
package struct TLVBlock: Hashable, Sendable {
    /// The most TLVs of one block: far more than any message has.
    package static let countMax = 512

    /// All of them.
    package var entries: [TLV]

    /// Puts a block together.
    package init(_ entries: [TLV] = []) {
        self.entries = entries
    }

    /// The value of the first one with this tag.
    package subscript(tag: UInt16) -> [UInt8]? { self.entries.first { $0.tag == tag }?.value }

    /// Whether there is one with this tag.
    package func contains(_ tag: UInt16) -> Bool { self[tag] != nil }

    /// Appends one.
    package mutating func append(_ entry: TLV) { self.entries.append(entry) }

    /// The number that the first one with this tag begins with; nil if there is none.
    ///
    /// - Throws: ``OSCARWireError/shortTLV(tag:needed:actual:)``.
    package func integer<T: FixedWidthInteger & UnsignedInteger>(
        _ tag: UInt16,
        as type: T.Type = T.self
    ) throws(OSCARWireError) -> T? {
        guard let value = self[tag] else { return nil }
        guard value.count >= T.bitWidth / 8 else {
            throw .shortTLV(tag: tag, needed: T.bitWidth / 8, actual: value.count)
        }
        var reader = WireReader(value)
        return try reader.integer("a TLV")
    }

    /// The text of the first one with this tag; nil if there is none.
    package func text(_ tag: UInt16, _ field: String) throws(OSCARWireError) -> String? {
        guard let value = self[tag] else { return nil }
        guard let text = String(validating: value, as: UTF8.self) else { throw .notUTF8(field: field) }
        return text
    }

    /// Reads TLVs to the end of the reader.
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.entries = []
        while !reader.isAtEnd { try self.readOne(from: &reader) }
    }

    /// Reads a count in two bytes, and that many TLVs.
    package init(countedFrom reader: inout WireReader) throws(OSCARWireError) {
        self.entries = []
        let count: UInt16 = try reader.integer("the number of TLVs")
        for _ in 0..<count { try self.readOne(from: &reader) }
    }

    private mutating func readOne(from reader: inout WireReader) throws(OSCARWireError) {
        guard self.entries.count < TLVBlock.countMax else {
            throw .tooMany(list: "a block of TLVs", count: self.entries.count + 1, max: TLVBlock.countMax)
        }
        let tag: UInt16 = try reader.integer("a TLV's tag")
        self.entries.append(TLV(tag, try reader.lp16("the TLV 0x\(hex(tag))")))
    }

    /// Writes the TLVs.
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        for entry in self.entries {
            writer.integer(entry.tag)
            try writer.lp16(entry.value, "the TLV 0x\(hex(entry.tag))")
        }
    }

    /// Writes their number in two bytes, and the TLVs.
    package func writeCounted(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(try WireWriter.count16(self.entries.count, "the number of TLVs"))
        try self.write(to: &writer)
    }

    /// The bytes of the TLVs.
    package func encoded() throws(OSCARWireError) -> [UInt8] {
        var writer = WireWriter()
        try self.write(to: &writer)
        return writer.bytes
    }
}
