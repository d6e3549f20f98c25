internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

extension Federation {
    /// Sends an envelope to its partner; completes it in any case.
    func send(_ delivery: Delivery) {
        let envelope = delivery.envelope
        do throws(BridgeError) {
            // The same at each attempt, so that whoever gets it twice can tell.
            let key = delivery.idempotencyKey
            let id = envelope.id.isEmpty ? "\(String(key.high, radix: 16))-\(String(key.low, radix: 16))" : envelope.id
            let stanza = try StanzaWriter.stanza(for: envelope, id: id)
            guard let link = self.link(for: stanza) else {
                let isBlocked =
                    stanza.to.flatMap { try? self.policy(named: $0.domain) } != nil
                    && self.settings.server.serves(stanza.from?.domain ?? "")
                let text =
                    isBlocked
                    ? "\(envelope.to.domain) is blocked by the operator: plugboard partners unblock \(envelope.to.domain)"
                    : "there is no federation between \(envelope.from.domain) and \(envelope.to.domain)"
                delivery.complete(.failed(Outcome.Reason(.policy, text, code: "not-allowed")))
                return
            }
            link.send(delivery, stanza)
        } catch {
            delivery.complete(.failed(Outcome.Reason(.content, error.description)))
        }
    }

    func answer(_ stanza: Stanza) {
        self.link(for: stanza)?.send(answer: stanza)
    }

    /// The link that a stanza belongs on; nil unless it is from a home domain to a partner.
    private func link(for stanza: Stanza) -> PartnerLink? {
        guard let from = stanza.from?.domain, let to = stanza.to?.domain else { return nil }
        return self.link(of: DomainPair(sender: from, target: to))
    }

    /// The link between two domains; nil unless the first is a home domain and the second a partner.
    func link(of pair: DomainPair) -> PartnerLink? {
        if let link = self.links[pair] { return link }
        guard self.settings.server.serves(pair.sender), let policy = self.partners.policy(for: pair.target) else {
            return nil
        }
        let link = PartnerLink(self, pair, policy)
        if self.isDraining { link.drain() }
        self.links[pair] = link
        return link
    }

    /// Connects; without a certificate where none is configured for the home domain.
    func connect(
        to target: ServerTarget,
        tls: TLSOptions?,
        timeout: UInt32,
        session: any StreamSession
    ) throws(HostError) -> Stream {
        do throws(HostError) {
            return try self.host.connect(
                to: target.host,
                port: target.port,
                tls: tls,
                timeout: timeout,
                session: session
            )
        } catch {
            guard error == .unsupported, let bare = self.withoutIdentity(tls) else { throw error }
            return try self.host.connect(
                to: target.host,
                port: target.port,
                tls: bare,
                timeout: timeout,
                session: session
            )
        }
    }

    /// Begins TLS; without a certificate of the home domain where none is configured.
    ///
    /// Ends the stream if that fails.
    func startTLS(_ stream: Stream, _ options: TLSOptions) {
        do throws(HostError) {
            do throws(HostError) {
                try stream.startTLS(options)
            } catch {
                guard error == .unsupported, let bare = self.withoutIdentity(options) else { throw error }
                try stream.startTLS(bare)
            }
        } catch {
            self.host.log(.error, "TLS could not be begun", [.peer: stream.peerAddress, .reason: "\(error)"])
            stream.abort()
        }
    }

    private func withoutIdentity(_ options: TLSOptions?) -> TLSOptions? {
        guard var options, !options.identity.isEmpty else { return nil }
        self.host.log(
            .warning,
            "there is no certificate for a home domain: add one to tls.identities, for partners may demand it",
            ["domain": options.identity]
        )
        options.identity = ""
        return options
    }
}
