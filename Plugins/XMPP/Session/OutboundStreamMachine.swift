package import XMPPWire

/// One stream that we open to a partner's server: what to send, and what its answers mean.
///
/// A stream has one purpose: to carry stanzas of one domain pair, or to verify one dialback key. Further pairs get
/// streams of their own; they do not share this one by dialback. Stanzas flow away from us (RFC 6120 §4.5), and towards
/// us where the partner offers it (XEP-0288). A value that belongs to one thread, without I/O, clock or randomness.
///
/// XEP-0220 §2.6 (partial: on inbound streams only). RFC 6120 §6 (partial: EXTERNAL only).
///
/// The duties are in extensions: header and end here, STARTTLS and SASL in `+Negotiation`, `+Dialback`, and `+Bidi`.
package struct OutboundStreamMachine {
    /// What the stream is opened for.
    package enum Purpose: Hashable, Sendable {
        /// To send stanzas from the first domain, ours, to the second.
        case stanzas(DomainPair)
        /// To ask the sender domain's server whether it made a key (XEP-0220 §2.1.2). Nothing is authenticated.
        case verification(DialbackRequest)
    }

    /// How far the stream has come.
    enum State {
        /// No connection yet. Next: opening, closed.
        case idle
        /// Our header is out, the peer's is awaited. Next: negotiating, dialing, verifying, established, closed.
        case opening
        /// The peer's header came, its features are awaited. Next: requestingTLS, authenticating, dialing, verifying,
        /// established, closed.
        case negotiating
        /// `<starttls/>` is out. Next: securing, closed.
        case requestingTLS
        /// TLS handshake. Next: opening, closed.
        case securing
        /// SASL EXTERNAL was begun. Next: opening, dialing, closed.
        case authenticating
        /// Our dialback key is out, the verdict is awaited. Next: established, closed.
        case dialing
        /// The peer's dialback key is out, the verdict is awaited. Next: closing, closed.
        case verifying
        /// The peer was asked to go on with an earlier stream. Next: enabling, established, closed.
        case resuming
        /// The peer was asked to count stanzas. Next: established, closed.
        case enabling
        /// Stanzas may be sent. Next: closing, closed.
        case established
        /// We ended our half, and the peer's end is awaited. Next: closed.
        case closing
        /// Nothing is sent or taken any more.
        case closed
    }

    let purpose: Purpose
    let server: ServerPolicy
    let partner: PartnerPolicy
    let key: DialbackKey
    var state = State.idle
    var transport = Transport.plain
    /// Whether SASL EXTERNAL succeeded, after which the stream is opened once more.
    var isAuthenticated = false
    /// Whether the peer's question for our identity was answered; it may ask once.
    var hasAnsweredChallenge = false
    /// Of the peer's latest header.
    var streamID: String?
    /// Whether the peer's latest header announced dialback (XEP-0220 §2.4.1), or is from before XMPP 1.0.
    var declaresDialback = false
    /// The earlier stream to go on with; nil when the peer has answered.
    var resumption: Resumption?
    /// Whether stanzas are counted.
    var isManaged = false
    /// Whether we asked for the stream to be used in both directions.
    package internal(set) var isBidirectional = false
    /// Whether the peer has proved its domain, by certificate or as the server that dialback led to.
    var isPeerProven = false

    /// Makes the machine for a connection that is being made.
    ///
    /// - Parameters:
    ///   - partner: the policy for the domain that is connected to.
    ///   - key: makes the dialback keys of our domains.
    ///   - resumption: the earlier stream to go on with; nil: begin anew.
    package init(
        purpose: Purpose,
        server: ServerPolicy,
        partner: PartnerPolicy,
        key: DialbackKey,
        resumption: Resumption? = nil
    ) {
        self.resumption = resumption
        self.purpose = purpose
        self.server = server
        self.partner = partner
        self.key = key
    }

    /// The domain of ours that the stream is from.
    package var localDomain: String {
        switch self.purpose {
        case .stanzas(let pair): pair.sender
        case .verification(let request): request.pair.target
        }
    }

    /// The domain that the stream is to: also the name to ask for in the TLS handshake (XEP-0368 §3).
    package var remoteDomain: String {
        switch self.purpose {
        case .stanzas(let pair): pair.target
        case .verification(let request): request.pair.sender
        }
    }

    /// Whether stanzas may be written.
    package var isEstablished: Bool {
        if case .established = self.state { true } else { false }
    }
}

// MARK: - Opening

extension OutboundStreamMachine {
    /// The connection stands, without TLS.
    package mutating func connected() -> [StreamAction] {
        guard case .idle = self.state else { return [] }
        if self.partner.directTLS == .required {
            self.state = .closed
            return [.finish, .failed(.directTLSRequired)]
        }
        return self.open()
    }

    /// The TLS handshake is done, after `startTLS` or on a connection that began with it (XEP-0368).
    package mutating func tlsEstablished(_ peer: PeerIdentity) -> [StreamAction] {
        switch self.state {
        case .idle, .securing:
            self.transport = .tls(peer)
            return self.open()
        case .opening, .negotiating, .requestingTLS, .authenticating, .dialing, .verifying, .resuming, .enabling,
            .established, .closing,
            .closed:
            return []
        }
    }

    mutating func open() -> [StreamAction] {
        self.state = .opening
        // A header tells of dialback only where it may be used.
        let dialbackPossible: Bool
        switch self.purpose {
        case .verification: dialbackPossible = true
        case .stanzas: dialbackPossible = self.partner.objectionToDialback(secured: true) == nil
        }
        let header = StreamHeader(
            from: self.localDomain,
            to: self.remoteDomain,
            prefixes: dialbackPossible ? StreamHeader.serverPrefixes : ["stream": Namespace.streams]
        )
        return [.sendHeader(header)]
    }

    /// The peer's header came.
    ///
    /// Its `from` is not looked at: who the peer is, its certificate or DNS says.
    package mutating func streamOpened(_ header: StreamHeader) -> [StreamAction] {
        guard case .opening = self.state else { return [] }
        self.streamID = header.id
        // Without a version there are no features to wait for (RFC 6120 §4.7.5), and nothing but dialback to try.
        let isLegacy = header.version == nil || header.majorVersion == 0
        self.declaresDialback = header.declaresDialback || isLegacy
        if header.defaultNamespace != Namespace.server {
            return self.refuse(StreamError(.invalidNamespace, text: "Only \(Namespace.server) is spoken here."))
        }
        if header.version != nil && header.majorVersion == nil {
            return self.refuse(StreamError(.unsupportedVersion, text: "The version must be 1.0."))
        }
        self.state = .negotiating
        return isLegacy ? self.negotiate(StreamFeatures()) : []
    }
}

// MARK: - Elements

extension OutboundStreamMachine {
    /// A child of the stream came.
    package mutating func elementReceived(_ element: Element) -> [StreamAction] {
        switch self.state {
        case .closing where InboundStreamMachine.isStanza(element) && self.isPeerProven && self.isBidirectional:
            // It was on its way, and still counts.
            return self.stanzaReceived(element)
        case .idle, .opening, .securing, .closing, .closed: return []
        case .negotiating, .requestingTLS, .authenticating, .dialing, .verifying, .resuming, .enabling, .established:
            break
        }
        if let error = StreamError(element) { return self.errorReceived(error) }
        do throws(ElementError) {
            if let features = StreamFeatures(element), case .negotiating = self.state {
                return self.negotiate(features)
            }
            if let startTLS = StartTLSElement(element), case .requestingTLS = self.state {
                return self.startTLSAnswered(startTLS)
            }
            if case .authenticating = self.state, let sasl = try SASLElement(element) {
                return self.saslAnswered(sasl)
            }
            if let management = try StreamManagementElement(element) { return self.managementReceived(management) }
            if let dialback = try DialbackElement(element) { return self.dialbackReceived(dialback) }
        } catch {
            return self.refuse(StreamError(error.streamError, text: error.description))
        }
        if InboundStreamMachine.isStanza(element) { return self.stanzaReceived(element) }
        return self.refuse(StreamError(.unsupportedStanzaType))
    }

    private mutating func errorReceived(_ error: StreamError) -> [StreamAction] {
        if error.condition == .seeOtherHost {
            return self.give(up: .redirected(to: error.otherHost ?? ""))
        }
        return self.give(up: .receivedError(error))
    }
}

// MARK: - Ending

extension OutboundStreamMachine {
    /// The peer ended its half of the stream: we end ours.
    package mutating func streamClosed() -> [StreamAction] {
        switch self.state {
        case .closing:
            self.state = .closed
            return [.finish]
        case .idle, .opening, .negotiating, .requestingTLS, .securing, .authenticating, .dialing, .verifying,
            .resuming, .enabling, .established:
            return self.give(up: .closedByPeer)
        case .closed: return []
        }
    }

    /// The bytes were no acceptable XML.
    package mutating func parserFailed(_ error: StreamParserError) -> [StreamAction] {
        self.refuse(StreamError(error.streamError, text: error.description))
    }

    /// The connection is gone, or could not be made.
    ///
    /// - Parameter failure: why, as far as the host knows.
    package mutating func connectionClosed(_ failure: LinkFailure = .closedByPeer) -> [StreamAction] {
        let actions = self.give(up: failure)
        // Nothing can be written any more.
        return actions.filter { $0 != .sendStreamEnd && $0 != .finish }
    }

    /// `ServerPolicy.establishmentTimeout` is over.
    ///
    /// Without effect on an established stream.
    package mutating func establishmentTimedOut() -> [StreamAction] {
        self.isEstablished ? [] : self.give(up: .timedOut)
    }

    /// Nothing was sent for `ServerPolicy.inactivityTimeout`.
    package mutating func inactivityTimedOut() -> [StreamAction] { self.close() }

    /// The partner's `keepAlive` interval passed without anything sent.
    package func keepAliveDue() -> [StreamAction] { self.isEstablished ? [.sendWhitespace] : [] }

    /// Ends the stream in an orderly way; the connection is closed when the peer has ended its half, or at
    /// `closeTimedOut`.
    package mutating func close() -> [StreamAction] {
        switch self.state {
        case .opening, .negotiating, .requestingTLS, .authenticating, .dialing, .verifying, .resuming, .enabling,
            .established:
            self.state = .closing
            return [.sendStreamEnd]
        case .idle, .securing:
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

    /// Ends the stream because it cannot serve its purpose.
    mutating func give(up failure: LinkFailure) -> [StreamAction] {
        defer { self.state = .closed }
        switch self.state {
        case .opening, .negotiating, .requestingTLS, .authenticating, .dialing, .verifying, .resuming, .enabling,
            .established:
            return [.sendStreamEnd, .finish] + self.outcome(of: failure)
        case .idle, .securing: return [.finish] + self.outcome(of: failure)
        case .closing, .closed: return []
        }
    }

    /// Ends the stream with an error (RFC 6120 §4.9.1.1).
    mutating func refuse(_ error: StreamError) -> [StreamAction] {
        let actions = self.give(up: .sentError(error))
        return actions.first == .sendStreamEnd ? [.send(error.element)] + actions : actions
    }

    private func outcome(of failure: LinkFailure) -> [StreamAction] {
        switch self.purpose {
        case .stanzas: [.failed(failure)]
        case .verification(let request):
            [.verified(request, .failed(failure.dialbackFailure)), .failed(failure)]
        }
    }
}
