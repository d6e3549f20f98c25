import Testing

@testable import XMPPSession

@Suite struct DialbackKeyTests {
    @Test(
        "A key is the one that XEP-0185 and XEP-0220 give as example",
        arguments: [
            (
                "s3cr3tf0rd14lb4ck", "xmpp.example.com", "example.org", "D60000229F",
                "37c69b1cf07a3f67c04a5ef5902fa5114f2c76fe4a2686482ba5b89323075643"
            ),
            (
                "s3cr3tf0rd14lb4ck", "montague.example", "capulet.example", "D60000229F",
                "b4835385f37fe2895af6c196b59097b16862406db80559900d96bf6fa7d23df3"
            ),
            (
                "d14lb4ck43v3r", "capulet.example", "montague.example", "417GAF25",
                "225cc5aa6a071133249d25fef42ae516fc7a86c523aa1c6980a7f73e784c972d"
            ),
        ]
    )
    func examples(secret: String, receiving: String, originating: String, streamID: String, expected: String) {
        let key = DialbackKey.test(secret: secret)
        #expect(key.key(receiving: receiving, originating: originating, streamID: streamID) == expected)
        #expect(key.isValid(expected, receiving: receiving, originating: originating, streamID: streamID))
    }

    @Test("A key holds for one pair of domains and one stream only")
    func binding() {
        let maker = DialbackKey.test()
        let key = maker.key(receiving: "b.test", originating: "a.test", streamID: "1")
        #expect(!maker.isValid(key, receiving: "a.test", originating: "b.test", streamID: "1"))
        #expect(!maker.isValid(key, receiving: "b.test", originating: "a.test", streamID: "2"))
        #expect(!DialbackKey.test(secret: "x").isValid(key, receiving: "b.test", originating: "a.test", streamID: "1"))
    }

    @Test("A key that differs in one digit, or is too short or too long, is not valid")
    func nearMisses() {
        let maker = DialbackKey.test()
        let key = maker.key(receiving: "b.test", originating: "a.test", streamID: "1")
        let digits = Array(key)
        for index in digits.indices {
            var changed = digits
            changed[index] = digits[index] == "0" ? "1" : "0"
            #expect(!maker.isValid(String(changed), receiving: "b.test", originating: "a.test", streamID: "1"))
        }
        for wrong in ["", String(key.dropLast()), key + "0", key.uppercased()] {
            #expect(!maker.isValid(wrong, receiving: "b.test", originating: "a.test", streamID: "1"))
        }
    }
}
