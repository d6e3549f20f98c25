internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

/// Finds out whether the partner's server is still there although nothing is to be said (XEP-0199 §4.4).
///
/// A connection whose other end is gone without a word looks as if it stood. So the server is asked now and then: for an
/// acknowledgement where the stream is managed (XEP-0198 §4), else by a ping, which is answered on the stream that goes
/// the other way. One that does not answer in time counts as lost.
extension PartnerLink {
    /// Asks after each interval, while the stream stands.
    func watchPeer() {
        guard self.policy.keepAlive != nil else { return }
        self.keepAlive.set(self.federation.settings.pingInterval.milliseconds) { [weak self] in
            guard let self, case .up(let session, _) = self.state else { return }
            self.inquire(session)
            self.watchPeer()
        }
    }

    private func inquire(_ session: any StanzaCarrier) {
        guard !self.isAsked else { return }
        self.isAsked = true
        if self.isManaged {
            session.askForAcknowledgement()
        } else {
            let id = self.federation.randomID()
            self.pingID = id
            guard let ping = Self.ping(id, self.pair) else { return }
            session.writeBeside(ping)
        }
        self.watchAnswer()
    }

    /// An answer to a request of that id came from the partner's server, whichever answer it is: it is there.
    func answered(_ id: String) {
        guard id == self.pingID else { return }
        self.pingID = nil
        self.isAsked = false
        self.acknowledgement.cancel()
    }

    private static func ping(_ id: String, _ pair: DomainPair) -> Element? {
        guard let from = try? JID(pair.sender), let to = try? JID(pair.target) else { return nil }
        return Stanza(.iq(.get), to: to, from: from, id: id, payload: [Ping().element]).element
    }
}
