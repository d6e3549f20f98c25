package import Configuration
internal import Logging
internal import PluginHost
internal import Synchronization
internal import Telemetry

internal import struct NIOConcurrencyHelpers.NIOLockedValueBox

/// What an upgrade has done.
package struct UpgradeAnswer: Sendable {
    /// Why nothing was done: the file, or its plugin, cannot take over.
    package var refusal: String?
    /// What the new version finds wrong with the settings; nothing was done if there are errors.
    package var problems: [Problem] = []
    /// What was done, a sentence each.
    package var done: [String] = []
    /// Providers that go on with the old version, with the reason.
    package var failed: [String] = []

    package init(refusal: String? = nil, problems: [Problem] = []) {
        self.refusal = refusal
        self.problems = problems
    }
}

// Another version of a plugin while the router runs.
extension Router {
    /// Replaces the instances of a plugin by instances of the plugin in another file.
    ///
    /// Each new instance is started beside the old one, and takes the traffic over; the old library stays in memory. The
    /// configuration file goes on to name what the next start loads.
    ///
    /// - Parameters:
    ///   - name: a provider, its plugin as the configuration names it, or the plugin's id. All providers of that plugin
    ///     are upgraded.
    ///   - file: a path.
    ///   - sha256: what the file's SHA-256 is to be, in hexadecimal digits; nil: what the configuration pins, if it does.
    ///     It counts as pinned from then on, until a reload.
    package func upgrade(_ name: String, file: String, sha256: String? = nil) async -> UpgradeAnswer {
        await turns.take()
        defer { turns.give() }
        let preparation = ProviderPreparation(
            currentConfiguration,
            copies: "\(configuration.router.state)/plugins"
        )
        let answer: UpgradeAnswer
        do throws(PluginRefusal) {
            let pinned = try pin(of: name, file)
            let wanted = sha256?.lowercased() ?? pinned
            let plugin = try preparation.load(file: file, pin: wanted)
            answer = await upgrade(name, to: plugin, preparation)
            if answer.refusal == nil, answer.failed.isEmpty, let sha256 { notePin(sha256.lowercased(), of: plugin) }
        } catch {
            answer = UpgradeAnswer(refusal: "\(error)")
        }
        log(answer, of: name, file)
        return answer
    }

    private func log(_ answer: UpgradeAnswer, of name: String, _ file: String) {
        log(answer.problems)
        for sentence in answer.done {
            logger.log(.notice, "an upgrade was made", [.provider: name, .change: sentence])
        }
        for sentence in answer.failed + [answer.refusal].compactMap(\.self) {
            let fields: [LogField: String] = [.provider: name, .path: file, .reason: sentence]
            logger.log(.error, "an upgrade was not made, and the old version goes on", fields)
        }
    }

    /// The same with a plugin that was loaded; the caller has the turn.
    func upgrade(
        _ name: String,
        to plugin: Plugin,
        _ preparation: ProviderPreparation
    ) async -> UpgradeAnswer {
        guard isIn([.running]) else { return UpgradeAnswer(refusal: "the router does not run") }
        let before = applied.withLockedValue { $0 }
        guard let old = Self.plugin(named: name, in: before) else {
            return UpgradeAnswer(refusal: "no provider and no plugin of the configuration is called \(name)")
        }
        guard old.description.id == plugin.description.id else {
            let (found, wanted) = (plugin.description.id, old.description.id)
            return UpgradeAnswer(refusal: "\(plugin.path) is the plugin \(found), and \(name) is \(wanted)")
        }
        let names = before.setups.filter { $0.plugin?.description.id == old.description.id }.map(\.name)
        let sections = before.configuration.providers.filter { names.contains($0.name) }
        let setups = sections.map { preparation.prepare($0, with: plugin) }
        var answer = UpgradeAnswer(problems: setups.flatMap(\.problems))
        guard setups.allSatisfy(\.isReady) else {
            answer.refusal = "the settings are not right for version \(plugin.description.version)"
            return answer
        }
        for setup in setups { await upgrade(setup, from: before, &answer) }
        return answer
    }

    /// Whoever pinned a digest for the plugin that was replaced pins this one now.
    private func notePin(_ sha256: String, of plugin: Plugin) {
        applied.withLockedValue { applied in
            let names = applied.setups.filter { $0.plugin?.table == plugin.table }.map(\.name)
            for index in applied.configuration.providers.indices
            where names.contains(applied.configuration.providers[index].name)
                && applied.configuration.providers[index].pin != nil
            {
                applied.configuration.providers[index].pin = sha256
            }
        }
    }

    /// The digest that the configuration pins for the providers that are called so: an upgrade keeps to it.
    private func pin(of name: String, _ file: String) throws(PluginRefusal) -> String? {
        let applied = applied.withLockedValue { $0 }
        guard let old = Self.plugin(named: name, in: applied) else { return nil }
        let names = applied.setups.filter { $0.plugin?.description.id == old.description.id }.map(\.name)
        let pins = Set(applied.configuration.providers.filter { names.contains($0.name) }.compactMap(\.pin))
        guard let first = pins.first else { return nil }
        guard pins.count == 1 else {
            throw .unreadable(path: file, reason: "the configuration pins several digests for it")
        }
        return first
    }

    /// The plugin that a provider runs, or that is called so.
    private static func plugin(named name: String, in applied: Applied) -> Plugin? {
        if let setup = applied.setups.first(where: { $0.name == name }) { return setup.plugin }
        let section = applied.configuration.providers.first { $0.plugin.text == name }
        if let section { return applied.setups.first { $0.name == section.name }?.plugin }
        return applied.setups.compactMap(\.plugin).first { $0.description.id == name }
    }

    private func upgrade(_ setup: ProviderSetup, from before: Applied, _ answer: inout UpgradeAnswer) async {
        guard let plugin = setup.plugin, let settings = setup.settings else { return }
        let old = before.setups.first { $0.name == setup.name }?.plugin
        let change = "\(setup.name): \(old?.description.version ?? "?") → \(plugin.description.version)"
        let runtime = core.runtimes.first { $0.name == setup.name }
        do {
            if let runtime, await onLoop(of: runtime, { $0.isRunning }) ?? false {
                guard old?.table != plugin.table else {
                    answer.done.append("\(setup.name) runs this file already")
                    return
                }
                let takenBack = try await replace(setup.name, plugin, settings)
                let rest = takenBack == 0 ? "" : ", \(takenBack) unfinished envelopes went to the new version"
                answer.done.append(change + rest)
            } else {
                try await startAnew(setup.name, plugin, settings)
                answer.done.append("\(change), it did not run before")
            }
            applied.withLockedValue { applied in
                guard let index = applied.setups.firstIndex(where: { $0.name == setup.name }) else { return }
                applied.setups[index] = setup
            }
        } catch {
            answer.failed.append("\(setup.name) goes on as it was: \(error)")
        }
    }
}
