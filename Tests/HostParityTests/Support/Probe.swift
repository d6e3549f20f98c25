import CPlugboard
import IMModel

/// Where a probe's host is: what a use cannot bring about by itself.
protocol ProbeWorld: AnyObject, Sendable {
    /// Has home users send envelopes, one after the other.
    func send(_ envelopes: [Envelope], to probe: Probe)

    /// Has an operator link and unlink accounts on the probe's network, one after the other.
    func change(_ changes: [AccountChange], of probe: Probe)

    /// Where the web server of ``WebScript`` listens, on this machine.
    var webPort: UInt16 { get }
}

/// What an operator does with an account of `alice` at home.
enum AccountChange: Sendable {
    case link(String, password: String)
    case unlink(String)
}

/// A plugin on the bare ABI, as one in C would be, that goes through the steps of a use and records what comes of them.
// Safe: used on its host's thread alone, but for what never changes.
final class Probe: @unchecked Sendable {
    let use: Use
    /// Its name in the configuration, and the domain of its network: `p7`, `p7.example`.
    let id: String
    var domain: String { "\(id).example" }
    let world: any ProbeWorld
    private(set) var record = Record()
    private(set) var host: UnsafePointer<plugboard_host_t>?
    /// Every step was taken.
    private(set) var isDone = false
    /// Called once when it is.
    var onDone: () -> Void = {}

    /// How many bytes of an offer are consumed.
    var onReceived: (Probe, String, [UInt8]) -> Int = { $2.count }
    /// Whether a connection is kept.
    var onAccepted: (Probe, String) -> UInt32 = { _, _ in 1 }
    /// How many envelopes are taken; tokens by the texts of messages are in ``tokens``.
    var onDeliver: (Probe, [String]) -> Int = { probe, texts in
        for text in texts { probe.complete(text, PLUGBOARD_DELIVERED) }
        return texts.count
    }
    var tokens: [String: UInt64] = [:]
    /// A port that a later step connects to.
    var onPort: UInt16 = 0
    /// Handles by the names that the record has for them.
    private(set) var handles: [String: UInt64] = [:]
    /// Names by kind and handle.
    private var names: [String: [UInt64: String]] = [:]
    private var nextStep = 0
    let arena = Arena()

    init(_ use: Use, id: String, world: any ProbeWorld) {
        self.use = use
        self.id = id
        self.world = world
    }

    static func from(_ pointer: UnsafeMutableRawPointer?) -> Probe {
        guard let pointer else { preconditionFailure("the host passes back what it was given") }
        return Unmanaged<Probe>.fromOpaque(pointer).takeUnretainedValue()
    }

    // MARK: The plugin

    /// Its plugin table, which lives as long as this.
    lazy var plugin: UnsafePointer<plugboard_plugin_t> = {
        var descriptor = plugboard_descriptor_t()
        descriptor.struct_size = structSize(plugboard_descriptor_t.self)
        let word = UnsafePointer(arena.put("org.example.probe".utf8CString.map { $0 }))
        (descriptor.id, descriptor.name, descriptor.version, descriptor.vendor) = (word, word, word, word)
        var plugin = plugboard_plugin_t()
        plugin.struct_size = structSize(plugboard_plugin_t.self)
        plugin.abi_version = PLUGBOARD_ABI_VERSION
        plugin.context = Unmanaged.passUnretained(self).toOpaque()
        plugin.descriptor = UnsafePointer(arena.put(descriptor))
        plugin.check = { _, _ in }
        plugin.create = { context, host, _, result in
            let probe = Probe.from(context)
            probe.host = host
            result?.pointee = context
            probe.heard("life", "create")
            probe.use.inCreate(probe)
            return UnsafePointer(probe.arena.put(Probe.provider))
        }
        return UnsafePointer(arena.put(plugin))
    }()

    // MARK: The record

    /// Notes what a call of the host answered.
    func note(_ call: String, _ status: plugboard_status_t) { record.note("calls", "\(call): \(statusName(status))") }

    /// Notes what a call of the host gave.
    func note(_ call: String, gave value: String) { record.note("calls", "\(call): \(value)") }

    /// Notes a call of the host's, and goes on with the steps that waited for it.
    func heard(_ subject: String, _ line: String) {
        judgeMoment(of: line)
        record.note(subject, line)
        advance()
    }

    /// The same for text that may come in pieces.
    func heard(_ subject: String, _ beginning: String, more text: String) {
        judgeMoment(of: beginning)
        record.extend(subject, beginning, text)
        advance()
    }

    /// Whether a function of the host is being called now.
    var isCallingHost = false
    private var isStopped = false

    /// No call into a plugin comes inside a call of the host, and none after stop() but destroy().
    private func judgeMoment(of line: String) {
        if isCallingHost { record.note("mistakes", "called inside a call of the host: \(line)") }
        if isStopped, line != "destroy" { record.note("mistakes", "called after stop(): \(line)") }
        if line == "stop" { isStopped = true }
    }

    /// Begins with the steps.
    func begin() {
        nextStep = 0
        isStarted = true
        advance()
    }

    private var isStarted = false

    private func advance() {
        guard isStarted, !isDone else { return }
        while nextStep < use.steps.count {
            switch use.steps[nextStep] {
            case .act(let body):
                nextStep += 1
                body(self)
            case .heard(let line, let times):
                guard record.count(line) >= times else { return }
                nextStep += 1
            }
        }
        isDone = true
        onDone()
    }

    /// What it waits for, if it does.
    var waitsFor: String {
        guard nextStep < use.steps.count, case .heard(let line, let times) = use.steps[nextStep] else {
            return isStarted ? "nothing" : "its start"
        }
        return "\(times) × \(line)"
    }

    // MARK: Handles

    /// Gives a handle the next name of its kind, such as `s2`.
    func issue(_ kind: String, _ handle: UInt64) -> String {
        let number = names[kind, default: [:]].count + 1
        let name = "\(kind)\(number)"
        names[kind, default: [:]][handle] = name
        handles[name] = handle
        return name
    }

    /// The name of a handle that the host uses.
    func name(_ kind: String, _ handle: UInt64) -> String { names[kind]?[handle] ?? "unknown \(kind)" }

    /// The handle of a name; a number stands for itself.
    func handle(_ name: String) -> UInt64 { handles[name] ?? UInt64(name) ?? 0 }
}
