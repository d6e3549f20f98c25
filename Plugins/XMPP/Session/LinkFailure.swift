package import XMPPWire

/// Why a stream could not be established, or ended before its time.
package enum LinkFailure: Error, Hashable, Sendable {
    /// DNS knows no server of the domain, or says that it offers no federation.
    case serverNotFound(domain: String)
    /// No connection could be made; the host's words.
    case unreachable(String)
    /// The TLS handshake failed; the host's words.
    case tlsFailed(String)
    /// The partner must use TLS, but its server does not offer it.
    case tlsNotOffered
    /// The partner's server insists on TLS, which our policy for it forbids.
    case tlsDemanded
    /// The partner's server offered TLS and then refused it (RFC 6120 §5.4.2.2).
    case tlsRefused
    /// Only TLS from the first byte is allowed, but the connection began without.
    case directTLSRequired
    /// The certificate of the partner's server does not prove that it is this domain.
    case certificateRejected(CertificateObjection, domain: String)
    /// The partner's server offers nothing that our policy allows.
    case noCommonAuthentication
    /// SASL EXTERNAL was offered, then refused, and dialback is not allowed.
    case saslRefused(SASLElement.Failure)
    /// The partner's server gave its stream no id, without which there is no dialback key.
    case streamIDMissing
    /// The partner's server believes our dialback key to be forged.
    case dialbackInvalid
    /// The partner's server could not or would not verify our dialback key.
    case dialbackRefused(StanzaError.Condition)
    /// The peer ended the stream with an error.
    case receivedError(StreamError)
    /// The peer wants us to connect elsewhere, which only DNS and the operator may decide.
    case redirected(to: String)
    /// We ended the stream with an error, because of what the peer did or did not do.
    case sentError(StreamError)
    /// The peer ended the stream, or the connection broke.
    case closedByPeer
    /// The stream was not established in time.
    case timedOut
}

extension LinkFailure {
    /// How soon it makes sense to try again.
    package enum Retry: Hashable, Sendable {
        /// The cause may pass by itself: within seconds, then less and less often.
        case soon
        /// Somebody has to change something: after an hour, or when the configuration was reloaded.
        case slowly
    }

    package var retry: Retry {
        switch self {
        case .tlsFailed, .tlsNotOffered, .tlsDemanded, .directTLSRequired, .certificateRejected,
            .noCommonAuthentication, .saslRefused, .streamIDMissing, .dialbackInvalid, .redirected, .sentError:
            .slowly
        case .serverNotFound, .unreachable, .tlsRefused, .closedByPeer, .timedOut: .soon
        case .dialbackRefused(let condition): condition.defaultKind == .wait ? .soon : .slowly
        case .receivedError(let error): error.condition.retry
        }
    }

    /// What the senders of waiting stanzas are told (RFC 6120 §8.3.3, XEP-0220 §2.1.1).
    package var stanzaError: StanzaError.Condition {
        switch self {
        case .serverNotFound, .tlsFailed, .tlsNotOffered, .tlsDemanded, .tlsRefused, .directTLSRequired,
            .certificateRejected, .noCommonAuthentication, .saslRefused, .streamIDMissing, .redirected, .sentError:
            .remoteServerNotFound
        case .dialbackInvalid: .internalServerError
        case .unreachable, .dialbackRefused, .closedByPeer, .timedOut: .remoteServerTimeout
        case .receivedError(let error):
            error.condition.retry == .soon ? .remoteServerTimeout : .remoteServerNotFound
        }
    }

    /// What a failed connection to the sender domain's server means for a dialback key (XEP-0220 §2.5).
    var dialbackFailure: DialbackFailure {
        switch self {
        case .receivedError(let error) where error.condition == .hostUnknown || error.condition == .hostGone:
            .serverNotFound
        case .serverNotFound: .serverNotFound
        case .unreachable, .tlsFailed, .tlsNotOffered, .tlsDemanded, .tlsRefused, .directTLSRequired,
            .certificateRejected,
            .noCommonAuthentication, .saslRefused, .streamIDMissing, .dialbackInvalid, .dialbackRefused,
            .receivedError, .redirected, .sentError, .closedByPeer, .timedOut:
            .serverUnreachable
        }
    }
}

extension StreamError.Condition {
    /// Whether the stream that ended so may live when it is opened once more.
    fileprivate var retry: LinkFailure.Retry {
        switch self {
        case .conflict, .connectionTimeout, .internalServerError, .remoteConnectionFailed, .reset,
            .resourceConstraint, .systemShutdown, .undefinedCondition:
            .soon
        case .badFormat, .badNamespacePrefix, .hostGone, .hostUnknown, .improperAddressing, .invalidFrom,
            .invalidNamespace, .invalidXML, .notAuthorized, .notWellFormed, .policyViolation, .restrictedXML,
            .seeOtherHost, .unsupportedEncoding, .unsupportedFeature, .unsupportedStanzaType, .unsupportedVersion:
            .slowly
        }
    }
}

extension LinkFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .serverNotFound(let domain):
            "There is no server for \(domain): check the spelling, its DNS records, or name a proxy."
        case .unreachable(let reason):
            "The partner's server cannot be connected to: \(reason)"
        case .tlsFailed(let reason):
            "The TLS handshake failed: \(reason)"
        case .tlsNotOffered:
            "The partner's server offers no TLS, which its policy requires: have it switched on there, or set "
                + "tls: optional."
        case .tlsDemanded:
            "The partner's server insists on TLS, which its policy forbids: set tls: optional."
        case .tlsRefused:
            "The partner's server offered TLS and then refused it: its TLS settings are probably broken."
        case .directTLSRequired:
            "The connection began without TLS, although direct_tls is required: give a proxy or an SRV record with TLS."
        case .certificateRejected(.missing, let domain):
            "The server of \(domain) presented no certificate: have one installed there."
        case .certificateRejected(.untrusted, let domain):
            "The certificate of the server of \(domain) is not trusted: it needs one in date from a trusted authority."
        case .certificateRejected(.wrongName, let domain):
            "The certificate of the server of \(domain) is for other domains: it needs one that names \(domain)."
        case .noCommonAuthentication:
            "The partner's server offers no authentication that its policy allows: compare sasl and dialback with it."
        case .saslRefused(let failure):
            "The partner's server refused our certificate (\(failure.rawValue)): it must be trusted there and name our "
                + "domain."
        case .streamIDMissing:
            "The partner's server gave its stream no id, so that dialback is impossible: it needs a certificate."
        case .dialbackInvalid:
            "The partner's server believes our dialback key to be forged: all our servers need the same secret, and DNS "
                + "must point to them."
        case .dialbackRefused(let condition):
            "The partner's server did not verify our dialback key (\(condition.rawValue)): it must be able to connect "
                + "to us and accept us as partner."
        case .receivedError(let error):
            "The peer ended the stream: \(error.condition.rawValue)" + (error.text.map { ", “\($0)”." } ?? ".")
        case .redirected(let host):
            "The peer asks us to connect to “\(host)” instead: if that is right, name it as the partner's proxy."
        case .sentError(let error):
            "The stream was ended because of the peer: \(error.condition.rawValue)"
                + (error.text.map { ", “\($0)”." } ?? ".")
        case .closedByPeer:
            "The peer closed the stream."
        case .timedOut:
            "The stream was not established in time."
        }
    }
}
