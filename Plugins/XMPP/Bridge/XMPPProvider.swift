package import ProviderKit

/// XMPP (RFC 6120, RFC 6121): federation with other organisations' servers, or a component of the organisation's own.
///
/// RFC 6120 (partial: between servers, with EXTERNAL and dialback; nothing of clients). RFC 6121 (partial: stanzas between
/// servers; rosters, and what presence means, are the router's).
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
        settings: XMPPSchema.settings + ComponentSchema.settings,
        commands: commands
    )

    private static let commands: [Command] = [
        Command(
            "partners",
            .text("after", standard: ""),
            answers: .text,
            help: "Reports each partner domain behind AFTER as a line of JSON; plugboard partners shows them."
        ) { (provider: XMPPProvider, after) in try provider.federation.partnerReport(after: after) },
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

    private let engine: any Engine

    /// The engine of an instance that federates.
    ///
    /// - Throws: if this one is a component.
    var federation: Federation {
        get throws(ProviderError) {
            guard let federation = self.engine as? Federation else {
                throw ProviderError("this instance is a component of an XMPP server and has no partners")
            }
            return federation
        }
    }

    /// Checks the settings together: domains, and what partners' policies say that cannot work.
    package static func check(_ instance: InstanceInfo, problems: inout Problems) {
        if ComponentSettings.areMeant(by: instance.settings) {
            _ = ComponentSettings(instance, problems: &problems)
        } else {
            _ = XMPPSettings(instance, problems: &problems)
        }
    }

    /// Reads the settings; nothing is begun.
    package init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        var problems = Problems()
        if ComponentSettings.areMeant(by: instance.settings) {
            let settings = ComponentSettings(instance, problems: &problems)
            try Self.check(problems)
            self.engine = ComponentGateways(host: host, settings: settings)
            return
        }
        let settings = XMPPSettings(instance, problems: &problems)
        try Self.check(problems)
        do {
            self.engine = try Federation(host: host, settings: settings)
        } catch {
            throw ProviderError("the host has no digests, which dialback needs: \(error)")
        }
    }

    private static func check(_ problems: Problems) throws(ProviderError) {
        guard let problem = problems.all.first(where: \.isError) else { return }
        throw ProviderError(problem.sentence, setting: problem.path)
    }

    /// Federation claims the partners' domains and listens for their servers; a component connects to its server.
    package func start() throws(ProviderError) { try self.engine.start() }

    /// Takes every envelope, as soon as it is known who is blocked: what a partner's queue has no room for is put off.
    package func deliver(_ delivery: Delivery) -> Bool {
        guard self.engine.isReady else { return false }
        self.engine.send(delivery)
        return true
    }

    /// Goes on with what partners sent while the router had no room.
    package func room() { self.engine.room() }

    /// Stops listening, sends what waits, and ends all streams.
    package func drain() { self.engine.drain() }

    /// Forgets all streams.
    package func stop() { self.engine.stop() }

    /// The way out to each partner, and each stream that partners opened.
    package func links() -> [LinkReport] { self.engine.reports }
}
