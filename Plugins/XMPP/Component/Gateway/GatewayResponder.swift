package import XMPPWire

/// Answers home users' questions that need neither router nor network: what the gateway is, what it can do, who is behind a JID.
package struct GatewayResponder: Hashable, Sendable {
    private let names: GatewayNames
    private let type: String
    private let name: String

    /// What the gateway itself understands (XEP-0030 §3.1).
    package static let features = [Namespace.discoInfo, Namespace.discoItems, Namespace.ping, GatewayPrompt.namespace]
    /// What its contacts understand, as far as the router carries it.
    package static let contactFeatures = [
        Namespace.discoInfo, Namespace.receipts, Namespace.chatStates, Namespace.correction,
        "urn:xmpp:attention:0", "urn:xmpp:chat-markers:0",
    ]

    /// A responder.
    ///
    /// - Parameters:
    ///   - type: such as `aim`, of the category `gateway` (XEP-0100 §5).
    ///   - name: the network's, for people.
    package init(names: GatewayNames, type: String, name: String) {
        self.names = names
        self.type = type
        self.name = name
    }

    /// The answer to a get or a set; nil for anything else.
    package func answer(to stanza: Stanza) -> Stanza? {
        guard let payload = stanza.payload.first, let to = stanza.to else { return nil }
        guard to.local == nil else { return self.answer(to: stanza, payload, about: to) }
        let isGet = stanza.kind == .iq(.get)
        if isGet, Ping(payload) != nil { return stanza.result() }
        if isGet, let question = DiscoInfo(payload) {
            guard question.node == nil else { return stanza.reply(StanzaError(.itemNotFound)) }
            let identity = DiscoInfo.Identity(category: "gateway", type: self.type, name: self.name)
            return stanza.result([DiscoInfo(identities: [identity], features: Self.features).element])
        }
        if isGet, let question = DiscoItems(payload) {
            guard question.node == nil else { return stanza.reply(StanzaError(.itemNotFound)) }
            return stanza.result([DiscoItems().element])
        }
        if let prompt = GatewayPrompt(payload) { return self.answer(to: stanza, prompt, isGet: isGet) }
        return stanza.reply(StanzaError(isGet ? .serviceUnavailable : .featureNotImplemented))
    }

    /// About somebody on the network: their client is not reached by IQ, but it is known what reaches it.
    private func answer(to stanza: Stanza, _ payload: Element, about contact: JID) -> Stanza? {
        guard self.names.address(of: contact) != nil else { return stanza.reply(StanzaError(.itemNotFound)) }
        guard stanza.kind == .iq(.get), let question = DiscoInfo(payload), question.node == nil else {
            return stanza.reply(StanzaError(.serviceUnavailable))
        }
        let identity =
            contact.isBare
            ? DiscoInfo.Identity(category: "account", type: "registered")
            : DiscoInfo.Identity(category: "client", type: "pc", name: self.name)
        return stanza.result([DiscoInfo(identities: [identity], features: Self.contactFeatures).element])
    }

    /// Which JID a name on the network has (XEP-0100 §6.3).
    private func answer(to stanza: Stanza, _ prompt: GatewayPrompt, isGet: Bool) -> Stanza? {
        guard !isGet else {
            let desc = "Enter the name that the person has on \(self.name)."
            return stanza.result([GatewayPrompt.question(desc: desc, prompt: "Name on \(self.name)").element])
        }
        guard case .name(let name) = prompt else { return stanza.reply(StanzaError(.badRequest)) }
        guard let address = self.names.address(of: name), let jid = self.names.jid(of: address) else {
            return stanza.reply(StanzaError(.notAcceptable, text: "“\(name)” is no name on \(self.name)."))
        }
        return stanza.result([GatewayPrompt.answer(jid).element])
    }
}
