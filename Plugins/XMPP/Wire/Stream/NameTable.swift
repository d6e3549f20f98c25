/// The names that a stream has used: each is taken apart once, and their number is limited.
struct NameTable {
    /// An element's or attribute's name, or a prefix.
    struct Name {
        let local: String
        /// Empty for none.
        let namespace: String
    }

    /// What Expat puts between the namespace, the local name and the prefix.
    ///
    /// No XML text can contain it.
    static let separator: UInt8 = 1

    private struct Entry {
        let bytes: [UInt8]
        let name: Name
    }

    /// By the hash of the bytes, seeded in each process.
    private var entries: [Int: Entry] = [:]
    private var count = 0

    /// Takes apart `local`, `namespace SEPARATOR local` or `namespace SEPARATOR local SEPARATOR prefix`.
    ///
    /// - Parameter start: ends with a NUL; not kept.
    /// - Throws: ``StreamParserError/nameTooLong(bytesMax:)``, ``StreamParserError/tooManyNames(max:)``.
    mutating func name(
        _ start: UnsafePointer<CChar>,
        limits: StreamParserLimits
    ) throws(StreamParserError) -> Name {
        var length = 0
        while start[length] != 0 { length += 1 }
        guard length <= limits.nameBytesMax else { throw .nameTooLong(bytesMax: limits.nameBytesMax) }

        let bytes = UnsafeRawBufferPointer(start: start, count: length)
        var hasher = Hasher()
        hasher.combine(bytes: bytes)
        let hash = hasher.finalize()
        if let entry = self.entries[hash], entry.bytes.elementsEqual(bytes) { return entry.name }

        guard self.count < limits.distinctNamesMax else { throw .tooManyNames(max: limits.distinctNamesMax) }
        self.count += 1
        let parts = bytes.split(separator: Self.separator, omittingEmptySubsequences: false)
        let name =
            if parts.count == 1 {
                Name(local: String(decoding: bytes, as: UTF8.self), namespace: "")
            } else {
                Name(
                    local: String(decoding: parts[1], as: UTF8.self),
                    namespace: String(decoding: parts[0], as: UTF8.self)
                )
            }
        self.entries[hash] = Entry(bytes: Array(bytes), name: name)
        return name
    }
}
