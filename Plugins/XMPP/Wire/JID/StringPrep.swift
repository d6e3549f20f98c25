internal import CIDN

/// Prepares the parts of JIDs with the string profiles of RFC 6122: Nodeprep, Nameprep, Resourceprep.
enum StringPrep {
    /// The prepared form of a part.
    ///
    /// - Throws: ``JIDError`` for a part that is empty, too long, or has characters its profile forbids. A part that is
    ///   too long before it is prepared is refused too, even if it would have become shorter: that bounds the work.
    static func prepare(_ value: String, part: JIDError.Part) throws(JIDError) -> String {
        let bytes = value.utf8.count
        guard bytes > 0 else { throw .emptyPart(part) }
        guard bytes <= JID.partBytesMax else { throw .partTooLong(part, bytes: bytes) }
        let prepared =
            if value.utf8.allSatisfy({ $0 < 0x80 }) {
                try self.prepareASCII(value, part: part)
            } else {
                try self.prepareUnicode(value, part: part)
            }
        guard !prepared.isEmpty else { throw .emptyPart(part) }
        guard prepared.utf8.count <= JID.partBytesMax else {
            throw .partTooLong(part, bytes: prepared.utf8.count)
        }
        return prepared
    }

    /// What ``prepareUnicode(_:part:)`` gives for ASCII, without its tables.
    static func prepareASCII(_ value: String, part: JIDError.Part) throws(JIDError) -> String {
        let isAllowed =
            switch part {
            case .local: value.utf8.allSatisfy(self.isAllowedInLocal)
            case .domain: !value.utf8.contains(0)
            case .resource: value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
            }
        guard isAllowed else { throw .forbiddenCharacters(part, value) }
        let isMapped = part != .resource && value.utf8.contains { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 }
        return isMapped ? value.lowercased() : value
    }

    /// RFC 6122 §A.5: no space, no control character, none of these eight.
    private static func isAllowedInLocal(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "/"), UInt8(ascii: ":"),
            UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "@"):
            false
        default: byte > 0x20 && byte != 0x7F
        }
    }

    /// Maps, normalises and checks with libidn's tables.
    ///
    /// Code points unassigned in Unicode 3.2 pass unchanged.
    static func prepareUnicode(_ value: String, part: JIDError.Part) throws(JIDError) -> String {
        let profile =
            switch part {
            case .local: plugboard_idn_nodeprep()
            case .domain: plugboard_idn_nameprep()
            case .resource: plugboard_idn_resourceprep()
            }
        // libidn takes a NUL for the end of the string.
        guard !value.utf8.contains(0) else { throw .forbiddenCharacters(part, value) }
        // Room for every code point to be mapped to as many as it can be, before normalisation joins some.
        let capacity = JID.partBytesMax * Int(STRINGPREP_MAX_MAP_CHARS)
        return try withUnsafeTemporaryAllocation(of: UInt32.self, capacity: capacity) {
            (buffer) throws(JIDError) -> String in
            var count = 0
            for scalar in value.unicodeScalars {
                buffer.initializeElement(at: count, to: scalar.value)
                count += 1
            }
            let status = stringprep_4i(buffer.baseAddress, &count, capacity, Stringprep_profile_flags(0), profile)
            if status == CInt(STRINGPREP_TOO_SMALL_BUFFER.rawValue) {
                throw .partTooLong(part, bytes: capacity)
            }
            guard status == CInt(STRINGPREP_OK.rawValue) else { throw .forbiddenCharacters(part, value) }
            return self.string(buffer[..<count])
        }
    }

    /// The string of these code points; U+FFFD for what is none.
    static func string(_ codePoints: some Sequence<UInt32>) -> String {
        var string = String.UnicodeScalarView()
        string.append(contentsOf: codePoints.lazy.map { Unicode.Scalar($0) ?? "\u{FFFD}" })
        return String(string)
    }
}
