import OSCARWire
import Testing

@Suite struct CharsetTests {
    @Test(
        arguments: [
            (0x0000, "68 69", "hi"), (0x0000, "C3A9", "é"), (0x0000, "E9 80", "é€"), (0x0000, "", ""),
            (0x0002, "0068 00E9 4E2D", "hé中"), (0x0002, "D83D DE00", "😀"), (0x0002, "D83D", "\u{FFFD}"),
            (0x0002, "0041 42", "A\u{FFFD}"), (0x0002, "FF", "\u{FFFD}"), (0x0003, "E9 93 81", "é“\u{81}"),
            (0x000D, "C3A9", "é"),
        ]
    )
    func bytesBecomeText(_ number: Int, _ digits: String, _ text: String) {
        #expect(Charset(rawValue: UInt16(number)).decode(bytes(digits)) == text)
    }

    @Test func asciiStaysAsItIsAndTheRestBecomesUTF16() {
        #expect(Charset.encode("plain") == (.ascii, Array("plain".utf8)))
        #expect(Charset.encode("é😀") == (.utf16, bytes("00E9 D83D DE00")))
    }

    @Test(arguments: ["", "a", "grüße", "中文 text", "👩‍👩‍👧 & <b>", "\u{0}\u{FFFF}"])
    func textComesBackAsItWas(_ text: String) {
        let (charset, bytes) = Charset.encode(text)
        #expect(charset.decode(bytes) == text)
    }
}

@Suite struct HTMLTextTests {
    @Test(
        arguments: [
            ("<HTML><BODY BGCOLOR=\"#ffffff\"><FONT LANG=\"0\">hello</FONT></BODY></HTML>", "hello"),
            ("one<br>two<BR/>three", "one\ntwo\nthree"),
            ("a &lt;b&gt; &amp; &quot;c&quot;&nbsp;&#33;&#x3f;", "a <b> & \"c\" !?"),
            ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
            ("if a<b then c", "if a<b then c"),
            ("I <3 you", "I <3 you"),
            ("R&D; AT&T", "R&D; AT&T"),
            ("&#0;&#1114112;&#xD800;&#99999999999;", "&#0;&#1114112;&#xD800;&#99999999999;"),
            ("<p>one<p>two</p><div>three</div>", "one\ntwo\nthree"),
            ("<!-- hidden <b> -->seen<!--", "seen<!--"),
            ("<A HREF=\"http://x.example/?a=1&amp;b=2\">here</A>!", "here (http://x.example/?a=1&b=2)!"),
            ("<a href=http://x.example/>http://x.example/</a>", "http://x.example/"),
            ("<a href='x'></a><a>y</a>", "xy"),
            ("<a href=\"a>b\">c", "c (a>b)"),
            ("<img src=\"a>b\">z", "z"),
            ("unfinished <b", "unfinished <b"),
            ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ]
    )
    func markupBecomesText(_ markup: String, _ text: String) {
        #expect(HTMLText.text(of: markup) == text)
    }

    @Test(arguments: [
        "", "plain", "a < b && c > d", "<b>no markup</b>", "&amp;", "line\nline\n", "é <3 中", "<!-- x -->",
    ])
    func textComesBackAsItWas(_ text: String) {
        let markup = HTMLText.markup(for: text)
        #expect(HTMLText.text(of: markup) == text)
        #expect(!markup.contains("\n"))
    }

    @Test func aLinksAddressIsShownUpToItsLimit() {
        let longest = String(repeating: "u", count: 2_048)
        #expect(HTMLText.text(of: "<a href=\(longest)>x</a>") == "x (\(longest))")
        #expect(HTMLText.text(of: "<a href=\(longest)u>x</a>") == "x")
    }

    @Test func manyOpenCommentsAreReadInOnePass() {
        let markup = String(repeating: "<!--", count: 15_000)
        #expect(HTMLText.text(of: markup) == markup)
    }
}

@Suite struct MIMETextTests {
    @Test func anAwayTextIsReadByWhatItIsAndNotByWhatItSays() {
        let type = "text/aolrtf; charset=\"us-ascii\""
        #expect(MIMEText(type: type, bytes: bytes("\"back <b>soon</b>\"")).text == "back soon")
        #expect(MIMEText(type: type, bytes: bytes("0068 00E9")).text == "hé")
        #expect(MIMEText(type: "text/plain; charset=ISO-8859-1", bytes: [0xE9]).text == "é")
    }

    @Test(arguments: ["away & <gone>", "später", "中"]) func textComesBackAsItWas(_ text: String) {
        #expect(MIMEText(text: text).text == text)
    }
}
