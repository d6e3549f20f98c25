import PluginHost
import ProviderKit

@testable import Router

/// What a provider of a test does. Used on the provider's loop, but for the recorders.
// Safe: set up before the router starts; then only its provider's loop touches it.
final class Script: @unchecked Sendable {
    typealias Deliver = (ScriptedProvider, Delivery) -> Bool

    /// Its name in the configuration.
    let name: String
    /// Domains and addresses that it claims at its start.
    var claims: [String]
    /// Why it refuses to be made.
    var createFailure: String?
    /// Why it refuses to start.
    var startFailure: String?
    /// Called before each making.
    var onMake: ((Script) -> Void)?
    var onStart: ((ScriptedProvider) -> Void)?
    var onDeliver: Deliver = { provider, delivery in
        delivery.complete(.delivered)
        return true
    }
    var onRoom: ((ScriptedProvider) -> Void)?
    var onDrain: ((ScriptedProvider) -> Void)?
    var onStop: ((ScriptedProvider) -> Void)?
    /// What it says of its links.
    var links: [LinkReport] = []
    /// Times that it was asked for them.
    let linksAsked = Recorder<Void>()
    /// The provider, once it was made.
    var provider: ScriptedProvider?

    /// What it took, in order.
    let taken = Recorder<Envelope>()
    /// What became of its submits, by the text of the message.
    let answers = Recorder<(text: String, outcome: Outcome)>()
    /// Times that a submit was answered BUSY.
    let busy = Recorder<Void>()

    init(_ name: String, claims: [String], onDeliver: Deliver? = nil) {
        self.name = name
        self.claims = claims
        if let onDeliver { self.onDeliver = onDeliver }
    }

    /// The plugin that makes its provider.
    func plugin() throws -> Plugin {
        let table = Entry.plugin(ScriptedProvider.self) { [self] host, _ throws(ProviderError) in
            onMake?(self)
            if let createFailure { throw ProviderError(createFailure) }
            let made = ScriptedProvider(host: host, script: self)
            provider = made
            return made
        }
        return try Plugin(path: "linked \(name)", table: table)
    }
}

/// A provider that follows a ``Script``.
final class ScriptedProvider: Provider {
    static let descriptor = Descriptor(
        id: "org.example.scripted",
        name: "Scripted",
        version: "1.0.0",
        vendor: "Tests",
        capabilities: [Capability("messages")],
        settings: []
    )

    let host: Host
    let script: Script
    /// What is still to be submitted, from the front.
    private var outgoing: ArraySlice<Envelope> = []
    /// Taken and not completed.
    var held: [Delivery] = []

    init(host: Host, script: Script) {
        self.host = host
        self.script = script
    }

    convenience init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        throw ProviderError("a scripted provider needs its script")
    }

    func start() throws(ProviderError) {
        if let failure = script.startFailure { throw ProviderError(failure) }
        for claim in script.claims {
            do throws(HostError) {
                if let address = Address(claim), !address.user.isEmpty {
                    try host.claim(address: address)
                } else {
                    try host.claim(domain: claim)
                }
            } catch {
                throw ProviderError("\(claim) cannot be claimed: \(error)")
            }
        }
        script.onStart?(self)
    }

    func deliver(_ delivery: Delivery) -> Bool {
        guard script.onDeliver(self, delivery) else { return false }
        script.taken.append(delivery.envelope)
        return true
    }

    func room() {
        script.onRoom?(self)
        pump()
    }

    func drain() {
        script.onDrain?(self)
    }

    func stop() {
        script.onStop?(self)
        // A host call from here on would be a mistake of the test.
        held = []
        outgoing = []
    }

    func links() -> [LinkReport] {
        script.linksAsked.append(())
        return script.links
    }

    /// Submits envelopes, and waits for room whenever there is none.
    func send(_ envelopes: [Envelope]) {
        outgoing += envelopes
        pump()
    }

    private func pump() {
        while let envelope = outgoing.first {
            let text = envelope.text
            do {
                let submission = try host.submit(envelope) { [script] in script.answers.append((text, $0)) }
                guard submission == .taken else {
                    script.busy.append(())
                    return
                }
            } catch {
                let reason = Outcome.Reason(.internal, "not taken: \(error)")
                script.answers.append((text, .failed(reason)))
            }
            outgoing.removeFirst()
        }
    }

    /// Completes all that it holds, in order.
    func completeHeld(_ outcome: Outcome = .delivered) {
        let all = held
        held = []
        for delivery in all { delivery.complete(outcome) }
    }
}

extension Envelope {
    /// A message from one address to another.
    static func message(_ text: String, from: String, to: String, id: String = "") -> Envelope {
        guard let from = Address(from), let to = Address(to) else {
            preconditionFailure("no addresses: \(from), \(to)")
        }
        return Envelope(from: from, to: to, id: id, content: .message(Message(text: text)))
    }

    /// A message's text; of other kinds the kind.
    var text: String {
        if case .message(let message) = content { message.text } else { kindName }
    }

    /// The failure that it is, if it is one.
    var failure: Failure? {
        if case .failure(let failure) = content { failure } else { nil }
    }
}

extension Outcome {
    /// The sentence of a failure or deferral.
    var sentence: String? {
        switch self {
        case .accepted, .delivered: nil
        case .deferred(let reason), .failed(let reason): reason.text
        }
    }
}
