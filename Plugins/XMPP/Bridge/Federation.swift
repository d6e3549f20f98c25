internal import ProviderKit
internal import XMPPSession

/// All links, streams and listeners of an instance.
final class Federation {
    let host: Host
    let settings: XMPPSettings
    /// Those that are not blocked.
    var partners: PartnerTable
    let key: DialbackKey
    let reader = StanzaReader()
    private var listeners: [Listener] = []
    var links: [DomainPair: PartnerLink] = [:]
    var sessions: [ObjectIdentifier: InboundSession] = [:]
    var verifications: [ObjectIdentifier: KeyVerification] = [:]
    /// Sessions that hold back what the router had no room for, the longest waiting first.
    var waiting: [any HoldingSession] = []
    /// Partners' streams that our stanzas may go back on, by domain pair, ours first; the latest of each.
    var ways: [DomainPair: InboundSession] = [:]
    /// Inbound streams whose peers may go on after their connection broke.
    var resumable: ResumableStreams
    /// Main domains of the partners that the operator has blocked.
    var blocked: Set<String> = []
    /// Whether it is known who is blocked.
    var isReady = false
    /// Whose presence was passed on, by partner domain.
    var seen: [String: SeenPresence] = [:]
    /// By partner domain.
    var records: [String: PartnerRecord] = [:]
    /// The latest trial connection to each partner, by its main domain.
    var trials: [String: Trial] = [:]
    var isDraining = false

    /// Bytes of a stream id: enough that nobody guesses one (RFC 6120 §4.7.3).
    static let streamIDBytes = 16

    /// A federation at rest.
    ///
    /// - Throws: ``HostError/unsupported`` if the host has no digests.
    init(host: Host, settings: XMPPSettings) throws(HostError) {
        self.host = host
        self.settings = settings
        self.partners = PartnerTable(settings.partners)
        self.resumable = ResumableStreams(max: settings.server.resumptionsMax)
        let secret = settings.dialbackSecret.map { Array($0.utf8) } ?? host.randomBytes(32)
        let digest = try host.digest(.sha256, secret)
        self.key = DialbackKey(secretDigest: digest) { key, data in
            // The host had digests a moment ago. Should it have none now, no key must match.
            (try? host.digest(.sha256, data, key: key)) ?? host.randomBytes(32)
        }
    }

    /// Unpredictable, new at each call; hexadecimal.
    func randomID() -> String {
        let digits = Array("0123456789abcdef".utf8)
        let bytes = self.host.randomBytes(Self.streamIDBytes)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

// MARK: - Life

extension Federation {
    /// Claims the partners' domains and listens.
    func start() throws(ProviderError) {
        for domain in self.settings.partners.flatMap(\.domains) {
            // The router may meet either form of an international domain.
            for form in Set([domain, self.settings.spelling(domain)]).sorted() {
                do throws(HostError) {
                    try self.host.claim(domain: form)
                } catch {
                    throw ProviderError("\(form) cannot be claimed: \(error)", setting: "partners")
                }
            }
        }
        self.loadBlocked()
        for address in self.settings.listen { try self.listen(address, setting: "listen", isDirectTLS: false) }
        for address in self.settings.listenTLS { try self.listen(address, setting: "listen_tls", isDirectTLS: true) }
    }

    private func listen(_ address: HostAndPort, setting: String, isDirectTLS: Bool) throws(ProviderError) {
        let standard = isDirectTLS ? XMPPSettings.directTLSPort : XMPPSettings.port
        let port = address.port ?? standard
        do throws(HostError) {
            let listener = try self.host.listen(
                address: address.host,
                port: port,
                tls: isDirectTLS ? TLSNegotiation.options(identity: "", isDirect: true) : nil
            ) { [weak self] incoming in self?.accept(incoming) }
            self.listeners.append(listener)
        } catch {
            throw ProviderError("\(address.host):\(port) cannot be listened on: \(error)", setting: setting)
        }
    }

    private func accept(_ incoming: Stream.Incoming) -> (any StreamSession)? {
        // The peer tries again, as with a server that is just starting.
        guard self.isReady else { return nil }
        guard self.sessions.count < self.settings.server.connectionLimit else {
            self.host.log(
                .warning,
                "a connection was refused",
                [
                    .peer: incoming.peerAddress, .reason: "so many are open already, which is connection_limit",
                    .count: "\(self.sessions.count)",
                ]
            )
            return nil
        }
        let session = InboundSession(self, peerAddress: incoming.peerAddress)
        self.sessions[ObjectIdentifier(session)] = session
        return session
    }

    /// Ends all streams, the outbound ones when their queues are empty.
    func drain() {
        self.isDraining = true
        for listener in self.listeners { listener.close() }
        for verification in self.verifications.values { verification.cancel() }
        self.verifications = [:]
        for trial in self.trials.values { trial.cancel() }
        // A stream that carries a link's stanzas ends with it.
        for session in self.sessions.values where session.carried.isEmpty { session.close() }
        for link in self.links.values { link.drain() }
    }

    /// Forgets everything; the host has closed all streams.
    func stop() {
        self.listeners = []
        self.links = [:]
        self.sessions = [:]
        self.verifications = [:]
        self.waiting = []
        self.ways = [:]
        self.trials = [:]
        self.resumable = ResumableStreams(max: 0)
    }

    /// What the operator sees: the way out to each partner, and each stream in.
    var reports: [LinkReport] {
        let outward = self.links.values.map(\.report)
        let known = Set(outward.map(\.name))
        let idle = self.settings.partners.flatMap(\.domains).filter { !known.contains($0) }
            .map { LinkReport(name: $0, state: .down, detail: "") }
        let inward = self.sessions.values.flatMap { session in
            session.pairs.map { pair, authentication in
                LinkReport(
                    name: pair.sender,
                    state: .up,
                    detail: session.detail(authentication),
                    received: session.intake.received,
                    since: session.since
                )
            }
        }
        return (outward + idle + inward).sorted { ($0.name, $0.detail) < ($1.name, $1.detail) }
    }
}
