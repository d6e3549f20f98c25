import Testing
import XMPPWire

@Suite struct StreamParserErrorTests {
    struct Bad: CustomTestStringConvertible, Sendable {
        let name: String
        let bytes: [UInt8]
        let condition: StreamError.Condition
        var testDescription: String { self.name }

        init(_ name: String, _ text: String, _ condition: StreamError.Condition) {
            self.init(name, bytes: Array(text.utf8), condition)
        }

        init(_ name: String, bytes: [UInt8], _ condition: StreamError.Condition) {
            self.name = name
            self.bytes = bytes
            self.condition = condition
        }
    }

    static let streams = "xmlns:stream='http://etherx.jabber.org/streams'"
    static let utf16 = Array("<?xml version='1.0'?><stream/>".utf8)

    static let beforeHeader = [
        Bad("byte order mark", bytes: [0xEF, 0xBB, 0xBF] + Array(header.utf8), .notWellFormed),
        Bad("UTF-16 with mark", bytes: [0xFE, 0xFF] + utf16.flatMap { [0, $0] }, .unsupportedEncoding),
        Bad("UTF-16LE with mark", bytes: [0xFF, 0xFE] + utf16.flatMap { [$0, 0] }, .unsupportedEncoding),
        Bad("UTF-16 without mark", bytes: utf16.flatMap { [0, $0] }, .unsupportedEncoding),
        Bad("UTF-16LE without mark", bytes: utf16.flatMap { [$0, 0] }, .unsupportedEncoding),
        Bad("text", "hello", .notWellFormed),
        Bad("HTTP", "GET / HTTP/1.1\r\n", .notWellFormed),
        Bad("TLS", bytes: [0x16, 0x03, 0x01, 0x02, 0x00], .notWellFormed),
        Bad("Latin 1", "<?xml version='1.0' encoding='ISO-8859-1'?>", .unsupportedEncoding),
        Bad("declared UTF-16", "<?xml version='1.0' encoding='UTF-16'?>", .unsupportedEncoding),
        Bad("XML 1.1", "<?xml version='1.1'?>", .notWellFormed),
        Bad("processing instruction", "<?php x?>", .restrictedXML),
        Bad("comment", "<?xml version='1.0'?><!-- x -->", .restrictedXML),
        Bad("document type", "<!DOCTYPE stream>", .restrictedXML),
        Bad("outside document type", "<!DOCTYPE stream SYSTEM 'file:///etc/passwd'>", .restrictedXML),
        Bad("not a stream", "<stream:flood \(streams)>", .badFormat),
        Bad("HTML", "<html>", .badFormat),
        Bad("no namespace", "<stream>", .invalidNamespace),
        Bad("wrong namespace", "<stream:stream xmlns:stream='urn:x'>", .invalidNamespace),
        Bad("undeclared prefix", "<stream:stream>", .notWellFormed),
    ]

    static let inStream = [
        Bad("comment", header + "<!-- x -->", .restrictedXML),
        Bad("comment in a stanza", header + "<a><!-- x --></a>", .restrictedXML),
        Bad("processing instruction", header + "<?x y?>", .restrictedXML),
        Bad("entity", header + "<a>&nbsp;</a>", .restrictedXML),
        Bad("entity in an attribute", header + "<a b='&x;'/>", .restrictedXML),
        Bad("document type", header + "<!DOCTYPE a>", .notWellFormed),
        Bad("second declaration", header + "<?xml version='1.0'?>", .notWellFormed),
        Bad("second header", header + "<stream:stream \(streams)>", .badFormat),
        Bad("second header, other prefix", header + "<s:stream xmlns:s='\(Namespace.streams)'/>", .badFormat),
        Bad("text between stanzas", header + "<a/>text<b/>", .badFormat),
        Bad("NUL reference", header + "<a>&#0;</a>", .notWellFormed),
        Bad("control character", header + "<a>\u{1}</a>", .notWellFormed),
        Bad("U+FFFF", header + "<a>\u{FFFF}</a>", .notWellFormed),
        Bad("overlong UTF-8", bytes: Array((header + "<a>").utf8) + [0xC0, 0xAF], .notWellFormed),
        Bad("surrogate in UTF-8", bytes: Array((header + "<a>").utf8) + [0xED, 0xA0, 0x80], .notWellFormed),
        Bad("cut UTF-8", bytes: Array((header + "<a>").utf8) + [0xC3, 0x28], .notWellFormed),
        Bad("beyond Unicode", bytes: Array((header + "<a>").utf8) + [0xF4, 0x90, 0x80, 0x80], .notWellFormed),
        Bad("NUL byte", bytes: Array((header + "<a>").utf8) + [0], .notWellFormed),
        Bad("undeclared prefix", header + "<x:a/>", .notWellFormed),
        Bad("double attribute", header + "<a b='1' b='2'/>", .notWellFormed),
        Bad(
            "double attribute in a namespace",
            header + "<a xmlns:x='urn:x' xmlns:y='urn:x' x:b='1' y:b='2'/>",
            .notWellFormed
        ),
        Bad("crossed tags", header + "<a><b></a></b>", .notWellFormed),
        Bad("attribute without quotes", header + "<a b=c/>", .notWellFormed),
        Bad("less-than in an attribute", header + "<a b='<'/>", .notWellFormed),
        Bad("end of CDATA in text", header + "<a>]]></a>", .notWellFormed),
        Bad("xml prefix bound anew", header + "<a xmlns:xml='urn:x'/>", .notWellFormed),
        Bad("xmlns prefix bound", header + "<a xmlns:xmlns='urn:x'/>", .notWellFormed),
        Bad("namespace of xmlns bound", header + "<a xmlns='http://www.w3.org/2000/xmlns/'/>", .notWellFormed),
        Bad("prefix unbound", header + "<a xmlns:stream=''/>", .notWellFormed),
        Bad("separator in a namespace", header + "<a xmlns='urn:x&#1;y'/>", .notWellFormed),
        Bad("element after the end", header + "</stream:stream><a/>", .notWellFormed),
        Bad("text after the end", header + "</stream:stream>text", .notWellFormed),
        Bad("prefix after the end", header + "</stream:stream>stream:", .notWellFormed),
        Bad("part of a tag after the end", header + "</stream:stream> <", .notWellFormed),
        Bad("comment after the end", header + "</stream:stream><!-- -->", .notWellFormed),
    ]

    @Test("What RFC 6120 forbids is refused with its stream error", arguments: beforeHeader + inStream)
    func refused(_ bad: Bad) {
        #expect(failure(bad.bytes)?.streamError == bad.condition)
    }

    @Test("A refusal does not depend on how the bytes come", arguments: beforeHeader + inStream)
    func refusedByteByByte(_ bad: Bad) {
        let parser = StreamParser()
        let found = bad.bytes.flatMap { parser.parse([$0]) }
        let whole = StreamParser().parse(bad.bytes)
        #expect(found.map(\.kind) == whole.map(\.kind))
    }

    @Test("Nested entities never expand")
    func billionLaughs() {
        var text = "<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY l0 'lol'>"
        for level in 1...9 {
            text += "<!ENTITY l\(level) '" + String(repeating: "&l\(level - 1);", count: 10) + "'>"
        }
        text += "]><stream:stream \(Self.streams)><a>&l9;</a>"
        let found = events(text)
        #expect(found.map(\.kind) == [.failed(.restricted(.documentType))])
    }

    @Test("A large entity that is used often never expands")
    func quadraticBlowUp() {
        let text =
            "<!DOCTYPE x [<!ENTITY e '" + String(repeating: "e", count: 4000) + "'>]><stream:stream \(Self.streams)><a>"
            + String(repeating: "&e;", count: 1000)
        #expect(failure(text) == .restricted(.documentType))
    }

    @Test("Every error says what was wrong in a sentence", arguments: beforeHeader + inStream)
    func descriptions(_ bad: Bad) throws {
        let description = try #require(failure(bad.bytes)?.description)
        #expect(description.hasSuffix("."))
        #expect(description.count > 20)
    }
}
