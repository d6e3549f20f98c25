import Testing

@testable import PluginHost

@Suite("Checks of text")
struct TextCheckTests {
    private func isUTF8(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBufferPointer { TextCheck.isUTF8($0) } }
    private func isVisible(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBufferPointer { TextCheck.isVisible($0) } }

    @Test("A byte that is no ASCII is seen at every place of every length", arguments: 1...80)
    func nonASCII(count: Int) {
        var bytes = [UInt8](repeating: UInt8(ascii: "a"), count: count)
        #expect(isUTF8(bytes))
        for place in 0..<count {
            bytes[place] = 0xFF
            #expect(!isUTF8(bytes), "at \(place) of \(count)")
            bytes[place] = UInt8(ascii: "a")
        }
    }

    @Test("Text beyond ASCII is judged as the standard library judges it")
    func unicode() {
        for text in [
            "é", "日本語", "👋🏽", String(repeating: "ß", count: 100), "plain and ✓ " + String(repeating: "x", count: 60),
        ] {
            #expect(isUTF8(Array(text.utf8)))
            #expect(!isUTF8(Array(text.utf8) + [0xC3]))
        }
        #expect(isUTF8([]))
        // Overlong, a surrogate, above U+10FFFF.
        for bytes: [UInt8] in [[0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80]] { #expect(!isUTF8(bytes)) }
    }

    @Test(
        "Every byte value is judged alike at every place",
        arguments: [1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 50]
    )
    func visible(count: Int) {
        for filler in [UInt8(0x21), 0x7E, 0x80, 0xFF] {
            var bytes = [UInt8](repeating: filler, count: count)
            #expect(isVisible(bytes))
            for place in 0..<count {
                for value in 0...UInt8.max {
                    bytes[place] = value
                    let isBad = value <= 0x20 || value == 0x7F
                    if isVisible(bytes) == isBad { Issue.record("\(value) at \(place) of \(count) among \(filler)") }
                }
                bytes[place] = filler
            }
        }
        #expect(isVisible([]))
    }
}
