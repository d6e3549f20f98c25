internal import ProviderKit
internal import XMPPComponent
internal import XMPPWire

extension ComponentGateways {
    /// Takes a stanza from the XMPP server; false if the router had no room, and the session must wait.
    func received(_ element: Element, on stream: GatewayLink, _ session: ComponentSession) -> Bool {
        let stanza: Stanza
        do throws(ElementError) {
            // All stanzas have the same content namespace from here on, whatever the stream's.
            stanza = try Stanza(element).moved(to: Namespace.server)
        } catch {
            self.host.log(.debug, "a stanza was refused", [.reason: "\(error)"])
            if let answer = StanzaRejection.answer(to: element, error) { stream.send(answer: answer) }
            return true
        }
        // ejabberd may send what is for one of its components over the stream of another.
        guard let from = stanza.from, let to = stanza.to, let link = self.link(named: to.domain) else {
            self.host.log(.debug, "a stanza was dropped", [.reason: "it lacks an address, or is not for the gateway"])
            return true
        }
        guard self.homeDomains.contains(from.domain) else {
            // Other organisations' users have no business with a gateway of this one.
            let error = StanzaError(.forbidden, text: "This gateway is for the users of its own organisation.")
            if let answer = stanza.reply(error) { link.send(answer: answer) }
            return true
        }
        return self.submit(self.submissions(of: stanza, from: from, to: to, link)[...], session)
    }

    /// What a home user's stanza means for the router; what needs no router is answered here.
    private func submissions(of stanza: Stanza, from: JID, to: JID, _ link: GatewayLink) -> [Submission] {
        if case .iq = stanza.kind {
            self.answer(stanza, on: link)
            return []
        }
        if to.local == nil {
            if link.roster.granted(stanza) { return [] }
            for answer in GatewayPresence.answers(to: stanza, isUp: true) { link.send(answer: answer) }
            return []
        }
        guard let contact = link.gateway.names.address(of: to), !self.homeDomains.contains(contact.domain) else {
            let error = StanzaError(.itemNotFound, text: "\(to.bare) stands for nobody on this network.")
            if let answer = stanza.reply(error) { link.send(answer: answer) }
            return []
        }
        if stanza.kind == .presence(.probe), let shown = self.presences.answers(to: from.bare, about: to.bare) {
            for answer in shown { link.send(answer: answer) }
            return []
        }
        if stanza.kind == .presence(.unsubscribe) { self.presences.forget(contact: to.bare, user: from.bare) }
        switch self.reader.meaning(of: stanza, nowMs: self.host.wallClock) {
        case .envelopes(let envelopes):
            return envelopes.map { envelope in
                var envelope = envelope
                envelope.to = contact
                return Submission(envelope, of: stanza)
            }
        case .answer(let answer): link.send(answer: answer)
        case .bounce(let bounce):
            if let entry = link.take(bounce), let failure = bounce.envelope(about: entry) {
                return [Submission(unanswered: failure)]
            }
        case .answered: break
        case .nothing(let why): self.host.log(.debug, "a stanza was dropped", [.reason: why])
        }
        return []
    }

    private func answer(_ stanza: Stanza, on link: GatewayLink) {
        switch stanza.kind {
        case .iq(.get), .iq(.set):
            let gateway = link.gateway
            let responder = GatewayResponder(names: gateway.names, type: gateway.type, name: gateway.name)
            if let answer = responder.answer(to: stanza) { link.send(answer: answer) }
        case .iq(.result), .iq(.error):
            if let id = stanza.id, !link.answered(id) { _ = link.roster.answered(stanza, on: link) }
        case .message, .presence: break
        }
    }
}
