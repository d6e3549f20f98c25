internal import XMPPSession
internal import XMPPWire

extension LinkFailure {
    /// The failure in the words of the protocol, for who looks it up.
    var code: String {
        switch self {
        case .serverNotFound: "server-not-found"
        case .unreachable(let reason), .tlsFailed(let reason): reason
        case .tlsNotOffered: "starttls not offered"
        case .tlsDemanded: "starttls required"
        case .tlsRefused: "starttls failure"
        case .directTLSRequired: "no direct TLS"
        case .certificateRejected(let objection, _): "certificate \(objection)"
        case .noCommonAuthentication: "no common mechanism"
        case .saslRefused(let failure): "SASL \(failure.rawValue)"
        case .streamIDMissing: "no stream id"
        case .dialbackInvalid: "db:result invalid"
        case .dialbackRefused(let condition): "db:result error \(condition.rawValue)"
        case .receivedError(let error): "stream:error \(error.condition.rawValue)"
        case .redirected(let host): "see-other-host \(host)"
        case .sentError(let error): "sent stream:error \(error.condition.rawValue)"
        case .closedByPeer: "closed by the peer"
        case .timedOut: "establishment timed out"
        }
    }

    /// Where the connection came to grief.
    var stage: Trial.Stage {
        switch self {
        case .serverNotFound: .dns
        case .unreachable: .tcp
        case .tlsFailed, .tlsNotOffered, .tlsDemanded, .tlsRefused, .directTLSRequired: .tls
        case .certificateRejected: .certificate
        case .noCommonAuthentication, .saslRefused, .streamIDMissing, .dialbackInvalid, .dialbackRefused,
            .receivedError, .redirected, .sentError, .closedByPeer, .timedOut:
            .authentication
        }
    }
}
