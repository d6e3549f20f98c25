import Testing

@testable import XMPPWire

@Suite struct JIDTests {
    struct Vector: CustomTestStringConvertible, Sendable {
        let text: String
        let local: String?
        let domain: String
        let resource: String?
        var testDescription: String { self.text }

        init(_ text: String, _ local: String?, _ domain: String, _ resource: String?) {
            self.text = text
            self.local = local
            self.domain = domain
            self.resource = resource
        }
    }

    @Test(
        "A JID is taken apart and prepared",
        arguments: [
            Vector("a.example", nil, "a.example", nil),
            Vector("Juliet@Capulet.Example/Balcony", "juliet", "capulet.example", "Balcony"),
            Vector("a@b", "a", "b", nil),
            Vector("b/r", nil, "b", "r"),
            Vector("b/a@c/d", nil, "b", "a@c/d"),
            Vector("a@b/ c ", "a", "b", " c "),
            Vector("a@b.example./r", "a", "b.example", "r"),
            Vector("a@127.0.0.1", "a", "127.0.0.1", nil),
            Vector("a@[::1]/r", "a", "[::1]", "r"),
            Vector("a@[2001:DB8::1:192.0.2.1]", "a", "[2001:db8::1:192.0.2.1]", nil),
            Vector("stra\u{DF}e@b", "strasse", "b", nil),
            Vector("a@stra\u{DF}e.example", "a", "strasse.example", nil),
            Vector("a@b/stra\u{DF}e", "a", "b", "stra\u{DF}e"),
            Vector("a@B\u{DC}CHER.example", "a", "b\u{FC}cher.example", nil),
            Vector("a@xn--bcher-kva.example", "a", "b\u{FC}cher.example", nil),
            Vector("a@XN--BCHER-KVA.example", "a", "b\u{FC}cher.example", nil),
            Vector("a@b\u{3002}example\u{FF0E}org\u{FF61}", "a", "b.example.org", nil),
            Vector("a@\u{FF42}.example", "a", "b.example", nil),
            Vector("\u{FF21}@b", "a", "b", nil),
            Vector("a@b/\u{1F600}", "a", "b", "\u{1F600}"),
            Vector("\u{1F600}@b", "\u{1F600}", "b", nil),
            Vector("a@\u{1F600}.example", "a", "\u{1F600}.example", nil),
            Vector("a@0.\u{5D0}.example", "a", "0.\u{5D0}.example", nil),
            Vector("a\\40c@b", "a\\40c", "b", nil),
        ]
    )
    func parts(_ vector: Vector) throws {
        let jid = try JID(vector.text)
        #expect(jid.local == vector.local)
        #expect(jid.domain == vector.domain)
        #expect(jid.resource == vector.resource)
        #expect(try JID(jid.description) == jid)
        #expect(jid.isBare == (vector.resource == nil))
        #expect(jid.isDomain == (vector.resource == nil && vector.local == nil))
        #expect(jid.bare.resource == nil)
        #expect(jid.bare.local == vector.local)
        #expect(jid.domainOnly.description == vector.domain)
    }

    static let bad: [(String, JIDError)] = [
        ("", .emptyPart(.domain)),
        (".", .emptyPart(.domain)),
        ("@b", .emptyPart(.local)),
        ("a@", .emptyPart(.domain)),
        ("a@/r", .emptyPart(.domain)),
        ("/r", .emptyPart(.domain)),
        ("a@b/", .emptyPart(.resource)),
        ("\u{AD}@b", .emptyPart(.local)),
        ("a b@c", .forbiddenCharacters(.local, "a b")),
        ("a\u{A0}b@c", .forbiddenCharacters(.local, "a\u{A0}b")),
        ("a\"@b", .forbiddenCharacters(.local, "a\"")),
        ("a\u{FF20}c@b", .forbiddenCharacters(.local, "a\u{FF20}c")),
        ("a@b/\u{1}", .forbiddenCharacters(.resource, "\u{1}")),
        ("a@b/\u{2028}", .forbiddenCharacters(.resource, "\u{2028}")),
        ("a@b/\u{E000}", .forbiddenCharacters(.resource, "\u{E000}")),
        ("a@b@c", .badDomain("b@c")),
        ("a@b c", .badDomain("b c")),
        ("a@b_c", .badDomain("b_c")),
        ("a@-b", .badDomain("-b")),
        ("a@b-.example", .badDomain("b-.example")),
        ("a@b..c", .badDomain("b..c")),
        ("a@.b", .badDomain(".b")),
        ("a@b..", .badDomain("b..")),
        ("a@b:5269", .badDomain("b:5269")),
        ("a@\u{FF0F}b", .badDomain("\u{FF0F}b")),
        ("a@\u{2100}", .badDomain("\u{2100}")),
        ("a@\u{FC}_b", .badDomain("\u{FC}_b")),
        ("a@-\u{FC}", .badDomain("-\u{FC}")),
        ("a@\u{5D0}a", .forbiddenCharacters(.domain, "\u{5D0}a")),
        ("a@b\u{2024}c", .badDomain("b\u{2024}c")),
        ("a@b.\u{AD}.c", .emptyPart(.domain)),
        ("a@::1", .badDomain("::1")),
        ("a@[::1", .badDomain("[::1")),
        ("a@[127.0.0.1]", .badDomain("[127.0.0.1]")),
    ]

    @Test("What is no JID is refused with the part that is wrong", arguments: bad)
    func refused(text: String, error: JIDError) {
        #expect(throws: error) { try JID(text) }
        #expect(error.description.hasSuffix("."))
    }

    @Test("Every part may have 1023 bytes, and not one more")
    func lengths() throws {
        let longest = String(repeating: "x", count: 1023)
        let tooLong = longest + "x"
        // Sixteen labels with their dots.
        let domain = String(repeating: String(repeating: "d", count: 63) + ".", count: 16).dropLast()
        #expect(domain.utf8.count == 1023)
        let jid = try JID("\(longest)@\(domain)/\(longest)")
        #expect(jid.description.utf8.count == 3 * 1023 + 2)
        #expect(throws: JIDError.partTooLong(.local, bytes: 1024)) { try JID("\(tooLong)@b") }
        #expect(throws: JIDError.partTooLong(.resource, bytes: 1024)) { try JID("a@b/\(tooLong)") }
        #expect(throws: JIDError.partTooLong(.domain, bytes: 1025)) { try JID("a@\(domain).d") }
    }

    @Test("A part that grows past 1023 bytes when it is prepared is too long")
    func growth() throws {
        // U+0130 becomes "i" and a combining dot: two bytes become three.
        let fits = String(repeating: "\u{130}", count: 341)
        #expect(try JID("\(fits)@b").local?.utf8.count == 1023)
        #expect(throws: JIDError.partTooLong(.local, bytes: 1026)) { try JID("\(fits)\u{130}@b") }
        // U+FDFA becomes eighteen letters.
        let grows = String(repeating: "\u{FDFA}", count: 341)
        #expect(throws: JIDError.self) { try JID("a@b/\(grows)") }
    }

    @Test(
        "The fast way gives for plain domains what the slow way gives",
        arguments: [
            "a", "a.b", "a-b.c-d", "0.1.2.3", "x--y.z", "xn--bcher-kva", "a.", "A", "-a", "a-", "a..b", ".a", "a-.b",
            "a.-b", String(repeating: "x", count: 63) + ".y", String(repeating: "x", count: 64), "a_b", "\u{FC}",
        ]
    )
    func plainDomains(domain: String) {
        if DomainName.isPlain(domain) {
            #expect((try? DomainName.prepareLabels(domain)) == domain)
        } else {
            #expect((try? DomainName.prepareLabels(domain)) != domain || domain.contains("--") || domain == "\u{FC}")
        }
    }

    @Test("A label may have 63 bytes in ASCII form, and not one more")
    func labels() throws {
        let longest = String(repeating: "x", count: 63)
        #expect(try JID("a@\(longest).example").domain == "\(longest).example")
        #expect(throws: JIDError.badDomain("\(longest)x.example")) { try JID("a@\(longest)x.example") }
        #expect(throws: JIDError.self) { try JID("a@" + String(repeating: "\u{FC}\u{4E00}", count: 40)) }
    }

    @Test("A label that only looks like an encoded one stays as it is")
    func falseEncoding() throws {
        for label in ["xn--a", "xn--zzzzzzzzz", "xn--strae-oqa", "xn--", "xn---"] {
            if let jid = try? JID("\(label).example") {
                #expect(jid.domain == "\(label).example")
            } else {
                // A hyphen at the end is not allowed in any label.
                #expect(label.hasSuffix("-"))
            }
        }
    }

    @Test("JIDs from parts are prepared too")
    func fromParts() throws {
        let jid = try JID(local: "Romeo", domain: "Montague.Example", resource: "Orchard")
        #expect(jid.description == "romeo@montague.example/Orchard")
        #expect(try jid.with(resource: "Other").description == "romeo@montague.example/Other")
        #expect(throws: JIDError.emptyPart(.resource)) { try jid.with(resource: "") }
        #expect(throws: JIDError.emptyPart(.local)) { try JID(local: "", domain: "b") }
        #expect(throws: JIDError.forbiddenCharacters(.local, "a/b")) { try JID(local: "a/b", domain: "b") }
        #expect(throws: JIDError.badDomain("b/c")) { try JID(local: nil, domain: "b/c") }
    }

    static let addresses: [(String, Bool)] = [
        ("[::]", true), ("[::1]", true), ("[1::]", true), ("[1:2:3:4:5:6:7:8]", true), ("[1:2:3:4:5:6:7::]", true),
        ("[::2:3:4:5:6:7:8]", true), ("[1::8]", true), ("[::ffff:192.0.2.1]", true), ("[1:2:3:4:5:6:1.2.3.4]", true),
        ("[ABCD:EF01::]", true),
        ("[]", false), ("[:]", false), ("[:::]", false), ("[1:2]", false), ("[1:2:3:4:5:6:7]", false),
        ("[1:2:3:4:5:6:7:8:9]", false), ("[1:2:3:4:5:6:7:8::]", false), ("[1::2::3]", false), ("[:1::2]", false),
        ("[1::2:]", false), ("[12345::]", false), ("[g::]", false), ("[::1.2.3]", false), ("[::1.2.3.256]", false),
        ("[::1.2.3.4.5]", false), ("[1.2.3.4::]", false), ("[::1%25eth0]", false), ("[::1]x", false),
        ("[1:2:3:4:5:6:7:1.2.3.4]", false), ("[::1 ]", false), ("[::0001.2.3.4]", false),
    ]

    @Test("An IPv6 address in brackets is a domain when it is one", arguments: addresses)
    func ipv6(text: String, isAddress: Bool) throws {
        #expect((try? JID(text)).map(\.domain) == (isAddress ? text.lowercased() : nil))
    }
}
