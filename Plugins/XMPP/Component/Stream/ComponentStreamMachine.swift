package import XMPPWire

/// The component's half of its stream with the organisation's XMPP server (XEP-0114 §3).
///
/// We connect, both sides open the stream, we prove that we know the secret, and the server lets us in. There are no features,
/// no version and no SASL.
package struct ComponentStreamMachine: Sendable {
    /// What is to be done.
    package enum Action: Hashable, Sendable {
        case sendHeader(StreamHeader)
        case send(Element)
        case sendStreamEnd
        /// Close when all is written; nothing more is read.
        case finish
        case setParserLimits(StreamParserLimits)
        /// Stanzas may be sent from now on.
        case established
        /// A stanza of the server's.
        case deliver(Element)
        /// The stream is of no use any more, and why; at most once.
        case failed(ComponentFailure)
    }

    private enum State: Sendable {
        case idle
        /// Our header is sent.
        case opening
        /// Our proof is sent.
        case proving
        case established
        /// Our end is sent.
        case closing
        case ended
    }

    /// The component's domain.
    package let domain: String
    private let secret: String
    private let limits: StreamParserLimits
    private var state = State.idle

    /// A machine for one connection.
    ///
    /// - Parameters:
    ///   - secret: shared with the server.
    ///   - limits: what the server may send once it has let us in.
    package init(domain: String, secret: String, limits: StreamParserLimits) {
        self.domain = domain
        self.secret = secret
        self.limits = limits
    }

    /// Whether stanzas may be sent.
    package var isEstablished: Bool { if case .established = self.state { true } else { false } }

    /// The connection stands.
    package mutating func connected() -> [Action] {
        guard case .idle = self.state else { return [] }
        self.state = .opening
        return [
            .sendHeader(
                StreamHeader(
                    to: self.domain,
                    version: nil,
                    defaultNamespace: Namespace.component,
                    prefixes: ["stream": Namespace.streams]
                )
            )
        ]
    }

    /// The server's header came.
    ///
    /// - Parameter sha1: the digest of a text's bytes, in small hexadecimal digits.
    package mutating func streamOpened(_ header: StreamHeader, sha1: (String) -> String) -> [Action] {
        guard case .opening = self.state else { return [] }
        guard header.defaultNamespace == Namespace.component else {
            let error = StreamError(.invalidNamespace)
            return self.refuse(error, .notForComponents(namespace: header.defaultNamespace))
        }
        guard let id = header.id, !id.isEmpty else { return self.refuse(StreamError(.badFormat), .noStreamID) }
        self.state = .proving
        return [.send(Element("handshake", namespace: Namespace.component, text: sha1(id + self.secret)))]
    }

    /// An element came.
    package mutating func elementReceived(_ element: Element) -> [Action] {
        if let error = StreamError(element) { return self.failed(with: error) }
        switch self.state {
        case .proving where element.isNamed("handshake", namespace: Namespace.component):
            self.state = .established
            return [.setParserLimits(self.limits), .established]
        case .established where Stanza.isStanza(element, namespace: Namespace.component):
            return [.deliver(element)]
        case .opening, .proving, .established:
            return self.refuse(StreamError(.unsupportedStanzaType), .unexpectedElement(element.name))
        case .idle, .closing, .ended: return []
        }
    }

    /// The server ended its half of the stream.
    package mutating func streamClosed() -> [Action] {
        switch self.state {
        case .closing:
            self.state = .ended
            return [.finish]
        case .ended: return []
        case .idle, .opening, .proving, .established:
            self.state = .ended
            return [.sendStreamEnd, .finish, .failed(.closedByServer)]
        }
    }

    /// What came is no proper XML stream.
    package mutating func parserFailed(_ error: StreamParserError) -> [Action] {
        self.refuse(StreamError(error.streamError), .unreadable(error))
    }

    /// The stream took too long to be established.
    package mutating func establishmentTimedOut() -> [Action] {
        guard !self.isEstablished else { return [] }
        return self.refuse(StreamError(.connectionTimeout), .establishmentTimedOut)
    }

    /// We want no more of it.
    package mutating func close() -> [Action] {
        switch self.state {
        case .idle:
            self.state = .ended
            return [.finish]
        case .opening, .proving, .established:
            self.state = .closing
            return [.sendStreamEnd]
        case .closing, .ended: return []
        }
    }

    /// The connection is gone.
    package mutating func connectionClosed() { self.state = .ended }

    private mutating func failed(with error: StreamError) -> [Action] {
        guard self.isInUse else { return [] }
        self.state = .ended
        return [.sendStreamEnd, .finish, .failed(ComponentFailure(error, domain: self.domain))]
    }

    private mutating func refuse(_ error: StreamError, _ failure: ComponentFailure) -> [Action] {
        guard self.isInUse else { return [] }
        self.state = .ended
        return [.send(error.element), .sendStreamEnd, .finish, .failed(failure)]
    }

    private var isInUse: Bool {
        switch self.state {
        case .opening, .proving, .established: true
        case .idle, .closing, .ended: false
        }
    }
}
