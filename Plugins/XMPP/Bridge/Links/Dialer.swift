internal import ProviderKit
internal import XMPPSession

/// What hears of a dialer.
protocol DialerOwner: AnyObject {
    /// A stream is established; it is the owner's from now on.
    func dialed(_ dialer: Dialer, _ session: OutboundSession, _ authentication: Authentication)
    /// A key was judged by the partner's server.
    func verified(_ dialer: Dialer, _ verdict: DialbackVerdict)
    /// No server of the partner served; why the last one did not.
    func failed(_ dialer: Dialer, _ reason: EndReason)
}

/// Looks a partner's servers up and opens streams to them, one after another, until one serves.
///
/// Owned by whoever wants the stream; it calls its owner once, later.
final class Dialer {
    weak var owner: (any DialerOwner)?
    /// Hears of each step, whether it went well, and in plain words what happened.
    var trace: ((Trial.Stage, Bool, String) -> Void)?
    /// The server that was tried last.
    private(set) var target: ServerTarget?
    private unowned let federation: Federation
    private let purpose: OutboundStreamMachine.Purpose
    private let policy: PartnerPolicy
    private let earlier: HandledStanzas?
    /// As DNS writes it.
    private let host: String
    private let name: String
    private var answers: (directTLS: [DNSRecord]?, startTLS: [DNSRecord]?) = (nil, nil)
    private var questionsOpen = 0
    private var targets: ArraySlice<ServerTarget> = []
    private var session: OutboundSession?
    private var isDone = false

    /// A dialer at rest; ``start()`` begins.
    ///
    /// - Parameter earlier: the counts of the stream to go on with; nil: begin anew.
    init(
        _ federation: Federation,
        purpose: OutboundStreamMachine.Purpose,
        policy: PartnerPolicy,
        earlier: HandledStanzas? = nil
    ) {
        self.earlier = earlier
        self.federation = federation
        self.purpose = purpose
        self.policy = policy
        self.name =
            switch purpose {
            case .stanzas(let pair): pair.target
            case .verification(let request): request.pair.sender
            }
        self.host = federation.settings.spelling(self.name)
    }

    /// Looks the servers up, then connects.
    func start() {
        if let targets = ServerTargets.withoutDNS(self.policy) {
            self.trace?(.dns, true, "DNS is not asked: the partner's proxy is \(targets[0])")
            return self.dial(targets)
        }
        let services = ServerTargets.services(self.policy)
        self.questionsOpen = (services.directTLS ? 1 : 0) + (services.startTLS ? 1 : 0)
        if services.directTLS {
            self.ask(ServerTargets.directTLSService) { $0.answers.directTLS = $1 }
        }
        if services.startTLS {
            self.ask(ServerTargets.startTLSService) { $0.answers.startTLS = $1 }
        }
    }

    /// Gives up without a word to the owner.
    func cancel() {
        self.isDone = true
        self.session?.owner = nil
        self.session?.close()
        self.session = nil
    }

    private func ask(_ service: String, keep: @escaping (Dialer, [DNSRecord]?) -> Void) {
        do throws(HostError) {
            try self.federation.host.resolve(.srv, service + self.host) { [weak self] result in
                guard let self else { return }
                keep(self, try? result.get())
                self.answered()
            }
        } catch {
            // As good as no answer: the fallback is tried (RFC 6120 §3.2.2).
            self.federation.host.log(
                .debug,
                "a name was not asked for",
                [.partner: self.name, "name": service + self.host, .reason: "\(error)"]
            )
            self.answered()
        }
    }

    private func answered() {
        self.questionsOpen -= 1
        guard self.questionsOpen == 0, !self.isDone else { return }
        let targets = ServerTargets.merged(
            directTLS: self.answers.directTLS,
            startTLS: self.answers.startTLS,
            host: self.host,
            policy: self.policy
        )
        guard !targets.isEmpty else {
            let reason = EndReason.notOffered(self.name)
            self.trace?(.dns, false, reason.text)
            return self.fail(reason)
        }
        let hasRecords = !(self.answers.directTLS ?? []).isEmpty || !(self.answers.startTLS ?? []).isEmpty
        let names = targets.map { "\($0)" }.joined(separator: ", ")
        self.trace?(
            .dns,
            true,
            hasRecords
                ? "DNS names \(names)" : "DNS has no SRV records of \(self.host): \(names) is tried (RFC 6120 §3.2.2)"
        )
        self.dial(targets)
    }

    private func dial(_ targets: [ServerTarget]) {
        self.targets = targets[...]
        self.next(after: nil)
    }

    private func next(after reason: EndReason?) {
        var last = reason
        while !self.isDone, let target = self.targets.popFirst() {
            let session = OutboundSession(
                self.federation,
                purpose: self.purpose,
                policy: self.policy,
                target: target,
                earlier: self.earlier
            )
            session.owner = self
            session.trace = self.trace
            self.target = target
            do throws(HostError) {
                try session.connect()
                self.session = session
                self.federation.host.log(.debug, "connecting", [.partner: self.name, .peer: "\(target)"])
                return
            } catch {
                last = EndReason(error)
                self.trace?(.tcp, false, EndReason(error).text)
            }
        }
        if let last { self.fail(last) }
    }

    private func fail(_ reason: EndReason) {
        guard !self.isDone else { return }
        self.isDone = true
        self.session = nil
        self.owner?.failed(self, reason)
    }
}

extension Dialer: OutboundSessionOwner {
    func established(_ session: OutboundSession, _ authentication: Authentication) {
        self.isDone = true
        self.session = nil
        self.owner?.dialed(self, session, authentication)
    }

    func writable(_ carrier: any StanzaCarrier) {}

    func acknowledged(_ carrier: any StanzaCarrier, _ count: UInt32) {}

    func verified(_ session: OutboundSession, _ verdict: DialbackVerdict) {
        switch verdict {
        case .valid, .invalid:
            self.isDone = true
            self.session = nil
            self.owner?.verified(self, verdict)
        case .failed: break  // The stream ends with a reason, and the next server is asked.
        }
    }

    func ended(_ carrier: any StanzaCarrier, _ reason: EndReason?) {
        guard let session = self.session, session === carrier, let reason else { return }
        self.session = nil
        self.trace?(reason.stage, false, "\(session.server): \(reason.text)")
        if !self.targets.isEmpty {
            self.federation.host.log(
                .info,
                "a server does not serve the partner, and the next is tried",
                [.partner: self.name, .peer: "\(session.server)", .reason: reason.text]
            )
        }
        self.next(after: reason)
    }
}
