import XMPPBridge

@testable import ProviderKit

/// Two routers in one world, `a.test` and `b.test`, each with the other as its partner.
struct TwoServers {
    let world = FakeWorld()
    let a: FakeHost
    let b: FakeHost

    /// What a partner's settings are, besides its domain.
    typealias Policy = [String: String]

    // A stream for each direction.
    static let external: Policy = ["sasl": "required", "dialback": "false", "bidirectional": "false"]
    /// Without acknowledgements: what was written counts as delivered.
    static let unmanaged = external.merging(["stream_management": "false"]) { $1 }
    static let dialback: Policy = ["sasl": "not-supported", "dialback": "true", "bidirectional": "false"]
    static let plainDialback = dialback.merging(["tls": "not-supported"]) { $1 }
    // One stream for both.
    static let externalBothWays = external.merging(["bidirectional": "true"]) { $1 }
    static let unmanagedBothWays = unmanaged.merging(["bidirectional": "true"]) { $1 }
    static let dialbackBothWays = dialback.merging(["bidirectional": "true"]) { $1 }

    /// Makes and starts both.
    ///
    /// - Parameters:
    ///   - policyOfA: what A demands of B.
    ///   - more: further settings of both.
    init(_ policyOfA: Policy, _ policyOfB: Policy? = nil, more: [(String, String)] = [], isTrusted: Bool = true) {
        self.a = FakeHost(self.world, name: "a.test", address: "192.0.2.1")
        self.b = FakeHost(self.world, name: "b.test", address: "192.0.2.2")
        self.world.addresses = ["a.test": "192.0.2.1", "b.test": "192.0.2.2"]
        if isTrusted { self.world.trusted = ["a.test", "b.test"] }
        self.start(self.a, partner: "b.test", policyOfA, more)
        self.start(self.b, partner: "a.test", policyOfB ?? policyOfA, more)
    }

    private func start(_ host: FakeHost, partner: String, _ policy: Policy, _ more: [(String, String)]) {
        var settings = [("listen[0]", "\(host.address):5269"), ("listen_tls[0]", "\(host.address):5270")]
        settings += [("partners[0].domain", partner)] + policy.map { ("partners[0].\($0)", $1) } + more
        let hasStarted = host.start(XMPPProvider.self, settings, homeDomains: [host.name])
        precondition(hasStarted, "\(host.name) does not start: \(host.problems) \(host.log)")
    }

    /// A message from alice on A to bob on B.
    static func message(_ text: String, id: String = "m1") -> Envelope {
        Envelope(
            from: address("alice@a.test"),
            to: address("bob@b.test"),
            id: id,
            content: .message(Message(text: text))
        )
    }

    static func address(_ text: String) -> Address {
        guard let address = Address(text) else { preconditionFailure("\(text) is no address") }
        return address
    }

    /// The texts of the messages that a host's router took, in order.
    static func texts(_ host: FakeHost) -> [String] {
        host.submitted.compactMap { if case .message(let message) = $0.content { message.text } else { nil } }
    }
}
