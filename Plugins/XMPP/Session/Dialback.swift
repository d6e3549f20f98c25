internal import XMPPWire

/// A sender domain and a target domain, between which one stream carries stanzas in one direction (XEP-0220 §1.3).
package struct DomainPair: Hashable, Sendable {
    /// Domain of the `from` addresses.
    package let sender: String
    /// Domain of the `to` addresses.
    package let target: String

    /// Makes a pair of domains, each normalised as the domain part of a JID.
    package init(sender: String, target: String) {
        self.sender = sender
        self.target = target
    }
}

/// A key that an initiating server showed, to be verified with the authoritative server (XEP-0220 §2.1.2, step 2).
package struct DialbackRequest: Hashable, Sendable {
    /// The sender domain, whose server is asked, and the target domain, which is ours.
    package let pair: DomainPair
    /// The id of the inbound stream that the key came on.
    package let streamID: String
    /// The key, at most `DialbackKey.bytesMax` bytes.
    package let key: String

    package init(pair: DomainPair, streamID: String, key: String) {
        self.pair = pair
        self.streamID = streamID
        self.key = key
    }
}

/// What came of the verification of a dialback key (XEP-0220 §2.1.2, step 3).
package enum DialbackVerdict: Hashable, Sendable {
    /// The sender domain's server made the key.
    case valid
    /// It did not: somebody else claims to be the sender domain.
    case invalid
    /// It could not be asked.
    case failed(DialbackFailure)
}

/// Why a dialback key could not be verified.
package enum DialbackFailure: Hashable, Sendable {
    /// The sender domain has no server, or that server does not know the domain.
    case serverNotFound
    /// Its server refused the connection, did not answer in time, or closed the stream.
    case serverUnreachable
}

extension DialbackFailure {
    /// The condition that the initiating server is told (XEP-0220 §2.5).
    var condition: StanzaError.Condition {
        switch self {
        case .serverNotFound: .remoteServerNotFound
        case .serverUnreachable: .remoteServerTimeout
        }
    }
}

extension DialbackObjection {
    /// The condition of the dialback error that refuses a request (XEP-0220 §2.5).
    var condition: StanzaError.Condition {
        switch self {
        case .certificateRequired: .notAuthorized
        case .switchedOff, .encryptionRequired: .policyViolation
        }
    }
}
