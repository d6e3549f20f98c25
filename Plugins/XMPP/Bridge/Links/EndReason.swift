internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

/// Why there is no stream to a partner: for the log, the operator, and the senders of what waits.
struct EndReason: Hashable, Sendable {
    /// A sentence.
    let text: String
    /// The same in the words of the protocol or of the system.
    let raw: String
    /// Where a connection came to grief.
    let stage: Trial.Stage
    /// How soon another attempt makes sense.
    let retry: LinkFailure.Retry
    /// What the senders are told (RFC 6120 §8.3.3).
    let condition: StanzaError.Condition
    /// The peer closed the stream in an orderly way.
    let isOrderly: Bool
    /// The connection broke, and nobody ended the stream (XEP-0198 §5).
    let isResumable: Bool

    private init(
        text: String,
        retry: LinkFailure.Retry,
        condition: StanzaError.Condition,
        isOrderly: Bool = false,
        isResumable: Bool = false,
        raw: String? = nil,
        stage: Trial.Stage = .tcp
    ) {
        self.raw = raw ?? condition.rawValue
        self.stage = stage
        self.isResumable = isResumable
        self.text = text
        self.retry = retry
        self.condition = condition
        self.isOrderly = isOrderly
    }

    /// The reason that a machine gives.
    init(_ failure: LinkFailure) {
        self.init(
            text: failure.description,
            retry: failure.retry,
            condition: failure.stanzaError,
            isOrderly: failure == .closedByPeer,
            raw: failure.code,
            stage: failure.stage
        )
    }

    /// The reason that the host gives for the end of a connection.
    init(_ reason: CloseReason) {
        let (retry, condition): (LinkFailure.Retry, StanzaError.Condition) =
            switch reason.cause {
            case .byPeer, .byUs, .connectFailed, .timeout, .tls, .protocolViolation, .error:
                (.soon, .remoteServerTimeout)
            case .nameFailed: (.soon, .remoteServerNotFound)
            }
        let (sentence, stage): (String, Trial.Stage) =
            switch reason.cause {
            case .nameFailed: ("The name of the server was not found: check the domain's DNS records", .dns)
            case .connectFailed:
                ("The server does not take connections: is it running, is a firewall in between?", .tcp)
            case .timeout: ("The server did not answer in time: is it running, is a firewall in between?", .tcp)
            case .tls: ("TLS could not be agreed on: compare versions and certificates", .tls)
            case .byPeer: ("The partner's server closed the connection", .authentication)
            case .byUs: ("The connection was closed here", .authentication)
            case .protocolViolation: ("The partner's server broke the rules of the connection", .tls)
            case .error: ("The connection broke", .tcp)
            }
        self.init(
            text: "\(sentence) (\(reason.detail))",
            retry: retry,
            condition: condition,
            isResumable: true,
            raw: reason.detail,
            stage: stage
        )
    }

    /// A server could not tell whether a dialback key is right.
    init(_ failure: DialbackFailure) {
        let condition: StanzaError.Condition =
            switch failure {
            case .serverNotFound: .remoteServerNotFound
            case .serverUnreachable: .remoteServerTimeout
            }
        self.init(text: "The server could not verify the dialback key.", retry: .soon, condition: condition)
    }

    /// The host refused to connect.
    init(_ error: HostError) {
        self.init(
            text: "The connection could not be begun: \(error).",
            retry: .soon,
            condition: .remoteServerTimeout
        )
    }

    /// DNS says that the domain does not take part in XMPP federation (RFC 6120 §3.2.1).
    static func notOffered(_ domain: String) -> EndReason {
        EndReason(
            text:
                "DNS says that \(domain) offers no XMPP federation of the kind that is allowed: its SRV target is “.”.",
            retry: .slowly,
            condition: .remoteServerNotFound,
            raw: "SRV .",
            stage: .dns
        )
    }

    /// The peer took nothing for too long.
    static func stalled(afterMs milliseconds: UInt64) -> EndReason {
        EndReason(
            text: "The peer took nothing for \(milliseconds / 1000) s.",
            retry: .soon,
            condition: .remoteServerTimeout,
            isResumable: true
        )
    }

    /// The peer did not answer in time whether it is there.
    static func silent(forMs milliseconds: UInt64) -> EndReason {
        EndReason(
            text: "The peer did not answer within \(milliseconds / 1000) s: the link counts as lost.",
            retry: .soon,
            condition: .remoteServerTimeout,
            isResumable: true
        )
    }

    /// The partner goes on with its stream over another connection.
    static let superseded = EndReason(
        text: "The partner goes on with the stream over another connection.",
        retry: .soon,
        condition: .remoteServerTimeout,
        isOrderly: true,
        isResumable: true
    )

    /// The connection broke, the stream could not be resumed, and what was not acknowledged may have arrived or not.
    static let unacknowledged = EndReason(
        text: "The link broke before the partner acknowledged it.",
        retry: .soon,
        condition: .remoteServerTimeout
    )

    /// What becomes of an envelope that waited.
    ///
    /// - Parameter isUncertain: it may have arrived.
    func outcome(retryAfter: UInt32, isUncertain: Bool = false) -> Outcome {
        let failureClass = StanzaError(self.condition).failureClass
        var reason = Outcome.Reason(failureClass, self.text, code: self.condition.rawValue, retryAfter: retryAfter)
        reason.isUncertain = isUncertain
        return .deferred(reason)
    }

    /// What it means for a dialback key that was to be verified (XEP-0220 §2.5).
    var dialbackFailure: DialbackFailure {
        self.condition == .remoteServerNotFound ? .serverNotFound : .serverUnreachable
    }
}
