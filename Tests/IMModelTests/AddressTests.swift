import IMModel
import Testing

@Suite("Addresses")
struct AddressTests {
    @Test(
        "the last at sign separates user from domain",
        arguments: [
            ("romeo@montague.example", "romeo", "montague.example"),
            ("montague.example", "", "montague.example"),
            ("a@b@c", "a@b", "c"),
            ("@@c", "@", "c"),
            ("o'hara+im/x@[2001:db8::1]", "o'hara+im/x", "[2001:db8::1]"),
            ("ромео@монтекки.example", "ромео", "монтекки.example"),
            ("x@y", "x", "y"),
        ]
    )
    func reading(text: String, user: String, domain: String) throws {
        let address = try #require(Address(text))
        #expect(address.user == user)
        #expect(address.domain == domain)
        #expect(address.description == text)
        #expect(Address(user: user, domain: domain) == address)
    }

    @Test(
        "an address without a domain, with an empty user, or with spaces or controls is none",
        arguments: [
            "", "@", "@domain", "user@", "user@do main", "us er@domain", " user@domain", "user@domain ",
            "user\t@domain", "user@domain\n", "us\0er@domain", "user@do\u{7F}main", "\u{1}@d",
        ]
    )
    func refusing(text: String) {
        #expect(Address(text) == nil)
    }

    @Test("the user may be empty when it is given apart, the domain may not, and it holds no at sign")
    func parts() {
        #expect(Address(user: "", domain: "d")?.description == "d")
        #expect(Address(user: "u", domain: "") == nil)
        #expect(Address(user: "u", domain: "a@b") == nil)
        #expect(Address(user: "u", domain: "a b") == nil)
        #expect(Address(user: "u\r", domain: "d") == nil)
    }

    @Test("each part has up to 1023 bytes of UTF-8")
    func limits() {
        let (most, more) = (String(repeating: "x", count: 1023), String(repeating: "x", count: 1024))
        #expect(Address.partBytesMax == 1023)
        #expect(Address("\(most)@\(most)")?.description.utf8.count == 2047)
        #expect(Address(most) != nil)
        #expect(Address("\(more)@d") == nil)
        #expect(Address("u@\(more)") == nil)
        #expect(Address(more) == nil)
        // Two bytes a character: bytes count, not characters.
        #expect(Address(user: String(repeating: "é", count: 511), domain: "d") != nil)
        #expect(Address(user: String(repeating: "é", count: 512), domain: "d") == nil)
    }

    @Test("addresses are compared byte by byte")
    func comparing() {
        #expect(Address("romeo@example.org") != Address("Romeo@example.org"))
        #expect(Address("romeo@example.org") == Address(user: "romeo", domain: "example.org"))
    }
}
