public import ProviderKit

/// Federation with other organisations' XMPP servers (RFC 6120, RFC 6121), server to server.
public final class XMPPProvider: Provider {
    public static let descriptor = Descriptor(
        id: "org.plugboard.xmpp",
        name: "XMPP",
        version: "1.0.0",
        vendor: "Plugboard",
        capabilities: [
            Capability("messages"),
            Capability("messages.corrections"),
            Capability("receipts.delivered"),
            Capability("receipts.read"),
            Capability("typing"),
            Capability("presence"),
        ],
        settings: XMPPSchema.settings
    )

    private let federation: Federation

    public static func check(_ instance: InstanceInfo, problems: inout Problems) {
        _ = XMPPSettings(instance, problems: &problems)
    }

    public init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        var problems = Problems()
        let settings = XMPPSettings(instance, problems: &problems)
        if let problem = problems.all.first(where: \.isError) {
            throw ProviderError(problem.sentence, setting: problem.path)
        }
        do {
            self.federation = try Federation(host: host, settings: settings)
        } catch {
            throw ProviderError("the host has no digests, which dialback needs: \(error)")
        }
    }

    public func start() throws(ProviderError) { try self.federation.start() }

    /// Takes everything: what a partner's queue has no room for is put off.
    public func deliver(_ delivery: Delivery) -> Bool {
        self.federation.send(delivery)
        return true
    }

    public func room() { self.federation.room() }

    public func drain() { self.federation.drain() }

    public func stop() { self.federation.stop() }

    public func links() -> [LinkReport] { self.federation.reports }
}
