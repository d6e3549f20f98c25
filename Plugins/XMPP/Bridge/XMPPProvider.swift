package import ProviderKit

/// Federation with other organisations' XMPP servers (RFC 6120, RFC 6121), server to server.
package final class XMPPProvider: Provider {
    /// What the plugin is, can do, and can be told.
    package static let descriptor = Descriptor(
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
        settings: XMPPSchema.settings,
        commands: commands
    )

    private static let commands: [Command] = [
        Command(
            "partners",
            .text("after", standard: ""),
            answers: .text,
            help: "Reports each partner domain behind AFTER as a line of JSON; plugboard partners shows them."
        ) { (provider: XMPPProvider, after) in provider.federation.partnerReport(after: after) },
        Command("block", .text("domain"), answers: .text, help: "Ends all links with a partner, and opens no more.") {
            (provider: XMPPProvider, domain) in try provider.federation.block(domain)
        },
        Command("unblock", .text("domain"), answers: .text, help: "Lets a blocked partner in again.") {
            (provider: XMPPProvider, domain) in try provider.federation.unblock(domain)
        },
        Command(
            "test",
            .text("domain"),
            answers: .text,
            help: "Begins a trial connection to a partner; plugboard test shows how it goes."
        ) { (provider: XMPPProvider, domain) in try provider.federation.startTrial(domain) },
        Command("trial", .text("domain"), answers: .text, help: "Reports each step of the trial as a line of JSON.") {
            (provider: XMPPProvider, domain) in try provider.federation.trialReport(domain)
        },
    ]

    let federation: Federation

    /// Checks the settings together: domains, and what partners' policies say that cannot work.
    package static func check(_ instance: InstanceInfo, problems: inout Problems) {
        _ = XMPPSettings(instance, problems: &problems)
    }

    /// Reads the settings; nothing is begun.
    package init(host: Host, instance: InstanceInfo) throws(ProviderError) {
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

    /// Claims the partners' domains and listens for their servers.
    package func start() throws(ProviderError) { try self.federation.start() }

    /// Takes every envelope, as soon as it is known who is blocked: what a partner's queue has no room for is put off.
    package func deliver(_ delivery: Delivery) -> Bool {
        guard self.federation.isReady else { return false }
        self.federation.send(delivery)
        return true
    }

    /// Goes on with what partners sent while the router had no room.
    package func room() { self.federation.room() }

    /// Stops listening, sends what waits, and ends all streams.
    package func drain() { self.federation.drain() }

    /// Forgets all streams.
    package func stop() { self.federation.stop() }

    /// The way out to each partner, and each stream that partners opened.
    package func links() -> [LinkReport] { self.federation.reports }
}
