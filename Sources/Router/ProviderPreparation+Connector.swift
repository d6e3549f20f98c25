internal import CPlugboard
internal import Configuration
internal import IMModel
internal import NIOPosix
internal import NativeCalls
internal import PluginHost
internal import ProviderKit

extension ProviderPreparation {
    /// Loads an ordinary library and makes a provider of it. [loader]
    func prepare(_ section: ProviderSection, _ connector: ConnectorSection) -> ProviderSetup {
        var setup = ProviderSetup(name: section.name)
        let library: ForeignLibrary
        do throws(PluginRefusal) {
            library = try ForeignLibrary(path: connector.library, pin: section.pin)
        } catch {
            setup.refuse(error, section, in: configuration)
            return setup
        }
        let path = section.settingsPath.dropLast().appending(key: "connector")
        var accounts: [ConnectorProvider.Account] = []
        for (index, account) in connector.accounts.enumerated() {
            do throws(SecretError) {
                accounts.append(try ConnectorProvider.Account(account))
            } catch {
                let own = path.appending(key: "accounts").appending(index: index)
                setup.problems.append(problem("\(own): \(error)", at: account.position, own))
            }
        }
        do {
            let foreign = try ForeignConnector(library, connector.manifest)
            let parts = ConnectorProvider.Parts(connector: foreign, accounts: accounts, group: connectors)
            setup.plugin = try Plugin(path: library.path, sha256: library.sha256, table: Self.table(parts))
        } catch let error as ForeignError {
            let role: ConnectorManifest.Role? = if case .missingFunction(let role, _, _) = error { role } else { nil }
            let own = role.map { path.appending(key: $0.rawValue).appending(key: "function") } ?? path
            let position = role.flatMap { connector.positions[$0] } ?? connector.libraryPosition
            setup.problems.append(problem("\(error)", at: position, own))
        } catch {
            setup.problems.append(problem("\(error)", at: connector.libraryPosition, path))
        }
        guard setup.problems.isEmpty else { return setup }
        let domains = configuration.home.domains.map(\.name)
        setup.settings = InstanceSettings(id: section.name, entries: [], homeDomains: domains)
        return setup
    }

    private static func table(_ parts: ConnectorProvider.Parts) -> UnsafePointer<plugboard_plugin_t>? {
        Entry.plugin(ConnectorProvider.self) { host, instance throws(ProviderError) in
            // Instances are made on their loop.
            guard let loop = MultiThreadedEventLoopGroup.currentEventLoop else {
                throw ProviderError("there is no worker on this thread")
            }
            return ConnectorProvider(host: host, instance: instance, parts: parts, loop: loop)
        }
    }

    private func problem(_ message: String, at position: SourcePosition, _ path: SettingPath) -> Problem {
        Problem(
            severity: .error,
            file: configuration.file,
            position: position,
            keyPath: path.description,
            message: message
        )
    }
}

extension ConnectorProvider.Account {
    /// Fetches an account's secrets.
    fileprivate init(_ account: ConnectorSection.Account) throws(SecretError) {
        var values: [String: String] = [:]
        for (name, value) in account.values {
            switch value {
            case .text(let text): values[name] = text
            case .secret(let reference): values[name] = try reference.resolve().text
            }
        }
        self.init(user: account.user.flatMap { Address($0) }, foreign: ForeignAccount(values: values))
    }
}

extension SettingPath {
    fileprivate func dropLast() -> SettingPath { SettingPath(Array(steps.dropLast())) }
}
