internal import ProviderKit
internal import XMPPSession

/// A trial connection to a partner that tells of each step.
final class Trial {
    /// What a connection goes through, in order.
    enum Stage: String {
        case dns, tcp, tls, certificate, authentication
    }

    /// What was found out.
    struct Step {
        let stage: Stage
        let isGood: Bool
        let text: String
    }

    /// Most steps that are kept: a partner with many servers makes many.
    static let stepsMax = 100

    private let domain: String
    private(set) var steps: [Step] = []
    private(set) var isDone = false
    private let dialer: Dialer

    /// A trial at rest.
    init(_ federation: Federation, _ pair: DomainPair, _ policy: PartnerPolicy) {
        self.domain = pair.target
        self.dialer = Dialer(federation, purpose: .stanzas(pair), policy: policy)
        self.dialer.owner = self
        self.dialer.trace = { [weak self] in self?.note($0, $1, $2) }
    }

    /// Looks the partner up and connects.
    func start() { self.dialer.start() }

    /// Gives up.
    func cancel() { self.dialer.cancel() }

    private func note(_ stage: Stage, _ isGood: Bool, _ text: String) {
        if self.steps.count < Self.stepsMax { self.steps.append(Step(stage: stage, isGood: isGood, text: text)) }
    }

    /// One line of JSON for each step so far, and one that says how it ended when it has.
    var report: String {
        var lines = self.steps.map { step in
            JSONText.object([
                ("step", .text(step.stage.rawValue)), ("good", .truth(step.isGood)), ("text", .text(step.text)),
            ])
        }
        if self.isDone {
            let isGood = self.steps.last.map { $0.isGood && $0.stage == .authentication } ?? false
            lines.append(.object([("done", .truth(true)), ("good", .truth(isGood)), ("partner", .text(self.domain))]))
        }
        return lines.map(\.line).joined(separator: "\n")
    }
}

extension Trial: DialerOwner {
    func dialed(_ dialer: Dialer, _ session: OutboundSession, _ authentication: Authentication) {
        self.note(
            .authentication,
            true,
            "\(session.server) lets us in by \(authentication.name); the trial ends here, and nothing was sent"
        )
        self.isDone = true
        session.owner = nil
        session.close()
    }

    func verified(_ dialer: Dialer, _ verdict: DialbackVerdict) {}

    func failed(_ dialer: Dialer, _ reason: EndReason) { self.isDone = true }
}

extension Federation {
    /// Begins a trial connection to a partner, in place of an earlier one to it.
    func startTrial(_ domain: String) throws(ProviderError) -> String {
        let policy = try self.policy(named: domain)
        let target = policy.domain
        let pair = DomainPair(sender: self.settings.server.mainDomain, target: target)
        // Else the partner might send what waits for us on a stream that ends at once.
        var oneWay = policy
        oneWay.bidirectional = false
        self.trials[policy.domain]?.cancel()
        let trial = Trial(self, pair, oneWay)
        self.trials[policy.domain] = trial
        trial.start()
        return "a trial connection to \(target) has begun"
    }

    /// How far the trial connection to a partner has come.
    func trialReport(_ domain: String) throws(ProviderError) -> String {
        let policy = try self.policy(named: domain)
        guard let trial = self.trials[policy.domain] else {
            throw ProviderError("there is no trial connection to \(domain)")
        }
        return trial.report
    }
}
