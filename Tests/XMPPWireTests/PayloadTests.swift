import Testing
import XMPPWire

@Suite struct PayloadTests {
    private func survives<P: Payload>(_ payload: P) -> Bool {
        roundTrip(payload.element).flatMap { P($0) } == payload
    }

    @Test("Every extension survives being written and read")
    func roundTrips() throws {
        let jid = try JID("room@b.example/nick")
        #expect(self.survives(Receipt.request))
        #expect(self.survives(Receipt.received(id: "<1>")))
        for state in ChatState.allCases { #expect(self.survives(state)) }
        for hint in Hint.allCases { #expect(self.survives(hint)) }
        #expect(self.survives(Delay(stampMs: 1_700_000_000_123, from: jid, reason: "Offline storage")))
        #expect(self.survives(Delay(stampMs: -1)))
        #expect(self.survives(Correction(replacing: "1")))
        #expect(self.survives(OriginID("1")))
        #expect(self.survives(StanzaID("1", by: jid.bare)))
        #expect(self.survives(Ping()))
        #expect(self.survives(DiscoInfo()))
        let info = DiscoInfo(
            node: "n",
            identities: [
                DiscoInfo.Identity(category: "gateway", type: "aim", name: "AOL"),
                DiscoInfo.Identity(category: "server", type: "im"),
            ],
            features: [Namespace.discoInfo, Namespace.ping]
        )
        #expect(self.survives(info))
    }

    @Test("An extension without what it needs is none")
    func incomplete() {
        let elements = [
            Element("received", namespace: Namespace.receipts),
            Element("requested", namespace: Namespace.receipts),
            Element("typing", namespace: Namespace.chatStates),
            Element("delay", namespace: Namespace.delay),
            Element("delay", namespace: Namespace.delay, attributes: ["stamp": "yesterday"]),
            Element("replace", namespace: Namespace.correction),
            Element("origin-id", namespace: Namespace.stanzaIDs),
            Element("stanza-id", namespace: Namespace.stanzaIDs, attributes: ["id": "1"]),
            Element("stanza-id", namespace: Namespace.stanzaIDs, attributes: ["id": "1", "by": "@"]),
            Element("forget", namespace: Namespace.hints),
            Element("pong", namespace: Namespace.ping),
            Element("query", namespace: Namespace.discoItems),
        ]
        let stanza = Stanza(.message(.chat), to: nil, from: nil, payload: elements)
        #expect(stanza.first(Receipt.self) == nil)
        #expect(stanza.first(ChatState.self) == nil)
        #expect(stanza.first(Delay.self) == nil)
        #expect(stanza.first(Correction.self) == nil)
        #expect(stanza.first(OriginID.self) == nil)
        #expect(stanza.first(StanzaID.self) == nil)
        #expect(stanza.first(Hint.self) == nil)
        #expect(stanza.first(Ping.self) == nil)
        #expect(stanza.first(DiscoInfo.self) == nil)
    }

    @Test("A stanza gives the first of an extension, or all")
    func firstAndAll() {
        var stanza = Stanza(.message(.chat), to: nil, from: nil)
        stanza.append(Hint.noStore)
        stanza.append(Receipt.request)
        stanza.append(Hint.noCopy)
        #expect(stanza.first(Hint.self) == .noStore)
        #expect(stanza.all(Hint.self) == [.noStore, .noCopy])
        #expect(stanza.first(Receipt.self) == .request)
    }

    @Test("What is incomplete in an answer to discovery is left out")
    func incompleteDisco() {
        let xml =
            "<query xmlns='http://jabber.org/protocol/disco#info'><identity category='a'/><feature/><feature var='x'/>"
            + "<x xmlns='jabber:x:data'/><identity category='a' type='b'/></query>"
        let expected = DiscoInfo(identities: [DiscoInfo.Identity(category: "a", type: "b")], features: ["x"])
        #expect(parsed(xml).flatMap(DiscoInfo.init) == expected)
    }

    static let moments: [(String, Int64)] = [
        ("1970-01-01T00:00:00Z", 0),
        ("1969-07-21T02:56:15Z", -14_159_025_000),
        ("2002-09-10T23:08:25Z", 1_031_699_305_000),
        ("2000-02-29T12:00:00.5Z", 951_825_600_500),
        ("1969-12-31T23:59:59.999Z", -1),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ("2024-12-31T00:00:00Z", 1_735_603_200_000),
    ]

    @Test("A moment is read, and written as XEP-0082 has it", arguments: moments)
    func dates(text: String, milliseconds: Int64) {
        #expect(XMPPDateTime.milliseconds(of: text) == milliseconds)
        let written = XMPPDateTime.text(ofMilliseconds: milliseconds)
        #expect(written == (text.hasSuffix(".5Z") ? text.replacing(".5Z", with: ".500Z") : text))
    }

    @Test("Every day of eight centuries survives being written and read")
    func everyDay() {
        for day in Int64(-150_000)..<150_000 where day % 7 == 0 || day % 365 < 3 {
            let milliseconds = day * 86_400_000 + 43_199_001
            let text = XMPPDateTime.text(ofMilliseconds: milliseconds)
            if XMPPDateTime.milliseconds(of: text) != milliseconds { Issue.record("day \(day): \(text)") }
        }
    }

    @Test("Zones, long fractions and leap seconds are understood")
    func oddDates() {
        let ms = XMPPDateTime.milliseconds(of:)
        #expect(ms("1969-07-20T21:56:15-05:00") == -14_159_025_000)
        #expect(ms("1970-01-01T05:30:00+05:30") == 0)
        #expect(ms("1970-01-01T00:00:00.123456789Z") == 123)
        #expect(ms("1970-01-01T00:00:00.12Z") == 120)
        #expect(ms("2016-12-31T23:59:60Z") == ms("2016-12-31T23:59:59Z"))
    }

    @Test("Moments outside of the years that can be written become the nearest one")
    func farDates() {
        #expect(XMPPDateTime.text(ofMilliseconds: .min) == "0001-01-01T00:00:00Z")
        #expect(XMPPDateTime.text(ofMilliseconds: .max) == "9999-12-31T23:59:59.999Z")
    }

    @Test(
        "What is no moment is refused",
        arguments: [
            "", "1970", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01 00:00:00Z", "1970-1-01T00:00:00Z",
            "1970-13-01T00:00:00Z", "1970-00-01T00:00:00Z", "1970-01-32T00:00:00Z", "1970-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z",
            "1970-01-01T00:00:61Z", "1970-01-01T00:00:00.Z", "1970-01-01T00:00:00ZZ", "1970-01-01T00:00:00+0530",
            "1970-01-01T00:00:00+24:00", "19700101T00:00:00", "-970-01-01T00:00:00Z", "\u{FF11}970-01-01T00:00:00Z",
        ]
    )
    func badDates(text: String) {
        #expect(XMPPDateTime.milliseconds(of: text) == nil)
    }
}
