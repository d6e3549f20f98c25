import Testing
import XMPPWire

@Suite struct DialbackElementTests {
    static let contents: [DialbackElement.Content] = [
        .key("b4835385f37fe287"), .valid, .invalid, .error(StanzaError(.itemNotFound, text: "no")), .error(nil),
    ]

    @Test("A result and a verification survive being written and read", arguments: contents)
    func roundTrips(content: DialbackElement.Content) throws {
        for element in [
            DialbackElement(.result, from: "a.example", to: "b.example", content: content),
            DialbackElement(.verify, from: "a.example", to: "b.example", id: "417GAF25", content: content),
        ] {
            let read = try #require(roundTrip(element.element()))
            #expect(try DialbackElement(read) == element)
        }
    }

    @Test("They are written with the prefix that all servers understand")
    func prefix() {
        let element = DialbackElement(.verify, from: "a", to: "b", id: "1", content: .valid).element()
        #expect(
            element.xml(inheriting: Namespace.server, prefixes: StreamHeader.serverPrefixes)
                == "<db:verify from='a' to='b' id='1' type='valid'/>"
        )
    }

    @Test("A key that was indented is read without the white space, and the domains are prepared")
    func indented() throws {
        let element = try #require(parsed("<db:result from='A.Example.' to='xn--bcher-kva'>\n  key\n</db:result>"))
        let read = try DialbackElement(element)
        #expect(read == DialbackElement(.result, from: "a.example", to: "b\u{FC}cher", content: .key("key")))
    }

    @Test("What dialback does not define is refused with its stream error")
    func refused() throws {
        let cases: [(String, ElementError, StreamError.Condition)] = [
            ("<db:result to='b'/>", .missingAttribute("from", element: "result"), .improperAddressing),
            ("<db:result from='b'/>", .missingAttribute("to", element: "result"), .improperAddressing),
            ("<db:verify from='a' to='b'/>", .missingAttribute("id", element: "verify"), .badFormat),
            (
                "<db:result from='a..b' to='b'/>", .badAddress(attribute: "from", .badDomain("a..b")),
                .improperAddressing
            ),
            ("<db:result from='x@a' to='b'/>", .badAttribute("from", value: "x@a"), .badFormat),
            ("<db:result from='a' to='b' type='maybe'/>", .badAttribute("type", value: "maybe"), .badFormat),
            (
                "<db:other/>", .unexpectedElement(name: "other", namespace: Namespace.dialback),
                .unsupportedStanzaType
            ),
        ]
        for (xml, error, condition) in cases {
            let element = try #require(parsed(xml))
            #expect(throws: error) { try DialbackElement(element) }
            #expect(error.streamError == condition)
            #expect(error.description.hasSuffix("."))
        }
        #expect(try DialbackElement(Element("result", namespace: Namespace.server)) == nil)
    }
}
