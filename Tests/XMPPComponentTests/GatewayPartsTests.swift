import Testing
import XMPPComponent
import XMPPWire

@Suite struct GatewayPartsTests {
    private func presence(_ index: Int) -> Stanza {
        stanza("<presence from='c\(index)@aim.example.org/d' to='alice@example.org'/>")
    }

    @Test("So many presences are remembered, and one more is not")
    func limit() {
        var shown = ShownPresence()
        for index in 0...ShownPresence.presencesMax { shown.note(self.presence(index)) }
        #expect(shown.presencesCount == ShownPresence.presencesMax)
        #expect(shown.answers(to: jid("alice@example.org"), about: jid("c0@aim.example.org"))?.count == 1)
        let last = jid("c\(ShownPresence.presencesMax)@aim.example.org")
        #expect(shown.answers(to: jid("alice@example.org"), about: last) == nil)
        // What is remembered can still change.
        shown.note(stanza("<presence from='c0@aim.example.org/d' to='alice@example.org'><show>xa</show></presence>"))
        #expect(
            shown.answers(to: jid("alice@example.org"), about: jid("c0@aim.example.org"))?.first?.show == .extendedAway
        )
    }

    @Test("Presence is forgotten by device, for all devices, and when a subscription ends")
    func forgotten() {
        var shown = ShownPresence()
        let (user, contact) = (jid("alice@example.org"), jid("bob@aim.example.org"))
        func note(_ device: String, _ type: String = "") {
            let type = type.isEmpty ? "" : "type='\(type)'"
            shown.note(stanza("<presence from='bob@aim.example.org\(device)' to='alice@example.org' \(type)/>"))
        }
        note("/a")
        note("/b")
        note("/a", "unavailable")
        #expect(shown.answers(to: user, about: contact)?.map(\.from?.resource) == ["b"])
        note("/c")
        note("", "unavailable")
        #expect(shown.answers(to: user, about: contact) == nil)
        note("/a")
        note("", "unsubscribed")
        #expect(shown.answers(to: user, about: contact) == nil)
        #expect(shown.presencesCount == 0)
    }

    @Test("Only a gateway's own contacts are shown on its stream")
    func byDomain() {
        var shown = ShownPresence()
        shown.note(self.presence(1))
        shown.note(stanza("<presence from='x@icq.example.org' to='alice@example.org'/>"))
        #expect(shown.shown(by: "aim.example.org").map(\.from) == [jid("c1@aim.example.org/d")])
    }

    @Test(
        "Payloads survive writing and reading",
        arguments: [
            GatewayPrompt.question(desc: "", prompt: ""), .question(desc: "d", prompt: "p"), .name("Bob"),
            .answer(jid("bob@aim.example.org")),
        ]
    )
    func prompts(_ prompt: GatewayPrompt) {
        #expect(GatewayPrompt(prompt.element) == prompt)
    }

    @Test("Items survive writing and reading, without those that have no JID")
    func items() {
        let items = DiscoItems(node: "n", items: [.init(jid: jid("a@b"), node: "x", name: "y"), .init(jid: jid("c"))])
        #expect(DiscoItems(items.element) == items)
        var broken = items.element
        broken.children.append(.element(Element("item", namespace: Namespace.discoItems)))
        #expect(DiscoItems(broken) == items)
    }

    @Test("A message to the gateway itself is answered with what to do instead")
    func message() {
        let message = stanza(
            "<message from='alice@example.org/p' to='aim.example.org' id='x'><body>hi</body></message>"
        )
        #expect(GatewayPresence.answers(to: message, isUp: true).first?.error?.condition == .serviceUnavailable)
        let error = stanza("<message from='alice@example.org/p' to='aim.example.org' id='x' type='error'/>")
        #expect(GatewayPresence.answers(to: error, isUp: true).isEmpty)
    }
}
