import CPlugboard

@testable import ProviderKit

/// A host with one instance of a provider in it, made and called through the plugin ABI.
final class FakeHost {
    /// What the router makes of an envelope.
    enum Verdict {
        case accept
        case refuse(Outcome.Reason)
        /// The host answers the submit call itself with this status.
        case status(Int32)
    }

    let world: FakeWorld
    let name: String
    /// Where its listeners are.
    let address: String
    /// Certificates that it has.
    var identities: Set<String> = []
    /// Bytes that may be on their way before a write answers HIGH; nil: any number.
    var highWater: Int?
    /// The largest write that is taken; nil: any.
    var writeMax: Int?
    /// What the router says to each envelope.
    var verdict: (Envelope) -> Verdict = { _ in .accept }

    private(set) var submitted: [Envelope] = []
    /// Whether the answers to what is submitted wait for ``answerHeld()``: the disk is slow.
    var holdsAnswers = false
    private var heldAnswers: [(UInt64, Outcome)] = []
    /// What is done to a connection as soon as it is made.
    var whenConnecting: (FakeEndpoint) -> Void = { _ in }
    private(set) var outcomes: [UInt64: [Outcome]] = [:]
    /// Tokens in the order of their completion.
    private(set) var completed: [UInt64] = []
    var claims: [String] = []
    var log: [String] = []
    var endpoints: [UInt64: FakeEndpoint] = [:]
    /// Those that are gone too, in the order of opening.
    var everyEndpoint: [FakeEndpoint] = []
    var listenerKeys: [UInt64: String] = [:]
    var timers: Set<UInt64> = []
    private(set) var problems: [String] = []

    let table: UnsafeMutablePointer<plugboard_host_t>
    let digest: UnsafeMutablePointer<plugboard_digest_t>
    private(set) var provider: UnsafePointer<plugboard_provider_t>?
    private(set) var instance: UnsafeMutableRawPointer?
    private var lastToken: UInt64 = 0

    init(_ world: FakeWorld, name: String, address: String) {
        self.world = world
        self.name = name
        self.address = address
        self.table = .allocate(capacity: 1)
        self.digest = .allocate(capacity: 1)
        self.identities = [name]
        self.digest.initialize(to: Self.digestTable)
        self.table.initialize(to: Self.hostTable(context: Unmanaged.passUnretained(self).toOpaque()))
    }

    deinit {
        if let provider = self.provider { provider.pointee.destroy(self.instance) }
        self.table.deallocate()
        self.digest.deallocate()
    }

    static func from(_ context: UnsafeMutableRawPointer?) -> FakeHost {
        guard let context else { preconditionFailure("a host call without its context") }
        return Unmanaged<FakeHost>.fromOpaque(context).takeUnretainedValue()
    }

    // MARK: The instance's life

    /// Makes and starts the instance; false if it would not.
    func start(_ type: any Provider.Type, _ settings: [(String, String)], homeDomains: [String]) -> Bool {
        guard let plugin = Entry.plugin(type) else { return false }
        var strings = StringBlock()
        for (path, value) in settings {
            strings.append(path)
            strings.append(value)
        }
        for domain in homeDomains { strings.append(domain) }
        strings.append(self.name)
        strings.withSpans { spans in
            let entries = settings.indices.map { index in
                var setting = plugboard_setting_t()
                setting.struct_size = UInt32(MemoryLayout<plugboard_setting_t>.size)
                setting.path = spans[index * 2]
                setting.value = spans[index * 2 + 1]
                return setting
            }
            let domains = Array(spans[(settings.count * 2)..<(spans.count - 1)])
            self.create(plugin, id: spans[spans.count - 1], entries, domains)
        }
        guard let provider = self.provider else { return false }
        return provider.pointee.start(self.instance) == PLUGBOARD_OK
    }

    private func create(
        _ plugin: UnsafePointer<plugboard_plugin_t>,
        id: plugboard_bytes_t,
        _ settings: [plugboard_setting_t],
        _ domains: [plugboard_bytes_t]
    ) {
        var sink = plugboard_problems_t()
        sink.struct_size = UInt32(MemoryLayout<plugboard_problems_t>.size)
        sink.context = Unmanaged.passUnretained(self).toOpaque()
        sink.report = { FakeHost.from($0).problems.append("\(text($2)): \(text($3))") }
        withUnsafePointer(to: sink) { sink in
            settings.withUnsafeBufferPointer { settings in
                domains.withUnsafeBufferPointer { domains in
                    var info = plugboard_instance_t()
                    info.struct_size = UInt32(MemoryLayout<plugboard_instance_t>.size)
                    info.id = id
                    info.settings = settings.baseAddress
                    info.setting_count = settings.count
                    info.home_domains = domains.baseAddress
                    info.home_domain_count = domains.count
                    info.problems = sink
                    self.provider = plugin.pointee.create(plugin.pointee.context, self.table, &info, &self.instance)
                }
            }
        }
    }

    /// The provider's own object, to look into it.
    func provider<P: Provider>(as type: P.Type) -> P? { InstanceBox.from(self.instance).provider as? P }

    func drain() { self.provider?.pointee.drain(self.instance) }

    /// Has the provider told that there is room again.
    func room() { self.world.post { self.provider?.pointee.room(self.instance) } }

    // MARK: Envelopes

    /// Offers an envelope for the network; its name, to look its outcome up by.
    @discardableResult
    func deliver(_ envelope: Envelope) -> UInt64 {
        self.lastToken += 1
        let token = self.lastToken
        self.world.post {
            envelope.withABI { pointer in
                var copy = pointer.pointee
                copy.token = token
                withUnsafePointer(to: copy) { pointer in
                    var list: UnsafePointer<plugboard_envelope_t>? = pointer
                    _ = self.provider?.pointee.deliver(self.instance, &list, 1)
                }
            }
        }
        return token
    }

    func submit(_ pointer: UnsafePointer<plugboard_envelope_t>, _ cookie: UInt64) -> Int32 {
        guard let envelope = Envelope(borrowing: pointer) else { return PLUGBOARD_E_INVALID }
        let outcome: Outcome
        switch self.verdict(envelope) {
        case .accept: outcome = .accepted
        case .refuse(let reason): outcome = .failed(reason)
        case .status(let status): return status
        }
        self.submitted.append(envelope)
        guard cookie != 0 else { return PLUGBOARD_OK }
        if self.holdsAnswers {
            self.heldAnswers.append((cookie, outcome))
        } else {
            self.answer(cookie, outcome)
        }
        return PLUGBOARD_OK
    }

    /// Gives the answers that were held, in the opposite order.
    func answerHeld() {
        self.holdsAnswers = false
        for (cookie, outcome) in self.heldAnswers.reversed() { self.answer(cookie, outcome) }
        self.heldAnswers = []
    }

    private func answer(_ cookie: UInt64, _ outcome: Outcome) {
        self.world.post {
            outcome.withABI { outcome in
                var result = plugboard_submitted_t()
                result.struct_size = UInt32(MemoryLayout<plugboard_submitted_t>.size)
                result.cookie = cookie
                result.outcome = outcome
                self.provider?.pointee.submitted(self.instance, &result, 1)
            }
        }
    }

    func complete(_ token: UInt64, _ outcome: Outcome) {
        self.outcomes[token, default: []].append(outcome)
        self.completed.append(token)
    }

    // MARK: Streams

    func opened(_ end: FakeEndpoint, _ flags: UInt32?) {
        guard let flags else {
            self.provider?.pointee.opened(self.instance, end.handle, end.user, nil)
            return
        }
        lend("TLSv1.3") { version in
            lend(end.tls?.alpn.first ?? "") { alpn in
                var info = plugboard_tls_info_t()
                info.struct_size = UInt32(MemoryLayout<plugboard_tls_info_t>.size)
                info.flags = flags
                info.version = version
                info.alpn = alpn
                self.provider?.pointee.opened(self.instance, end.handle, end.user, &info)
            }
        }
    }

    func received(_ end: FakeEndpoint, _ bytes: [UInt8]) -> Int {
        guard self.provider != nil else {
            end.heard += String(decoding: bytes, as: UTF8.self)
            return bytes.count
        }
        return bytes.withUnsafeBufferPointer {
            self.provider?.pointee.received(self.instance, end.handle, end.user, $0.baseAddress, $0.count) ?? 0
        }
    }

    func writable(_ end: FakeEndpoint) { self.provider?.pointee.writable(self.instance, end.handle, end.user) }

    func closed(_ end: FakeEndpoint, _ cause: UInt32, _ detail: String) {
        self.endpoints[end.handle] = nil
        lend(detail) { detail in
            var reason = plugboard_closed_t()
            reason.struct_size = UInt32(MemoryLayout<plugboard_closed_t>.size)
            reason.cause = cause
            reason.detail = detail
            self.provider?.pointee.closed(self.instance, end.handle, end.user, &reason)
        }
    }

    /// What the provider tells of its links.
    var links: [LinkReport] {
        guard let table = self.provider?.pointee.extension(self.instance, PLUGBOARD_EXT_STATUS) else { return [] }
        let status = table.assumingMemoryBound(to: plugboard_status_extension_t.self)
        let sink = LinkSink()
        status.pointee.links(self.instance, Unmanaged.passUnretained(sink).toOpaque()) { sink, link in
            guard let sink, let link = link?.pointee else { return }
            Unmanaged<LinkSink>.fromOpaque(sink).takeUnretainedValue().reports.append(
                LinkReport(
                    name: text(link.name),
                    state: LinkReport.State(rawValue: link.state) ?? .down,
                    detail: text(link.detail),
                    sent: link.sent,
                    received: link.received,
                    waiting: link.waiting,
                    since: link.since_ms
                )
            )
        }
        return sink.reports
    }

    private final class LinkSink {
        var reports: [LinkReport] = []
    }

    /// The outcome of a delivery; nil while there is none, and also if there were several.
    func outcome(_ token: UInt64) -> Outcome? {
        let all = self.outcomes[token, default: []]
        return all.count == 1 ? all[0] : nil
    }
}
