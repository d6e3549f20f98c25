internal import HostServices
internal import NIOCore
internal import NativeCalls
internal import PluginHost
internal import ProviderKit
internal import Synchronization

/// An ordinary library as a provider: its people are `NAME@domain`, its accounts belong to home users.
///
/// The library's functions run on a thread of their own; what they answer comes back to the instance's loop.
final class ConnectorProvider: Provider {
    /// What a connector is made of.
    struct Parts: Sendable {
        var connector: ForeignConnector
        var accounts: [Account]
        /// Where sessions are noted, to be waited for at the end.
        var group: ConnectorGroup
    }

    struct Account: Sendable {
        /// The home user it belongs to; nil: all of them.
        var user: Address?
        var foreign: ForeignAccount
    }

    /// The description of all connectors; only their ids differ.
    static let descriptor = Descriptor(
        id: "org.plugboard.connector",
        name: "Foreign connector",
        version: "1.0.0",
        vendor: "Plugboard",
        capabilities: [Capability("messages")],
        settings: []
    )

    /// First wait before an account is logged in again, in ms; it doubles up to the last.
    private static let firstRetryMs: UInt64 = 5_000
    private static let lastRetryMs: UInt64 = 300_000
    /// Messages that are handed to the router in a row.
    private static let arrivalsMax = 32

    /// One account's state.
    private struct AccountState {
        var link = LinkReport.State.connecting
        var detail = ""
        var since: Int64 = 0
        var sent: UInt64 = 0
        var received: UInt64 = 0
        var retryMs = ConnectorProvider.firstRetryMs
        /// Whether it has been logged in, or refused, once; messages wait for that.
        var isTried = false
    }

    private let host: Host
    private let parts: Parts
    /// Where a bare name in a callback is at home.
    private var homeDomain: String?
    private var session: ForeignSession?
    private var states: [AccountState]
    /// Those that the library's thread has, with their accounts.
    private var pending: [UInt64: (delivery: Delivery, account: Int)] = [:]
    private var lastJob: UInt64 = 0
    /// Something was not taken; ``Host/ready()`` asks for it.
    private var isRefused = false
    /// The router had no room.
    private var isBusy = false
    private let back: WayBack

    /// - Parameter loop: the instance's, to which the library's threads come back.
    init(host: Host, instance: InstanceInfo, parts: Parts, loop: any EventLoop) {
        self.host = host
        self.parts = parts
        homeDomain = instance.homeDomains.first
        states = parts.accounts.map { _ in AccountState(since: host.wallClock) }
        back = WayBack()
        back.provider = self
        let accounts = parts.accounts.map(\.foreign)
        let session = ForeignSession(parts.connector, accounts: accounts, name: instance.id) { [back] event in
            guard back.isOpen.load(ordering: .acquiring) else { return }
            loop.execute { back.provider?.handle(event) }
        }
        self.session = session
        parts.group.add(session)
    }

    /// Not used: the router makes it, with its parts.
    init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        throw ProviderError("a connector is made by the router")
    }

    func start() throws(ProviderError) {
        do {
            try host.claim(domain: parts.connector.manifest.domain)
        } catch {
            throw ProviderError("\(parts.connector.manifest.domain) cannot be claimed: \(error)")
        }
        session?.start()
    }

    // MARK: To the library

    func deliver(_ delivery: Delivery) -> Bool {
        let envelope = delivery.envelope
        guard case .message(let message) = envelope.content else {
            delivery.complete(Self.outcomeOfNoMessage(envelope.content))
            return true
        }
        guard
            let account = parts.accounts.firstIndex(where: { $0.user == envelope.from })
                ?? parts.accounts.firstIndex(where: { $0.user == nil })
        else {
            delivery.complete(.failed(Outcome.Reason(.policy, "\(envelope.from) has no account on this network")))
            return true
        }
        guard states[account].isTried else {
            isRefused = true
            return false
        }
        guard states[account].link == .up else {
            delivery.complete(
                .deferred(
                    Outcome.Reason(.unavailable, "the account is not logged in: \(states[account].detail)")
                )
            )
            return true
        }
        let letter = ForeignLetter(
            from: envelope.from.user,
            fromAddress: envelope.from.description,
            to: envelope.to.user,
            toAddress: envelope.to.description,
            text: message.text,
            id: envelope.id
        )
        guard session?.deliver(letter, by: account, job: lastJob + 1) == true else {
            isRefused = true
            return false
        }
        lastJob += 1
        pending[lastJob] = (delivery, account)
        return true
    }

    /// What is of the moment is let go; what its author counts on fails.
    private static func outcomeOfNoMessage(_ content: Envelope.Content) -> Outcome {
        switch content {
        case .receipt, .typing, .presence, .failure: .delivered
        case .message, .subscription, .contact, .call:
            .failed(Outcome.Reason(.content, "this network carries messages only"))
        }
    }

    private func handle(_ event: ForeignEvent) {
        switch event {
        case .opened(let account):
            states[account].retryMs = Self.firstRetryMs
            setLink(account, .up, "logged in")
            tried(account)
        case .notOpened(let account, let reason):
            notOpened(account, reason)
            tried(account)
        case .settled(let job, let result):
            settled(job, result)
        case .arrived:
            takeArrivals()
        case .ended:
            break
        }
    }

    private func tried(_ account: Int) {
        states[account].isTried = true
        askForRest()
    }

    private func askForRest() {
        guard isRefused else { return }
        isRefused = false
        host.ready()
    }

    private func setLink(_ account: Int, _ link: LinkReport.State, _ detail: String) {
        states[account].link = link
        states[account].detail = detail
        states[account].since = host.wallClock
    }

    private func notOpened(_ account: Int, _ reason: String) {
        setLink(account, .backingOff, reason)
        let delay = states[account].retryMs
        host.log(
            .warning,
            "an account could not be logged in",
            ["account": name(of: account), .reason: reason, .retryInMs: "\(delay)"]
        )
        states[account].retryMs = min(delay * 2, Self.lastRetryMs)
        // Without a timer, only a restart tries again; the log has said why.
        _ = try? host.startTimer(after: delay) { [weak self] in
            guard let self else { return }
            setLink(account, .connecting, reason)
            session?.open(account)
        }
    }

    private func settled(_ job: UInt64, _ result: ForeignResult) {
        guard let (delivery, account) = pending.removeValue(forKey: job) else { return }
        switch result {
        case .delivered:
            states[account].sent += 1
            delivery.complete(.delivered)
        case .retry(let reason, let code):
            delivery.complete(.deferred(Outcome.Reason(.transient, reason, code: code)))
        case .failed(let reason, let code):
            delivery.complete(.failed(Outcome.Reason(.recipient, reason, code: code)))
        }
        askForRest()
    }

    // MARK: From the library

    /// Hands on what has come, as far as the router has room.
    private func takeArrivals() {
        guard let session, !isBusy else { return }
        while true {
            let arrivals = session.arrivals(Self.arrivalsMax)
            guard !arrivals.isEmpty else { break }
            var taken = 0
            for arrival in arrivals {
                guard handOn(arrival) else {
                    isBusy = true
                    break
                }
                taken += 1
            }
            session.removeArrivals(taken)
            guard !isBusy else { return }
        }
        let unusable = session.takeUnusable()
        if unusable > 0 {
            host.log(
                .warning,
                "callbacks were dropped",
                [.reason: "they are without sender or text, or too long", .count: "\(unusable)"]
            )
        }
    }

    /// False if the router has no room now.
    private func handOn(_ arrival: ForeignArrival) -> Bool {
        let manifest = parts.connector.manifest
        guard let from = Address(user: arrival.from, domain: manifest.domain), !from.user.isEmpty else {
            drop(arrival, "the name of its sender cannot be one in an address")
            return true
        }
        guard let to = recipient(of: arrival) else {
            drop(arrival, "it is for nobody at home")
            return true
        }
        var envelope = Envelope(from: from, to: to, content: .message(Message(text: arrival.text)))
        envelope.id = arrival.id.isEmpty ? newID() : arrival.id
        do {
            guard try host.submit(envelope) == .taken else { return false }
            states[arrival.account].received += 1
        } catch {
            drop(arrival, "\(error)")
        }
        return true
    }

    private func drop(_ arrival: ForeignArrival, _ reason: String) {
        host.log(
            .warning,
            "a message from the library was dropped",
            [
                .reason: reason, .partner: parts.connector.manifest.domain, .from: arrival.from,
                .to: arrival.to ?? name(of: arrival.account),
                .messageID: arrival.id,
            ]
        )
    }

    private func recipient(of arrival: ForeignArrival) -> Address? {
        if let user = parts.accounts[arrival.account].user { return user }
        guard let to = arrival.to?.lowercased() else { return nil }
        if to.contains("@") { return Address(to) }
        return homeDomain.flatMap { Address(user: to, domain: $0) }
    }

    private func newID() -> String { Digests.hexadecimal(host.randomBytes(12)) }

    func room() {
        isBusy = false
        takeArrivals()
    }

    func homeDomainsChanged(to domains: [String]) -> Bool {
        homeDomain = domains.first
        return true
    }

    // MARK: The end

    func stop() {
        back.isOpen.store(false, ordering: .releasing)
        session?.stop()
        session = nil
        pending = [:]
    }

    func links() -> [LinkReport] {
        states.indices.map { account in
            let state = states[account]
            return LinkReport(
                name: name(of: account),
                state: state.link,
                detail: state.detail,
                sent: state.sent,
                received: state.received,
                waiting: UInt64(pending.values.count { $0.account == account }),
                since: state.since
            )
        }
    }

    private func name(of account: Int) -> String {
        parts.accounts[account].user?.description ?? "all users of \(parts.connector.manifest.domain)"
    }
}

/// The way back from the library's threads.
///
/// Safe to share: the reference is set before there are such threads, and followed on the provider's loop only.
private final class WayBack: @unchecked Sendable {
    weak var provider: ConnectorProvider?
    /// The loop may be gone once it is closed.
    let isOpen = Atomic<Bool>(true)
}
