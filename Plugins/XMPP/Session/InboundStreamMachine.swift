package import XMPPWire

/// One stream that a partner's server opened to us: what to answer to each thing that comes.
///
/// We are the receiving server for the sender domains that authenticate here, and the authoritative server for those of
/// our domains whose dialback keys are asked about. Stanzas flow towards us, and in the other direction where the peer asks for it (XEP-0288); else
/// that is another stream (RFC 6120 §4.5). A value that belongs to one thread, without I/O, clock or randomness.
///
/// The duties are in extensions: the header here, STARTTLS and SASL in `+Negotiation`, `+Dialback`, `+Bidi`,
/// `+Stanzas`.
package struct InboundStreamMachine {
    /// How far the stream has come.
    enum State {
        /// Waiting for the peer's header. Next: open, closed.
        case opening
        /// Header and features were answered. Next: securing, opening (after SASL), closing, closed.
        case open(Open)
        /// TLS handshake. Next: opening, closed.
        case securing
        /// We ended our half; stanzas may still come until the peer ends its own. Next: closed.
        case closing(Open)
        /// Nothing is sent or taken any more.
        case closed
    }

    /// What holds from one header to the next.
    struct Open {
        /// What the peer says it is; nil where it did not say.
        let sender: String?
        /// The domain that the peer asked for.
        let target: String
        let streamID: String
        let offersStartTLS: Bool
        let offersBidi: Bool
        /// The domain pairs that stanzas are taken for, at most `ServerPolicy.domainPairsMax`.
        var pairs: Set<DomainPair> = []
        /// Keys that are being verified, at most `ServerPolicy.pendingVerificationsMax`.
        var pending: [DialbackRequest] = []
        var saslFailures = 0
        var management = Management.none
        /// EXTERNAL was begun without an initial response, and the response is awaited.
        var awaitsSASLResponse = false
    }

    /// How far stream management has come on the stream (XEP-0198).
    enum Management: Hashable {
        /// Not offered. Next: none.
        case none
        /// Next: resuming, enabled.
        case offered
        /// The peer asked for an earlier stream. Next: offered, enabled.
        case resuming(id: String)
        /// Stanzas are counted.
        case enabled
    }

    let server: ServerPolicy
    let partners: PartnerTable
    let key: DialbackKey
    var state = State.opening
    var transport = Transport.plain
    /// The domain that SASL EXTERNAL proved.
    var externalDomain: String?
    /// Whether the peer asked for the stream to be used in both directions.
    var isBidirectional = false
    /// Whether the peer asked about a key of ours: a stream of that use needs no authentication.
    var hasAnsweredVerification = false

    /// Makes the machine for a connection that was just accepted.
    ///
    /// On a listener for direct TLS (XEP-0368), `tlsEstablished` is the first event.
    ///
    /// - Parameter key: makes the dialback keys of our domains.
    package init(server: ServerPolicy, partners: PartnerTable, key: DialbackKey) {
        self.server = server
        self.partners = partners
        self.key = key
    }

    /// Whether neither side has ended its half.
    package var isOpen: Bool {
        if case .open = self.state { true } else { false }
    }

    /// Whether stream management was offered to the peer, which has not said yet what it wants.
    package var awaitsManagement: Bool {
        guard case .open(let open) = self.state else { return false }
        switch open.management {
        case .offered, .resuming: return true
        case .none, .enabled: return false
        }
    }

    /// Whether the peer has proved a domain, and so is held to `ServerPolicy.inactivityTimeout` only.
    package var isEstablished: Bool {
        switch self.state {
        case .open(let open), .closing(let open): !open.pairs.isEmpty
        case .opening, .securing, .closed: false
        }
    }
}

// MARK: - Opening

extension InboundStreamMachine {
    /// The peer's header came.
    ///
    /// - Parameter streamID: random, unpredictable, new for each header; 128 bits or more (RFC 6120 §4.7.3).
    package mutating func streamOpened(_ header: StreamHeader, streamID: String) -> [StreamAction] {
        guard case .opening = self.state else { return [] }
        let sender = normalisedDomain(header.from)
        let target = normalisedDomain(header.to).flatMap { self.server.serves($0) ? $0 : nil }
        let answer = self.answer(to: header, sender: sender, target: target, streamID: streamID)
        if let error = self.objection(to: header, sender: sender, target: target) {
            return [.sendHeader(answer)] + self.refuse(error)
        }
        let offer = self.offer(to: sender, isLegacy: answer.version == nil)
        if let sender, self.externalDomain == nil, offer == StreamFeatures() {
            return [.sendHeader(answer)] + self.refuse(self.deadEnd(for: sender))
        }
        var open = Open(
            sender: self.externalDomain ?? sender,
            target: target ?? self.server.mainDomain,
            streamID: streamID,
            offersStartTLS: offer.startTLS != nil,
            offersBidi: offer.bidi
        )
        var actions = [StreamAction.sendHeader(answer)]
        if answer.version != nil { actions.append(.send(offer.element)) }
        if let externalDomain = self.externalDomain {
            let pair = DomainPair(sender: externalDomain, target: open.target)
            open.pairs = [pair]
            if offer.streamManagement { open.management = .offered }
            actions += self.letIn(pair, .external)
        }
        self.state = .open(open)
        return actions
    }

    /// The header that answers the peer's.
    ///
    /// It is sent even where an error follows (RFC 6120 §4.9.1.2).
    private func answer(
        to header: StreamHeader,
        sender: String?,
        target: String?,
        streamID: String
    ) -> StreamHeader {
        // A server that names no version knows no features either (RFC 6120 §4.7.5).
        let isLegacy = header.version == nil || header.majorVersion == 0
        let dialbackPossible = self.dialbackIsOffered(to: sender, secured: true)
        return StreamHeader(
            from: target ?? self.server.mainDomain,
            to: sender,
            id: streamID,
            version: isLegacy ? nil : "1.0",
            prefixes: dialbackPossible ? StreamHeader.serverPrefixes : ["stream": Namespace.streams]
        )
    }

    /// Why the stream must not be opened as the header wants it.
    private func objection(to header: StreamHeader, sender: String?, target: String?) -> StreamError? {
        if header.defaultNamespace != Namespace.server {
            return StreamError(.invalidNamespace, text: "Only \(Namespace.server) is spoken here.")
        }
        if header.version != nil && header.majorVersion == nil {
            return StreamError(.unsupportedVersion, text: "The version must be 1.0.")
        }
        guard target != nil else {
            return StreamError(.hostUnknown, text: "The domain in to is not served here.")
        }
        if header.from != nil && sender == nil {
            return StreamError(.improperAddressing, text: "The from of the stream is not a domain.")
        }
        guard let sender else { return nil }
        if let externalDomain = self.externalDomain, externalDomain != sender {
            return StreamError(.invalidFrom, text: "The certificate was accepted for \(externalDomain).")
        }
        guard self.partners.policy(for: sender) != nil else {
            return StreamError(.policyViolation, text: "\(sender) is not a partner of this server.")
        }
        return nil
    }
}

// MARK: - Ending

extension InboundStreamMachine {
    /// The peer ended its half of the stream: we end ours.
    package mutating func streamClosed() -> [StreamAction] {
        defer { self.state = .closed }
        switch self.state {
        case .open: return [.sendStreamEnd, .finish]
        case .opening, .securing, .closing: return [.finish]
        case .closed: return []
        }
    }

    /// The bytes were no acceptable XML.
    ///
    /// - Parameter streamID: as for `streamOpened`; used where the peer's header itself was the fault.
    package mutating func parserFailed(_ error: StreamParserError, streamID: String) -> [StreamAction] {
        let streamError = StreamError(error.streamError, text: error.description)
        guard case .opening = self.state else { return self.refuse(streamError) }
        let answer = StreamHeader(from: self.server.mainDomain, id: streamID)
        return [.sendHeader(answer)] + self.refuse(streamError)
    }

    /// The connection is gone.
    ///
    /// - Parameter failure: why, as far as the host knows.
    package mutating func connectionClosed(_ failure: LinkFailure = .closedByPeer) -> [StreamAction] {
        defer { self.state = .closed }
        switch self.state {
        case .opening, .open, .securing: return [.failed(failure)]
        case .closing, .closed: return []
        }
    }

    /// `ServerPolicy.establishmentTimeout` is over.
    ///
    /// Without effect on an established stream.
    package mutating func establishmentTimedOut() -> [StreamAction] {
        switch self.state {
        case .open(let open) where !open.pairs.isEmpty: return []
        case .open where self.hasAnsweredVerification: return self.close()
        case .open:
            return self.refuse(StreamError(.connectionTimeout, text: "The stream was not authenticated in time."))
        case .opening, .securing:
            // No header of ours is out, so there is no stream to put an error into.
            self.state = .closed
            return [.finish, .failed(.timedOut)]
        case .closing, .closed: return []
        }
    }

    /// The peer was silent for `ServerPolicy.inactivityTimeout`.
    package mutating func inactivityTimedOut() -> [StreamAction] { self.close() }

    /// The partner's `keepAlive` interval passed without anything sent.
    package func keepAliveDue() -> [StreamAction] { self.isEstablished ? [.sendWhitespace] : [] }

    /// Ends the stream in an orderly way: what the peer has still on its way is taken until it ends its half, or until
    /// `closeTimedOut`.
    package mutating func close() -> [StreamAction] {
        switch self.state {
        case .open(let open):
            self.state = .closing(open)
            return [.sendStreamEnd]
        case .opening, .securing:
            self.state = .closed
            return [.finish]
        case .closing, .closed: return []
        }
    }

    /// `ServerPolicy.closeTimeout` is over.
    package mutating func closeTimedOut() -> [StreamAction] {
        guard case .closing = self.state else { return [] }
        self.state = .closed
        return [.finish]
    }

    /// Ends the stream with an error, at once (RFC 6120 §4.9.1.1).
    ///
    /// The header must be out already.
    mutating func refuse(_ error: StreamError) -> [StreamAction] {
        defer { self.state = .closed }
        switch self.state {
        case .opening, .open: return [.send(error.element), .sendStreamEnd, .finish, .failed(.sentError(error))]
        // Our half has ended, or is not encrypted yet: there is no way to tell.
        case .securing, .closing: return [.finish, .failed(.sentError(error))]
        case .closed: return []
        }
    }
}
