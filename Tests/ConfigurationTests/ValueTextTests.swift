import Testing

@testable import Configuration

/// Durations, sizes, addresses, and guesses at what was meant.
@Suite struct ValueTextTests {
    @Test(arguments: [
        ("250ms", 250), ("5s", 5000), ("10m", 600_000), ("48h", 172_800_000), ("7d", 604_800_000), ("0s", 0),
    ])
    func aDurationIsRead(text: String, milliseconds: Int64) {
        #expect(DurationText.parse(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: ["", "5", "s", "5 s", "-5s", "+5s", "5S", "1.5s", "1h30m", "36526d", "9223372036854775807d", "٥s"])
    func whatIsNoDurationIsRefused(text: String) {
        #expect(DurationText.parse(text) == nil)
    }

    @Test func theLongestDurationIsAHundredYears() {
        #expect(DurationText.parse("36525d") == DurationText.max)
        #expect(DurationText.parse("876601h") == nil)
    }

    @Test(arguments: ["250ms", "5s", "10m", "47h", "2d", "0s", "90s"])
    func aDurationIsWrittenAsItWasRead(text: String) {
        #expect(DurationText.parse(text).map(DurationText.format) == text)
    }

    @Test(arguments: [
        ("0", 0), ("512", 512), ("512B", 512), ("256KiB", 262_144), ("1MiB", 1_048_576), ("2GiB", 2_147_483_648),
    ])
    func aSizeIsRead(text: String, bytes: Int64) {
        #expect(SizeText.parse(text) == bytes)
    }

    @Test(arguments: ["", "KiB", "1KB", "1 KiB", "-1", "9223372036854775808", "8589934592GiB"])
    func whatIsNoSizeIsRefused(text: String) {
        #expect(SizeText.parse(text) == nil)
    }

    @Test(arguments: ["0.0.0.0:5269", "[::1]:5060", "proxy.a.test:8080", "a:0", "a:65535"])
    func anAddressIsWrittenAsItWasRead(text: String) {
        #expect(HostPort(parsing: text)?.description == text)
    }

    @Test(arguments: [
        "", ":1", "a", "a:", "a:65536", "a:-1", "::1:5060", "[a.test]:1", "[1.2.3.4]:1", "a b:1", "1.2.3:4", "a\0:1",
    ])
    func whatIsNoAddressIsRefused(text: String) {
        #expect(HostPort(parsing: text) == nil)
    }

    @Test(arguments: ["a", "a.test", "xn--bcher-kva.test", "bücher.test", "a-b.c1", String(repeating: "a", count: 63)])
    func aDomainIsADomain(text: String) {
        #expect(NetworkNames.isDomain(text))
    }

    @Test(arguments: ["", ".", "a.", "-a", "a-.b", "a_b", "a b", "1.2.3.4", String(repeating: "a", count: 64)])
    func whatIsNoDomainIsRefused(text: String) {
        #expect(!NetworkNames.isDomain(text))
    }

    @Test func aDomainHasALimit() {
        let label = String(repeating: "a", count: 49)
        let longest = Array(repeating: label, count: 5).joined(separator: ".") + ".abc"
        #expect(longest.utf8.count == NetworkNames.domainLengthMax)
        #expect(NetworkNames.isDomain(longest))
        #expect(!NetworkNames.isDomain(longest + "d"))
    }

    @Test(
        "The nearest word is suggested",
        arguments: [
            ("partnrs", "partners"), ("PARTNERS", "partners"), ("parnters", "partners"), ("tsl", "tls"), ("xyz", nil),
            ("", nil),
        ]
    )
    func suggestion(word: String, expected: String?) {
        #expect(Suggestion.nearest(to: word, among: ["tls", "partners", "listen"]) == expected)
    }

    @Test func longWordsAreNotCompared() {
        let longest = String(repeating: "a", count: Suggestion.wordLengthMax)
        #expect(Suggestion.nearest(to: longest, among: [longest]) == longest)
        #expect(Suggestion.nearest(to: longest + "a", among: [longest]) == nil)
    }

    @Test(
        arguments: [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("ab", "ba", 1), ("abc", "cab", 2)]
    )
    func distancesAreOfSingleSlips(left: String, right: String, distance: Int) {
        #expect(Suggestion.distance(Array(left), Array(right)) == distance)
        #expect(Suggestion.distance(Array(right), Array(left)) == distance)
    }
}
