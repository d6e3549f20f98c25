import Testing
import XMPPWire

@Suite struct StreamParserLimitTests {
    /// Feeds `text` after a header, in pieces of `pieceBytes`, and returns the error.
    private func failure(
        _ text: String,
        pieceBytes: Int,
        header: String = header,
        _ change: (inout StreamParserLimits) -> Void
    ) -> StreamParserError? {
        var limits = StreamParserLimits()
        change(&limits)
        let parser = StreamParser(limits: limits)
        let bytes = Array((header + text).utf8)
        for start in stride(from: 0, to: bytes.count, by: pieceBytes) {
            let found = parser.parse(Array(bytes[start..<min(start + pieceBytes, bytes.count)]))
            if case .failed(let error)? = found.last?.kind { return error }
        }
        return nil
    }

    static let pieces = [1, 7, 4096, 1 << 20]

    @Test("A stanza of the largest size passes, and one byte more ends the stream", arguments: pieces)
    func stanzaBytes(piece: Int) {
        let text = "<message><body>" + String(repeating: "x", count: 2000 - 32) + "</body></message>"
        #expect(text.utf8.count == 2000)
        #expect(self.failure(text + " <a/>" + text, pieceBytes: piece) { $0.stanzaBytesMax = 2000 } == nil)
        let error = self.failure(text, pieceBytes: piece) { $0.stanzaBytesMax = 1999 }
        #expect(error == .stanzaTooLarge(bytesMax: 1999))
        #expect(error?.streamError == .policyViolation)
    }

    @Test("A stanza that never ends is refused when it passes the limit", arguments: [1000, 60_000])
    func endlessStanza(piece: Int) {
        let parser = StreamParser()
        _ = parser.parse(Array((header + "<a>").utf8))
        var fed = 3
        var error: StreamParserError?
        while error == nil, fed < 1 << 20 {
            let found = parser.parse([UInt8](repeating: 0x78, count: piece))
            fed += piece
            if case .failed(let failure)? = found.last?.kind { error = failure }
        }
        #expect(error == .stanzaTooLarge(bytesMax: 262_144))
        #expect(fed <= 262_144 + piece)
    }

    @Test("A header of the largest size passes, and one byte more ends the stream", arguments: pieces)
    func headerBytes(piece: Int) {
        let size = header.utf8.count
        #expect(self.failure("<a/>", pieceBytes: piece) { $0.stanzaBytesMax = size } == nil)
        let error = self.failure("<a/>", pieceBytes: piece) { $0.stanzaBytesMax = size - 1 }
        #expect(error == .stanzaTooLarge(bytesMax: size - 1))
    }

    @Test("A peer that is not authenticated may send 10 000 bytes in a stanza")
    func unauthenticated() {
        func stanza(_ size: Int) -> String { "<a>" + String(repeating: "x", count: size - 7) + "</a>" }
        #expect(XMPPWireTests.failure(header + stanza(10_000), limits: .unauthenticated) == nil)
        let error = XMPPWireTests.failure(header + stanza(10_001), limits: .unauthenticated)
        #expect(error == .stanzaTooLarge(bytesMax: 10_000))
    }

    @Test("A limit can be raised while the stream runs")
    func limitsChange() {
        let parser = StreamParser(limits: .unauthenticated)
        _ = parser.parse(Array(header.utf8))
        parser.limits = StreamParserLimits()
        let found = parser.parse(Array(("<a>" + String(repeating: "x", count: 20_000) + "</a>").utf8))
        #expect(elements(found).count == 1)
    }

    static let tags = [
        "<a b='" + String(repeating: "x", count: 2000 - 9) + "'/>",
        "<a" + String(repeating: " ", count: 2000 - 4) + "/>",
    ]

    @Test("A tag of the largest size passes, and one byte more ends the stream", arguments: tags, pieces)
    func tagBytes(tag: String, piece: Int) {
        #expect(tag.utf8.count == 2000)
        #expect(self.failure(tag, pieceBytes: piece) { $0.tagBytesMax = 2000 } == nil)
        let error = self.failure(tag, pieceBytes: piece) { $0.tagBytesMax = 1999 }
        #expect(error == .tagTooLarge(bytesMax: 1999))
    }

    @Test("A character reference with very many zeros is a tag too large", arguments: pieces)
    func longReference(piece: Int) {
        let text = "<a>&#" + String(repeating: "0", count: 2000) + "65;</a>"
        #expect(self.failure(text, pieceBytes: piece) { $0.tagBytesMax = 1000 } == .tagTooLarge(bytesMax: 1000))
    }

    @Test("Text and empty CDATA sections are no tags", arguments: pieces)
    func textIsNoTag(piece: Int) {
        let text =
            "<a>" + String(repeating: "x", count: 3000) + String(repeating: "<![CDATA[]]>", count: 300)
            + String(repeating: "&#65;", count: 600) + "</a>"
        #expect(self.failure(text, pieceBytes: piece) { $0.tagBytesMax = 1000 } == nil)
    }

    @Test("The deepest stanza passes, and one level more ends the stream", arguments: pieces)
    func depth(piece: Int) {
        func nested(_ levels: Int) -> String {
            String(repeating: "<a>", count: levels) + String(repeating: "</a>", count: levels)
        }
        #expect(self.failure(nested(64), pieceBytes: piece) { _ in } == nil)
        let error = self.failure(nested(65), pieceBytes: piece) { _ in }
        #expect(error == .tooDeep(max: 64))
        #expect(error?.streamError == .policyViolation)
    }

    @Test("The most elements pass, and one more ends the stream")
    func elementCount() {
        func wide(_ elements: Int) -> String { "<a>" + String(repeating: "<b/>", count: elements - 1) + "</a>" }
        #expect(self.failure(wide(16_384) + wide(16_384), pieceBytes: 4096) { _ in } == nil)
        #expect(self.failure(wide(16_385), pieceBytes: 4096) { _ in } == .tooManyElements(max: 16_384))
    }

    @Test("The most attributes pass, declarations among them, and one more ends the stream")
    func attributeCount() {
        func tag(attributes: Int, declarations: Int) -> String {
            let attributes = (0..<attributes).map { " a\($0)='1'" }.joined()
            return "<a" + attributes + (0..<declarations).map { " xmlns:p\($0)='urn:p'" }.joined() + "/>"
        }
        #expect(self.failure(tag(attributes: 64, declarations: 0), pieceBytes: 999) { _ in } == nil)
        #expect(self.failure(tag(attributes: 30, declarations: 34), pieceBytes: 999) { _ in } == nil)
        for tag in [
            tag(attributes: 65, declarations: 0), tag(attributes: 0, declarations: 65),
            tag(attributes: 30, declarations: 35),
        ] {
            #expect(self.failure(tag, pieceBytes: 999) { _ in } == .tooManyAttributes(max: 64))
        }
    }

    @Test("The longest name passes, and one byte more ends the stream")
    func nameBytes() {
        func element(_ bytes: Int) -> String { "<" + String(repeating: "n", count: bytes) + " xmlns=''/>" }
        #expect(self.failure(element(1024), pieceBytes: 999) { _ in } == nil)
        #expect(self.failure(element(1025), pieceBytes: 999) { _ in } == .nameTooLong(bytesMax: 1024))
    }

    @Test("A flood of names that are used once ends the stream")
    func nameFlood() {
        let parser = StreamParser()
        _ = parser.parse(Array(header.utf8))
        var stanzas = 0
        var error: StreamParserError?
        while error == nil, stanzas < 10_000 {
            let found = parser.parse(Array("<n\(stanzas) a\(stanzas)='1'/>".utf8))
            if case .failed(let failure)? = found.last?.kind { error = failure } else { stanzas += 1 }
        }
        #expect(error == .tooManyNames(max: 8192))
        // The header has eight names: two prefixes, the stream, five attributes.
        #expect(stanzas == (8192 - 8) / 2)
    }

    @Test("A flood of prefixes or of namespaces is a flood of names", arguments: ["prefix", "namespace"])
    func prefixFlood(kind: String) {
        let parser = StreamParser()
        _ = parser.parse(Array(header.utf8))
        var error: StreamParserError?
        for index in 0..<9000 where error == nil {
            let text = kind == "prefix" ? "<a xmlns:p\(index)='urn:p'/>" : "<a xmlns='urn:\(index)'/>"
            if case .failed(let failure)? = parser.parse(Array(text.utf8)).last?.kind { error = failure }
        }
        #expect(error == .tooManyNames(max: 8192))
    }

    @Test("The same names may come for ever")
    func sameNames() {
        var limits = StreamParserLimits()
        // Those of the header, and four.
        limits.distinctNamesMax = 12
        let parser = StreamParser(limits: limits)
        _ = parser.parse(Array(header.utf8))
        let stanza = Array("<message to='b.example'><body>hello</body></message>".utf8)
        for _ in 0..<1000 {
            #expect(parser.parse(stanza).count == 1)
        }
    }
}
