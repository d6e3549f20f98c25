import CPlugboard

@testable import ProviderKit

/// A host without sockets and clocks: it answers what a test tells it to, remembers what it was asked, and makes the
/// calls that a host makes.
final class FakeHost {
    let table = UnsafeMutablePointer<plugboard_host_t>.allocate(capacity: 1)
    /// What the next calls answer.
    var status = PLUGBOARD_OK
    /// What was asked, one line a call: `write 3 hello`.
    var calls: [String] = []
    var submitted: [(envelope: Envelope?, cookie: UInt64)] = []
    var completed: [(token: UInt64, outcome: Outcome)] = []
    var log: [String] = []
    /// The `user` of each handle.
    var users: [UInt64: UnsafeMutableRawPointer] = [:]
    var tlsOptions: [TLSOptionsSeen] = []
    var hasDigests = true
    /// Tables of the host's other extensions, by their ids.
    var extensions: [String: UnsafeRawPointer] = [:]
    private var lastHandle: UInt64 = 0

    private(set) var provider: UnsafePointer<plugboard_provider_t>?
    private(set) var instance: UnsafeMutableRawPointer?
    /// What check and create reported.
    var problems: [String] = []

    init() {
        table.initialize(to: Self.makeTable())
        table.pointee.context = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        destroy()
        table.deallocate()
    }

    static func from(_ context: UnsafeMutableRawPointer?) -> FakeHost {
        guard let context else { preconditionFailure("the plugin passes the host's context back") }
        return Unmanaged<FakeHost>.fromOpaque(context).takeUnretainedValue()
    }

    func newHandle() -> UInt64 {
        lastHandle += 1
        return lastHandle
    }

    // MARK: The life of an instance

    /// Makes an instance; false if the plugin declined.
    func create(_ plugin: UnsafePointer<plugboard_plugin_t>?, _ info: InstanceInfo = .sample) -> Bool {
        guard let plugin else { return false }
        provider = withInstance(info) { plugin.pointee.create(plugin.pointee.context, table, $0, &instance) }
        return provider != nil
    }

    func check(_ plugin: UnsafePointer<plugboard_plugin_t>?, _ info: InstanceInfo = .sample) {
        guard let plugin else { return }
        withInstance(info) { plugin.pointee.check(plugin.pointee.context, $0) }
    }

    func start() -> plugboard_status_t { provider.map { $0.pointee.start(instance) } ?? PLUGBOARD_E_INVALID }

    func destroy() {
        provider?.pointee.destroy(instance)
        provider = nil
    }

    /// The provider's table, for calls that are not worth a function here.
    var calling: plugboard_provider_t { provider?.pointee ?? plugboard_provider_t() }

    private func withInstance<R>(_ info: InstanceInfo, _ body: (UnsafePointer<plugboard_instance_t>) -> R) -> R {
        var strings = StringBlock()
        strings.append(info.id)
        let entries = info.entries
        for entry in entries {
            strings.append(entry.path)
            strings.append(entry.value)
        }
        for domain in info.homeDomains { strings.append(domain) }
        return strings.withSpans { spans in
            let settings = entries.indices.map { index in
                LongSetting(
                    setting: plugboard_setting_t(
                        struct_size: UInt32(MemoryLayout<LongSetting>.stride),
                        reserved: 0,
                        path: spans[1 + 2 * index],
                        value: spans[2 + 2 * index]
                    )
                )
            }
            let domains = Array(spans[(1 + 2 * entries.count)...])
            var sink = plugboard_problems_t()
            sink.struct_size = structSize(plugboard_problems_t.self)
            sink.context = Unmanaged.passUnretained(self).toOpaque()
            sink.report = { context, severity, path, sentence in
                FakeHost.from(context).problems.append("\(severity) \(path.string): \(sentence.string)")
            }
            return settings.withUnsafeBytes { settings in
                domains.withUnsafeBufferPointer { domains in
                    withUnsafePointer(to: sink) { sink in
                        var instance = plugboard_instance_t()
                        instance.struct_size = structSize(plugboard_instance_t.self)
                        instance.id = spans[0]
                        instance.settings = settings.baseAddress?.assumingMemoryBound(to: plugboard_setting_t.self)
                        instance.setting_count = entries.count
                        instance.home_domains = domains.baseAddress
                        instance.home_domain_count = domains.count
                        instance.problems = sink
                        return body(&instance)
                    }
                }
            }
        }
    }

    /// A setting as a host of a later minor version would hand it over.
    private struct LongSetting {
        var setting: plugboard_setting_t
        var added: (UInt64, UInt64) = (.max, .max)
    }

    // MARK: What a host tells

    /// Calls the provider's table of one extension's answers.
    func events<Table>(_ id: String, _ type: Table.Type, _ body: (Table, UnsafeMutableRawPointer?) -> Void) {
        guard let found = calling.extension(instance, id) else { preconditionFailure("a Swift provider has \(id)") }
        body(found.load(as: Table.self), instance)
    }

    /// Offers envelopes with tokens from 1; says how many were taken.
    func deliver(_ envelopes: [Envelope], change: (inout plugboard_envelope_t, Int) -> Void = { _, _ in }) -> Int {
        deliver(envelopes[...], [], change)
    }

    private func deliver(
        _ rest: ArraySlice<Envelope>,
        _ pointers: [UnsafePointer<plugboard_envelope_t>?],
        _ change: (inout plugboard_envelope_t, Int) -> Void
    ) -> Int {
        guard let first = rest.first else { return calling.deliver(instance, pointers, pointers.count) }
        return first.withABI { abi in
            var copy = abi.pointee
            copy.token = UInt64(pointers.count + 1)
            change(&copy, pointers.count)
            return withUnsafePointer(to: copy) { deliver(rest.dropFirst(), pointers + [$0], change) }
        }
    }

    func tellSubmitted(_ cookie: UInt64, _ outcome: Outcome) {
        outcome.withABI { outcome in
            var result = plugboard_submitted_t()
            result.struct_size = structSize(plugboard_submitted_t.self)
            result.cookie = cookie
            result.outcome = outcome
            calling.submitted(instance, &result, 1)
        }
    }

    func tellOpened(_ stream: UInt64, tls: UnsafePointer<plugboard_tls_info_t>? = nil) {
        calling.opened(instance, stream, users[stream], tls)
    }

    /// Offers input; says how much was consumed.
    func tellReceived(_ stream: UInt64, _ text: String) -> Int {
        let bytes = Array(text.utf8)
        return calling.received(instance, stream, users[stream], bytes, bytes.count)
    }

    func tellClosed(_ stream: UInt64, _ cause: UInt32 = PLUGBOARD_CLOSED_BY_PEER, _ detail: String = "gone") {
        withBytes(detail) { detail in
            var reason = plugboard_closed_t()
            reason.struct_size = structSize(plugboard_closed_t.self)
            reason.cause = cause
            reason.detail = detail
            calling.closed(instance, stream, users.removeValue(forKey: stream), &reason)
        }
    }

    /// A connection comes in; its handle, or nil if it was turned away.
    func tellAccepted(by listener: UInt64) -> UInt64? {
        let handle = newHandle()
        var user: UnsafeMutableRawPointer?
        guard calling.accepted(instance, handle, users[listener], &user) == 1 else { return nil }
        users[handle] = user
        return handle
    }
}

/// TLS options as they crossed.
struct TLSOptionsSeen: Equatable {
    var verification: UInt32
    var identity: String
    var peerName: String
    var alpn: [String]

    init(_ source: plugboard_tls_options_t) {
        verification = source.verification
        identity = source.identity.string
        peerName = source.peer_name.string
        alpn = UnsafeBufferPointer(start: source.alpn, count: source.alpn_count).map(\.string)
    }
}

extension InstanceInfo {
    static let sample = InstanceInfo(
        id: "probe-1",
        settings: Settings([("address", "probe@example.org"), ("partners[0].domain", "one.example")]),
        homeDomains: ["example.org", "example.net"]
    )

    /// The settings that the tests use, as entries again.
    fileprivate var entries: [(path: String, value: String)] {
        ["address", "partners[0].domain", "fault"].compactMap { path in settings[path].map { (path, $0) } }
    }
}
