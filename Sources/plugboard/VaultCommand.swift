internal import ArgumentParser
internal import Configuration
internal import Foundation
internal import Vault

/// `plugboard vault`: the sealed secrets of plugins and users.
struct VaultCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vault",
        abstract: "Look after the vault, in which passwords and tokens are sealed.",
        discussion: "No command shows a secret. Exit status: 0 it is done; 1 it is not.",
        subcommands: [Init.self, Status.self, List.self, Rotate.self]
    )

    /// Makes a key and an empty vault.
    struct Init: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the key file of vault.key, unless it is there, and an empty vault.",
            discussion: "Keep a copy of the key apart from copies of the vault: without it, the secrets are lost."
        )

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let place = try VaultPlace(options)
            try VaultPlace.reporting {
                try place.makeFolder()
                let id = try VaultRotation.initialize(path: place.path, source: place.source)
                Output.line(Output.plain("made \(place.path), sealed with the key \(id) in \(place.source)"))
            }
        }
    }

    /// Whether the vault can be opened.
    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say whether the configured key is the vault's, and how much is in it.",
            discussion: "It works while a router runs, too."
        )

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let place = try VaultPlace(options)
            try VaultPlace.reporting {
                let summary = try SecretVault.summary(path: place.path)
                let count = summary.names.count
                Output.line(
                    Output.plain("\(place.path): \(count) secret\(count == 1 ? "" : "s"), key \(summary.keyID)")
                )
                let key = try VaultRotation.usableKey(path: place.path, source: place.source)
                Output.line(Output.plain("the key in \(place.source) opens it (\(key.id))"))
            }
        }
    }

    /// Names, never values.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the names of the secrets, and whose they are.",
            discussion: "It works while a router runs, too."
        )

        @OptionGroup var options: ConfigurationOptions

        func run() throws {
            let place = try VaultPlace(options)
            try VaultPlace.reporting {
                var table = TextTable([.text("INSTANCE"), .text("NAME"), .text("KEY")])
                for name in try SecretVault.summary(path: place.path).names {
                    table.add([Output.plain(name.space), Output.plain(name.name), name.keyID])
                }
                for line in table.lines { Output.line(line) }
            }
        }
    }

    /// Seals everything with a new key.
    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Seal everything with a new key. The router must not run.",
            discussion: """
                With a key file, a new key takes its place, and the old one stays beside it as FILE.old, for old backups. \
                With a key in the environment, name the new one with --new-key, and configure it afterwards. \
                All secrets change over at once, or none; a crash leaves a vault that opens.
                """
        )

        @OptionGroup var options: ConfigurationOptions

        @Option(help: "Where the new key is: file:PATH or env:NAME. Without it one is made.")
        var newKey: String?

        func run() throws {
            let place = try VaultPlace(options)
            var newSource: VaultKeySource?
            if let newKey {
                let folder = FileManager.default.currentDirectoryPath
                guard let reference = SecretReference(parsing: newKey, in: folder) else {
                    throw ValidationError("--new-key must be file:PATH or env:NAME")
                }
                newSource = VaultKeySource(reference)
            }
            try VaultPlace.reporting {
                let outcome = try VaultRotation.rotate(path: place.path, source: place.source, newSource: newSource)
                Output.line("sealed \(outcome.secrets) secrets anew: key \(outcome.oldKeyID) → \(outcome.newKeyID)")
                if let newSource { Output.line(Output.plain("now configure \(newSource) as vault.key")) }
            }
        }
    }
}

/// The vault that a configuration file names.
struct VaultPlace {
    let path: String
    let source: VaultKeySource

    /// - Throws: ``ExitStatus/problem`` if the file cannot be used, or names no vault.
    init(_ options: ConfigurationOptions) throws {
        let configuration = try options.load()
        guard let key = configuration.vault.key else {
            Output.error("\(Output.plain(configuration.file)) has no vault: write vault: { key: file:vault.key }")
            throw ExitStatus.problem
        }
        path = "\(configuration.router.state)/vault.db"
        source = VaultKeySource(key)
    }

    func makeFolder() throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
        try FileManager.default.createDirectory(
            at: folder,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }

    /// Says what is wrong, and ends with ``ExitStatus/problem``.
    static func reporting(_ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as StoreError {
            Output.error(Output.plain("\(error)"))
            throw ExitStatus.problem
        }
    }
}

extension VaultKeySource {
    /// The source that a setting names.
    init(_ reference: SecretReference) {
        switch reference {
        case .file(let path): self = .file(path)
        case .environment(let name): self = .environment(name)
        }
    }
}
