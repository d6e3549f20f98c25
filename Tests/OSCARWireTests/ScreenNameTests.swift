import OSCARWire
import Testing

@Suite struct ScreenNameTests {
    @Test(arguments: ["Alice Test", "a l i c e t e s t", "ALICETEST", "  alice test  ", "alicetest"])
    func theFormsOfANameAreOneName(_ text: String) throws {
        let name = try ScreenName(text)
        #expect(name.normal == "alicetest")
        #expect(name.display == text)
        #expect(name == (try ScreenName("alicetest")))
        #expect(name.hashValue == (try ScreenName("alicetest")).hashValue)
    }

    @Test(arguments: ["Alice-Test", "alice test\0", "alice\ttest"])
    func nothingButSpacesIsLeftOut(_ text: String) throws {
        #expect(try ScreenName(text) != ScreenName("alicetest"))
    }

    @Test(arguments: ["", " ", "    "]) func aNameNeedsACharacter(_ text: String) {
        #expect(throws: OSCARWireError.emptyName) { try ScreenName(text) }
    }

    @Test func aNameFitsItsLengthByte() throws {
        #expect(try ScreenName(String(repeating: "a", count: 255)).display.count == 255)
        #expect(throws: OSCARWireError.tooLong(field: "a screen name", bytes: 256, max: 255)) {
            try ScreenName(String(repeating: "a", count: 256))
        }
    }

    @Test func aNameIsUTF8() throws {
        #expect(try ScreenName(bytes: Array("Zoë B".utf8)).normal == "zoëb")
        #expect(throws: OSCARWireError.notUTF8(field: "a screen name")) { try ScreenName(bytes: [0x5A, 0xEB]) }
    }

    @Test func aNumberIsKnownAsOne() throws {
        #expect(try ScreenName("123 456").isNumber)
        #expect(try !ScreenName("1abc").isNumber)
    }
}
