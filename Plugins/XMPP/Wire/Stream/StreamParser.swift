internal import CExpat

/// Turns the bytes of one XML stream into a header, stanzas and an end.
///
/// Accepts the XML of RFC 6120 §11 only: no comments, processing instructions, document types or entities, and UTF-8
/// alone. White space before the header and between stanzas is skipped. A restarted stream needs a new parser.
///
/// Belongs to one thread at a time. Cost: linear in the bytes, but see ``StreamParserLimits/tagBytesMax``.
package final class StreamParser {
    /// What the peer may send.
    ///
    /// A change holds from the next byte on.
    package var limits: StreamParserLimits

    /// Expat gets its bytes in slices of this size, so that too much of anything is noticed within one slice.
    static let sliceBytesMax = 8192

    /// Where in the stream the parser stands.
    enum Position {
        /// Nothing but white space came.
        case beforeHeader
        /// The `<` came that begins the header or the XML declaration.
        case afterFirstByte
        case inHeader
        case betweenStanzas
        case inStanza
        /// The header's element ended: Expat gets no more, for what it makes of a name there depends on the cut.
        case closed
    }

    let expat: XML_Parser?
    var position = Position.beforeHeader
    var failure: StreamParserError?
    /// Found in the current call to `parse`.
    var events: [StreamEvent] = []
    var names = NameTable()
    /// The open elements of the stanza, outermost first.
    var open: [Element] = []
    /// Character data not yet added to the innermost open element.
    var text: [UInt8] = []
    /// Namespace declarations of the opening tag that is about to be reported; prefix nil for the default namespace.
    var declarations: [(prefix: String?, namespace: String)] = []
    /// Elements of the stanza so far.
    var elementCount = 0
    /// Offset of the first byte of the header or stanza that is being read.
    ///
    /// Like all offsets here but ``StreamEvent/endOffset``, it counts the bytes that Expat was given, from the start of
    /// the stream.
    var itemStart = 0
    /// Offset just after the last token that Expat reported.
    var tokenEnd = 0

    /// Bytes given to Expat.
    private var fedBytes = 0
    /// Expat's offset of the first byte of this call to `parse`; negative when bytes of this call were skipped.
    private var callStart = 0
    private var hasReportedFailure = false

    /// Makes a parser for one stream.
    package init(limits: StreamParserLimits = StreamParserLimits()) {
        self.limits = limits
        self.expat = XML_ParserCreateNS("UTF-8", XML_Char(NameTable.separator))
        guard let expat = self.expat else {
            self.failure = .outOfMemory
            return
        }
        plugboard_expat_disable_reparse_deferral(expat)
        XML_SetReturnNSTriplet(expat, 1)
        self.installHandlers(expat)
    }

    deinit {
        XML_ParserFree(self.expat)
    }

    /// Reads more of the stream, and says what was completed by it.
    ///
    /// - Parameter bytes: any number, cut anywhere; not kept.
    /// - Returns: what was completed, in order. After ``StreamEvent/Kind/failed(_:)`` always nothing.
    package func parse(_ bytes: UnsafeRawBufferPointer) -> [StreamEvent] {
        guard !self.hasReportedFailure else { return [] }
        self.callStart = self.fedBytes
        var index = 0
        while self.failure == nil, index < bytes.count {
            index += self.consume(UnsafeRawBufferPointer(rebasing: bytes[index...]))
        }
        if let failure = self.failure {
            self.hasReportedFailure = true
            self.open.removeAll()
            self.events.append(StreamEvent(.failed(failure), endOffset: bytes.count))
        }
        defer { self.events = [] }
        return self.events
    }

    /// Reads more of the stream, and says what was completed by it.
    package func parse(_ bytes: [UInt8]) -> [StreamEvent] {
        bytes.withUnsafeBytes { self.parse($0) }
    }

    /// Skips or gives to Expat some of `bytes`, which are not empty, and returns how many.
    private func consume(_ bytes: UnsafeRawBufferPointer) -> Int {
        switch self.position {
        case .beforeHeader:
            let space = bytes.prefix(while: XMLEscaping.isSpace).count
            guard space == 0 else {
                self.callStart -= space
                return space
            }
            guard self.isFirstByteAllowed(bytes[0]) else { return 1 }
            self.position = .afterFirstByte
            return self.feed(UnsafeRawBufferPointer(rebasing: bytes[..<1]))
        case .afterFirstByte:
            guard bytes[0] != 0 else {
                self.fail(.unsupportedEncoding("UTF-16 or UTF-32"))
                return 1
            }
            self.position = .inHeader
        case .closed:
            guard XMLEscaping.isSpace(bytes[0]) else {
                let line = Int(XML_GetCurrentLineNumber(self.expat))
                self.fail(.notWellFormed("more than white space after the end of the stream", line: line))
                return 1
            }
            return bytes.prefix(while: XMLEscaping.isSpace).count
        case .inHeader, .betweenStanzas, .inStanza:
            break
        }
        return self.feed(UnsafeRawBufferPointer(rebasing: bytes.prefix(Self.sliceBytesMax)))
    }

    /// Refuses what Expat accepts before the header: a byte order mark, and with it or without it other encodings.
    private func isFirstByteAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "<"): return true
        case 0x00, 0xFE, 0xFF: self.fail(.unsupportedEncoding("UTF-16 or UTF-32"))
        case 0xEF: self.fail(.notWellFormed("a byte order mark, or text, before the header", line: 1))
        default: self.fail(.notWellFormed("text before the header", line: 1))
        }
        return false
    }

    /// Gives `bytes` to Expat, and returns how many it read: all, unless the stream was closed or failed in them.
    private func feed(_ bytes: UnsafeRawBufferPointer) -> Int {
        let before = self.fedBytes
        self.fedBytes += bytes.count
        let start = bytes.assumingMemoryBound(to: CChar.self).baseAddress
        let status = XML_Parse(self.expat, start, CInt(bytes.count), 0)
        guard self.failure == nil else { return bytes.count }
        guard self.position != .closed else { return self.tokenEnd - before }
        guard status == XML_STATUS_OK else {
            self.failure = self.expatError()
            return bytes.count
        }
        if self.fedBytes - self.tokenEnd > self.limits.tagBytesMax {
            self.failure = .tagTooLarge(bytesMax: self.limits.tagBytesMax)
        }
        switch self.position {
        case .inHeader, .inStanza: self.checkItemSize(end: self.fedBytes)
        case .beforeHeader, .afterFirstByte, .betweenStanzas, .closed: break
        }
        return bytes.count
    }

    private func expatError() -> StreamParserError {
        let code = XML_GetErrorCode(self.expat)
        switch code {
        case XML_ERROR_NO_MEMORY: return .outOfMemory
        case XML_ERROR_UNDEFINED_ENTITY: return .restricted(.entity)
        case XML_ERROR_UNKNOWN_ENCODING, XML_ERROR_INCORRECT_ENCODING:
            return .unsupportedEncoding("another encoding")
        default:
            let reason = XML_ErrorString(code).map { String(cString: $0) } ?? "unknown error"
            return .notWellFormed(reason, line: Int(XML_GetCurrentLineNumber(self.expat)))
        }
    }
}

extension StreamParser {
    /// Ends the stream with `error`, unless it ended already.
    func fail(_ error: StreamParserError) {
        guard self.failure == nil else { return }
        self.failure = error
        XML_StopParser(self.expat, XML_Bool(XML_FALSE))
    }

    /// Fails when the header or stanza that reaches up to `end` is too large.
    func checkItemSize(end: Int) {
        if end - self.itemStart > self.limits.stanzaBytesMax {
            self.fail(.stanzaTooLarge(bytesMax: self.limits.stanzaBytesMax))
        }
    }

    /// Reports what the current token completed, unless the stream ended with an error.
    func report(_ kind: StreamEvent.Kind) {
        guard self.failure == nil else { return }
        self.events.append(StreamEvent(kind, endOffset: self.tokenEnd - self.callStart))
    }
}
