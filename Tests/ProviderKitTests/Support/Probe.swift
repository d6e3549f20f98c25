import CPlugboard

@testable import ProviderKit

/// A provider that does what a test tells it to.
final class Probe: Provider {
    static let descriptor = Descriptor(
        id: "org.example.probe",
        name: "Probe",
        version: "1.2.3",
        vendor: "Nobody",
        capabilities: [Capability("messages", limit: 1000), Capability("typing", .partial)],
        settings: [
            SettingSchema("address", .string, isRequired: true, help: "Who answers."),
            SettingSchema("count", .integer(-5...7), standard: "3", help: "How many."),
            SettingSchema("on", .boolean, standard: "", help: "Whether."),
            SettingSchema("wait", .duration(1...2), help: "How long."),
            SettingSchema("room", .size(0...65536), help: "How much."),
            SettingSchema("tls", .choice(["required", "optional"]), help: "How."),
            SettingSchema("listen[]", .address, help: "Where."),
            SettingSchema("password", .secret, help: "The word."),
        ]
    )

    static func check(_ instance: InstanceInfo, problems: inout Problems) {
        problems.warning("address", "is \(instance.settings["address"] ?? "nothing")")
        problems.error("", "\(instance.id) serves \(instance.homeDomains.joined(separator: " "))")
    }

    let host: Host
    let info: InstanceInfo
    var onStart: () throws(ProviderError) -> Void = {}
    var onDeliver: (Delivery) -> Bool = { _ in true }
    var events: [String] = []
    var reports: [LinkReport] = []

    init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        if let fault = instance.settings["fault"] { throw ProviderError("is \(fault)", setting: "fault") }
        self.host = host
        self.info = instance
    }

    func start() throws(ProviderError) { try onStart() }
    func deliver(_ delivery: Delivery) -> Bool { onDeliver(delivery) }
    func room() { events.append("room") }
    func drain() { events.append("drain") }
    func stop() { events.append("stop") }
    func links() -> [LinkReport] { reports }
}

/// A probe on a fake host.
struct Lab {
    let fake = FakeHost()
    let probe: Probe

    var host: Host { probe.host }

    init(_ info: InstanceInfo = .sample) {
        var made: Probe?
        let plugin = Entry.plugin(Probe.self) { host, instance throws(ProviderError) in
            let probe = try Probe(host: host, instance: instance)
            made = probe
            return probe
        }
        guard fake.create(plugin, info), let made else { preconditionFailure("a probe can be made") }
        probe = made
    }
}

/// A session that remembers what it heard.
final class Ear: StreamSession {
    var events: [String] = []
    /// Kept on purpose, as a real session would: it must not keep the session alive.
    var stream: ProviderKit.Stream?
    var tls: TLSInfo?
    /// How many bytes of an offer to read.
    var appetite = Int.max

    func opened(_ stream: ProviderKit.Stream, tls: TLSInfo?) {
        self.stream = stream
        self.tls = tls
        events.append("opened")
    }

    func received(_ input: inout ByteReader, on stream: ProviderKit.Stream) {
        let text = input.readString(min(appetite, input.remaining)) ?? "?"
        events.append("received \(text)")
    }

    func writable(_ stream: ProviderKit.Stream) { events.append("writable") }

    func closed(_ stream: ProviderKit.Stream, reason: CloseReason) {
        events.append("closed \(reason.cause) \(reason.detail)")
    }
}
