import Testing
import XMPPWire

@Suite struct StreamParserTests {
    /// A stream with everything that the parser has to cope with.
    static let stream =
        " \n" + header
        + "\r\n <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
        + "</stream:features> <db:result from='a.example' to=\"b.example\">key</db:result>"
        + "<message to='b@b.example' from='a@a.example/&lt;x&gt;' xml:lang='de'><body>gr\u{FC}\u{DF}e &amp; \u{1F600}"
        + "<![CDATA[<raw> ]]]]><![CDATA[>]]>&#x41;&#10;</body><p:x xmlns:p='urn:p' p:a='1' a='2'><p:y/></p:x></message>\n"
        + "<presence/><iq type='get' id='1'><ping xmlns='urn:xmpp:ping'/></iq></stream:stream>\n"

    @Test("A whole stream gives its header, its elements and its end")
    func wholeStream() throws {
        let found = events(Self.stream)
        try #require(found.count == 7)
        guard case .opened(let opened) = found[0].kind else {
            Issue.record("no header")
            return
        }
        #expect(opened.from == "a.example")
        #expect(opened.to == "b.example")
        #expect(opened.id == "1")
        #expect(opened.version == "1.0")
        #expect(opened.lang == "en")
        #expect(opened.defaultNamespace == Namespace.server)
        #expect(opened.prefixes == StreamHeader.serverPrefixes)
        #expect(found[6].kind == .closed)

        let children = elements(found)
        #expect(children.map(\.name) == ["features", "result", "message", "presence", "iq"])
        #expect(children[0].namespace == Namespace.streams)
        #expect(children[1].namespace == Namespace.dialback)
        #expect(children[1].text == "key")
        let message = children[2]
        #expect(message["from"] == "a@a.example/<x>")
        #expect(message["lang", namespace: Namespace.xml] == "de")
        #expect(message.children.count == 2)
        let text = "gr\u{FC}\u{DF}e & \u{1F600}<raw> ]]>A\n"
        #expect(message.elements[0].children == [.text(text)])
        let payload = message.elements[1]
        #expect(payload.namespace == "urn:p")
        #expect(payload["a"] == "2")
        #expect(payload["a", namespace: "urn:p"] == "1")
        #expect(payload.firstChild(named: "y", namespace: "urn:p") != nil)
    }

    @Test("A stream that comes byte by byte gives the same events")
    func byteByByte() {
        let bytes = Array(Self.stream.utf8)
        let parser = StreamParser()
        var found: [StreamEvent] = []
        for (index, byte) in bytes.enumerated() {
            found += parser.parse([byte]).map { StreamEvent($0.kind, endOffset: $0.endOffset + index) }
        }
        #expect(found == events(Self.stream))
    }

    @Test("A stream cut anywhere gives the same events, each as soon as its last byte is there")
    func everySplit() {
        let bytes = Array(Self.stream.utf8)
        let whole = events(Self.stream)
        for split in 0...bytes.count {
            let parser = StreamParser()
            let first = parser.parse(Array(bytes[..<split]))
            #expect(first == whole.filter { $0.endOffset <= split })
            let second = parser.parse(Array(bytes[split...]))
            #expect(first + second.map { StreamEvent($0.kind, endOffset: $0.endOffset + split) } == whole)
        }
    }

    @Test("Every event tells where it ended")
    func endOffsets() {
        let bytes = Array(Self.stream.utf8)
        let ends = events(Self.stream).map { String(decoding: bytes[..<$0.endOffset], as: UTF8.self) }
        let suffixes = [
            "xml:lang='en'>", "</stream:features>", "</db:result>", "</message>", "<presence/>", "</iq>",
            "</stream:stream>",
        ]
        for (end, suffix) in zip(ends, suffixes) {
            #expect(end.hasSuffix(suffix))
        }
    }

    @Test("What follows an element that restarts the stream can be fed to a fresh parser")
    func restart() throws {
        let bytes = Array((header + "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>\n" + header).utf8)
        let found = StreamParser().parse(bytes)
        try #require(found.count == 3)
        #expect(elements(found).map(\.name) == ["success"])
        guard case .failed = found[2].kind else {
            Issue.record("the second header was accepted by the first parser")
            return
        }
        let rest = StreamParser().parse(Array(bytes[found[1].endOffset...]))
        #expect(rest.count == 1)
        #expect(rest.first?.endOffset == bytes.count - found[1].endOffset)
    }

    @Test("White space that keeps the connection alive is nothing, however much of it comes")
    func keepAlive() {
        let parser = StreamParser(limits: .unauthenticated)
        let space = [UInt8](repeating: 0x20, count: 20_000)
        #expect(parser.parse(space).isEmpty)
        #expect(parser.parse(Array(header.utf8)).map(\.endOffset) == [header.utf8.count])
        for _ in 0..<3 { #expect(parser.parse(space).isEmpty) }
        #expect(elements(parser.parse(Array("\n\t<presence/>".utf8))).map(\.name) == ["presence"])
    }

    @Test("After an error there is nothing")
    func nothingAfterAnError() {
        let parser = StreamParser()
        let found = parser.parse(Array((header + "<a/><!-- --><b/>").utf8))
        #expect(found.count == 3)
        #expect(found.last?.kind == .failed(.restricted(.comment)))
        #expect(parser.parse(Array("<c/></stream:stream>".utf8)).isEmpty)
    }

    @Test("A stream without declaration, attributes or content is a stream")
    func bareStream() {
        let found = events("<s:stream xmlns:s='http://etherx.jabber.org/streams'/>")
        let header = StreamHeader(version: nil, defaultNamespace: "", prefixes: ["s": Namespace.streams])
        #expect(found.map(\.kind) == [.opened(header), .closed])
    }

    @Test(
        "The encoding and the version may be declared as RFC 6120 has them",
        arguments: ["encoding='UTF-8'", "encoding=\"utf-8\"", "encoding='UTF-8' standalone='yes'", ""]
    )
    func declaration(rest: String) {
        let text = header.replacing("version='1.0'?>", with: "version='1.0' \(rest)?>")
        #expect(events(text).count == 1)
        #expect(failure(text) == nil)
    }

    @Test("No bytes are no events")
    func noBytes() {
        let parser = StreamParser()
        #expect(parser.parse(UnsafeRawBufferPointer(start: nil, count: 0)).isEmpty)
        #expect(parser.parse([]).isEmpty)
    }
}
