import Testing
import XMPPWire

@Suite struct NegotiationTests {
    @Test("Features survive being written and read")
    func features() {
        for startTLS in [nil, .optional, .required] as [StreamFeatures.StartTLS?] {
            for flags in 0..<8 {
                let features = StreamFeatures(
                    startTLS: startTLS,
                    mechanisms: flags == 0 ? [] : ["EXTERNAL", "PLAIN"],
                    dialback: flags & 1 != 0,
                    bidi: flags & 2 != 0,
                    streamManagement: flags & 4 != 0
                )
                #expect(roundTrip(features.element).flatMap(StreamFeatures.init) == features)
            }
        }
    }

    @Test("Features that are not known are ignored, white space in a mechanism's name too")
    func foreignFeatures() {
        let xml =
            "<stream:features><compression xmlns='http://jabber.org/features/compress'/><starttls xmlns='urn:x'/>"
            + "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>\n <mechanism>EXTERNAL\n</mechanism><optional/>"
            + "</mechanisms><dialback xmlns='urn:xmpp:features:dialback'/></stream:features>"
        let expected = StreamFeatures(mechanisms: ["EXTERNAL"], dialback: true)
        #expect(parsed(xml).flatMap(StreamFeatures.init) == expected)
        #expect(StreamFeatures(Element("features", namespace: Namespace.server)) == nil)
    }

    @Test("The elements of stream management survive being written and read")
    func streamManagement() throws {
        let all: [StreamManagementElement] = [
            .enable(canResume: true), .enable(canResume: false), .enabled(id: "x", resumableSeconds: 60),
            .enabled(id: nil, resumableSeconds: nil), .request, .answer(handled: 0), .answer(handled: .max),
            .resume(previousID: "x", handled: 1), .resumed(previousID: "x", handled: 2),
            .failed(.itemNotFound, handled: 3), .failed(.unexpectedRequest, handled: nil),
        ]
        for element in all {
            #expect(try roundTrip(element.element).flatMap { try StreamManagementElement($0) } == element)
        }
        func read(_ xml: String) throws -> StreamManagementElement? {
            try parsed(xml).flatMap { try StreamManagementElement($0) }
        }
        #expect(try read("<a xmlns='urn:x' h='1'/>") == nil)
        #expect(throws: ElementError.self) { try read("<a xmlns='urn:xmpp:sm:3'/>") }
        #expect(throws: ElementError.self) { try read("<a xmlns='urn:xmpp:sm:3' h='-1'/>") }
        #expect(throws: ElementError.self) { try read("<resume xmlns='urn:xmpp:sm:3' h='1'/>") }
        let longest = String(repeating: "x", count: StreamManagementElement.idBytesMax)
        #expect(try read("<resume xmlns='urn:xmpp:sm:3' h='1' previd='\(longest)'/>") != nil)
        #expect(throws: ElementError.self) { try read("<resume xmlns='urn:xmpp:sm:3' h='1' previd='\(longest)x'/>") }
        #expect(
            try read("<enabled xmlns='urn:xmpp:sm:3' resume='1' id='\(longest)x'/>")
                == .enabled(id: nil, resumableSeconds: nil)
        )
    }

    @Test("At most 32 mechanisms are read")
    func mechanismsMax() {
        func features(_ count: Int) -> StreamFeatures {
            StreamFeatures(mechanisms: (0..<count).map { "M\($0)" })
        }
        #expect(StreamFeatures(features(32).element) == features(32))
        #expect(StreamFeatures(features(33).element) == features(32))
    }

    @Test("The elements of STARTTLS survive being written and read", arguments: StartTLSElement.allCases)
    func startTLS(element: StartTLSElement) {
        #expect(roundTrip(element.element).flatMap(StartTLSElement.init) == element)
        #expect(StartTLSElement(Element(element.rawValue, namespace: Namespace.sasl)) == nil)
        #expect(StartTLSElement(Element("required", namespace: Namespace.startTLS)) == nil)
    }

    static let saslElements: [(SASLElement, String)] = [
        (.auth(mechanism: "EXTERNAL", initialResponse: nil), "<auth mechanism='EXTERNAL'/>"),
        (.auth(mechanism: "EXTERNAL", initialResponse: []), "<auth mechanism='EXTERNAL'>=</auth>"),
        (
            .auth(mechanism: "EXTERNAL", initialResponse: Array("a.example".utf8)),
            "<auth mechanism='EXTERNAL'>YS5leGFtcGxl</auth>"
        ),
        (.challenge([]), "<challenge/>"),
        (.challenge([0]), "<challenge>AA==</challenge>"),
        (.response([]), "<response/>"),
        (.response([255, 255]), "<response>//8=</response>"),
        (.abort, "<abort/>"),
        (.success(nil), "<success/>"),
        (.success([]), "<success>=</success>"),
        (.success([1, 2, 3]), "<success>AQID</success>"),
        (.failure(.invalidMechanism, text: nil), "<failure><invalid-mechanism/></failure>"),
        (.failure(.notAuthorized, text: "no"), "<failure><not-authorized/><text>no</text></failure>"),
    ]

    @Test("The elements of SASL are written as RFC 6120 has them, and read again", arguments: saslElements)
    func sasl(element: SASLElement, xml: String) throws {
        #expect(element.element.xml(inheriting: Namespace.sasl) == xml)
        let read = try #require(roundTrip(element.element))
        #expect(try SASLElement(read) == element)
    }

    @Test("What is wrong in SASL's namespace is refused with its cause")
    func badSASL() throws {
        func read(_ name: String, _ text: String = "", mechanism: String? = nil) throws -> SASLElement? {
            try SASLElement(
                Element(name, namespace: Namespace.sasl, attributes: ["mechanism": mechanism], text: text)
            )
        }
        #expect(throws: ElementError.missingAttribute("mechanism", element: "auth")) { try read("auth") }
        #expect(throws: ElementError.badBase64(element: "auth")) { try read("auth", "a", mechanism: "X") }
        #expect(throws: ElementError.badBase64(element: "response")) { try read("response", "****") }
        #expect(throws: ElementError.unexpectedElement(name: "x", namespace: Namespace.sasl)) { try read("x") }
        #expect(try read("failure") == .failure(.notAuthorized, text: nil))
        #expect(try read("response", "\n AQID \n") == .response([1, 2, 3]))
        #expect(try SASLElement(Element("auth", namespace: Namespace.server)) == nil)
    }

    @Test("Every SASL failure survives being written and read", arguments: SASLElement.Failure.allCases)
    func failures(failure: SASLElement.Failure) throws {
        let element = SASLElement.failure(failure, text: nil)
        #expect(try SASLElement(element.element) == element)
    }

    @Test("Base64 survives, for every length and value")
    func base64() {
        for length in 0..<100 {
            let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 * 37 + length) }
            let text = Base64.encode(bytes)
            #expect(text.utf8.count == (length + 2) / 3 * 4)
            #expect(Base64.decode(text) == bytes)
        }
        let all = (UInt8.min...UInt8.max).map { $0 }
        #expect(Base64.decode(Base64.encode(all)) == all)
        // RFC 4648 §10.
        for (plain, text) in [("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            #expect(Base64.encode(Array(plain.utf8)) == text)
        }
    }

    @Test(
        "What is not Base64 is refused",
        arguments: [
            "A", "AA", "AAA", "AA=", "A===", "====", "AA==AAAA", "AB==", "AAB=", "A A=", "AAA-", "AAA_", "AA\n==",
            "\u{FC}\u{FC}", "AA=A",
        ]
    )
    func badBase64(text: String) {
        #expect(Base64.decode(text) == nil)
    }
}
