internal import ArgumentParser

/// `plugboard`: the root of the commands.
struct PlugboardCommand<Parts: RouterParts>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "plugboard",
            abstract: "Routes instant messages between networks.",
            discussion: ExitStatus.help,
            version: Parts.version,
            subcommands: [
                RunCommand<Parts>.self,
                CheckCommand<Parts>.self,
                SettingsCommand.self,
                StatusCommand.self,
                PluginsCommand.self,
                SendCommand.self,
                InboxCommand.self,
                CallCommand.self,
                PartnersCommand.self,
                TestCommand.self,
                MetricsCommand.self,
                DeadLettersCommand.self,
                SpoolCommand.self,
                ReloadCommand.self,
                UpgradeCommand.self,
                VaultCommand.self,
                ProvidersCommand.self,
                ExplainCommand.self,
                PolicyCommand.self,
                LicencesCommand.self,
                UsersCommand.self,
                ContactsCommand.self,
            ]
        )
    }

    /// Parses the arguments, carries out the command, and ends the process with an ``ExitStatus``.
    static func runProgram() async -> Never {
        do {
            var command = try Self.parseAsRoot()
            if var asyncCommand = command as? any AsyncParsableCommand {
                try await asyncCommand.run()
            } else {
                try command.run()
            }
        } catch {
            let code = Self.exitCode(for: error)
            // A command that threw an exit code has said everything already.
            let message = error is ExitCode ? "" : Self.fullMessage(for: error)
            if code == .success {
                if !message.isEmpty { Output.line(message) }
            } else if !message.isEmpty {
                Output.error(message)
            }
            Self.exit(withError: code == .validationFailure ? ExitStatus.usage : code)
        }
        Self.exit()
    }
}

/// How the program ends.
enum ExitStatus {
    /// Something was refused, or is wrong.
    static let problem = ExitCode(1)
    /// The command line cannot be understood.
    static let usage = ExitCode(2)
    /// The router cannot be reached (EX_UNAVAILABLE of sysexits.h).
    static let unavailable = ExitCode(69)

    static let help = """
        Exit status: 0 all is well; 1 something was refused or is wrong; 2 the command line cannot be understood; \
        69 the router cannot be reached.
        """
}
