import Testing
import XMPPWire

@Suite struct ElementTests {
    @Test("A stanza in the stream's default namespace needs no declaration")
    func inheritsNamespace() {
        let message = Element(
            "message",
            namespace: Namespace.server,
            attributes: ["to": "b.example", "id": nil],
            children: [
                Element("body", namespace: Namespace.server, text: "hi"),
                Element("active", namespace: Namespace.chatStates),
            ]
        )
        #expect(
            message.xml(inheriting: Namespace.server)
                == "<message to='b.example'><body>hi</body><active xmlns='\(Namespace.chatStates)'/></message>"
        )
        #expect(
            message.xml(inheriting: "urn:other").hasPrefix("<message xmlns='jabber:server' to='b.example'><body>hi")
        )
    }

    @Test("A namespace with a declared prefix is written with it, and its children inherit from outside")
    func declaredPrefix() {
        let features = Element(
            "features",
            namespace: Namespace.streams,
            children: [Element("x", namespace: Namespace.server), Element("y", namespace: Namespace.streams)]
        )
        #expect(
            features.xml(inheriting: Namespace.server) == "<stream:features><x/><stream:y/></stream:features>"
        )
        let result = Element("result", namespace: Namespace.dialback, text: "k")
        #expect(
            result.xml(inheriting: Namespace.server, prefixes: StreamHeader.serverPrefixes)
                == "<db:result>k</db:result>"
        )
        #expect(result.xml(inheriting: Namespace.server) == "<result xmlns='jabber:server:dialback'>k</result>")
    }

    @Test("An element without namespace takes the default away")
    func noNamespace() {
        let element = Element("a", namespace: "", children: [Element("b", namespace: "urn:b")])
        #expect(element.xml(inheriting: Namespace.server) == "<a xmlns=''><b xmlns='urn:b'/></a>")
    }

    @Test("Attributes in namespaces get a prefix")
    func attributeNamespaces() {
        var element = Element("a", namespace: Namespace.server)
        element["lang", namespace: Namespace.xml] = "de"
        element["x", namespace: "urn:x"] = "1"
        element["y", namespace: Namespace.streams] = "2"
        #expect(
            element.xml(inheriting: Namespace.server)
                == "<a xml:lang='de' xmlns:ns-1='urn:x' ns-1:x='1' stream:y='2'/>"
        )
        #expect(roundTrip(element) == element)
    }

    @Test("Characters that mean something in XML are escaped in text and in attributes")
    func escaping() {
        let all = "<>&'\"\r\n\t]]>"
        let element = Element("a", namespace: Namespace.server, attributes: ["b": all], text: all)
        #expect(
            element.xml(inheriting: Namespace.server)
                == "<a b='&lt;&gt;&amp;&apos;&quot;&#13;&#10;&#9;]]&gt;'>&lt;&gt;&amp;'\"&#13;\n\t]]&gt;</a>"
        )
        #expect(roundTrip(element) == element)
    }

    @Test("Characters that XML forbids become U+FFFD, and all others survive")
    func forbiddenCharacters() {
        let allowed = "\t\n\r \u{7F}\u{80}\u{85}\u{A0}\u{D7FF}\u{E000}\u{FFFD}\u{FEFF}\u{10000}\u{1FFFE}\u{10FFFF}"
        let clean = Element("a", namespace: Namespace.server, attributes: ["b": allowed], text: allowed)
        #expect(roundTrip(clean) == clean)

        var forbidden = (0..<0x20).compactMap { Unicode.Scalar($0) }.filter { !"\t\n\r".unicodeScalars.contains($0) }
        forbidden += ["\u{FFFE}", "\u{FFFF}"]
        for scalar in forbidden {
            let text = "x\(scalar)y"
            let dirty = Element("a", namespace: Namespace.server, attributes: ["b": text], text: text)
            let read = roundTrip(dirty)
            #expect(read?.text == "x\u{FFFD}y")
            #expect(read?["b"] == "x\u{FFFD}y")
        }
    }

    @Test("An element in the namespace of xml: is never given it as the default")
    func xmlNamespace() {
        let element = Element("a", namespace: Namespace.xml, children: [Element("b", namespace: Namespace.server)])
        #expect(element.xml(inheriting: Namespace.server) == "<xml:a><b/></xml:a>")
        #expect(roundTrip(element) == element)
    }

    @Test("Setting an attribute changes, adds and removes it")
    func attributes() {
        var element = Element("a", namespace: "", attributes: ["b": "1", "c": "2"])
        element["b"] = "3"
        element["d"] = "4"
        element["c"] = nil
        element["e"] = nil
        #expect(element.attributes.map(\.name) == ["b", "d"])
        #expect(element["b"] == "3")
        #expect(element["b", namespace: "urn:x"] == nil)
    }

    @Test("The text is that of the element alone, in one piece")
    func text() {
        let element = Element(
            name: "a",
            namespace: "",
            attributes: [],
            children: [.text(" x"), .element(Element("b", namespace: "", text: "no")), .text("y\n")]
        )
        #expect(element.text == " xy\n")
        #expect(element.trimmedText == "xy")
        #expect(Element("a", namespace: "", text: "").children.isEmpty)
        #expect(Element("a", namespace: "", text: " \n").trimmedText.isEmpty)
    }

    @Test("A header is written so that it reads as itself")
    func header() throws {
        let headers = [
            StreamHeader(from: "a.example", to: "b.example", id: "'<&>\"", lang: "en"),
            StreamHeader(
                to: "c",
                version: nil,
                defaultNamespace: Namespace.component,
                prefixes: ["stream": Namespace.streams]
            ),
            StreamHeader(version: "1.0", defaultNamespace: "", prefixes: ["stream": Namespace.streams, "x": "urn:x"]),
        ]
        for header in headers {
            var bytes: [UInt8] = []
            header.write(into: &bytes)
            let end = bytes.count
            StreamHeader.writeClosingTag(into: &bytes)
            let found = StreamParser().parse(bytes)
            #expect(
                found == [StreamEvent(.opened(header), endOffset: end), StreamEvent(.closed, endOffset: bytes.count)]
            )
        }
    }

    @Test("A header tells about dialback and its version")
    func headerFacts() {
        #expect(StreamHeader().declaresDialback)
        #expect(!StreamHeader(prefixes: ["stream": Namespace.streams]).declaresDialback)
        let versions: [(String?, Int?)] = [
            ("1.0", 1), ("0.9", 0), ("2.11", 2), ("01.0", 1), (nil, nil), ("", nil), ("1", nil), ("1.", nil),
            ("1.0.0", nil), ("+1.0", nil), ("one", nil), ("99999999999999999999.0", nil),
        ]
        for (version, major) in versions {
            #expect(StreamHeader(version: version).majorVersion == major)
        }
    }
}
