internal import ArgumentParser
internal import ControlSocket

/// `plugboard providers`: single providers of a running router.
struct ProvidersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "providers",
        abstract: "Show what policy says of the providers, or start those that were stopped.",
        subcommands: [List.self, Enable.self],
        defaultSubcommand: List.self
    )

    /// `plugboard providers list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the providers: enabled or not, verification, licence and end of life.",
            discussion: ExitStatus.help
        )

        @OptionGroup var options: SocketOptions

        @Flag(help: "Print each as a line of JSON.")
        var json = false

        func run() throws {
            let items = try self.options.withClient { client in
                try client.events(of: ControlCommand.providers.rawValue, as: ProviderItem.self)
            }
            guard !self.json else {
                for item in items { Output.json(item) }
                return
            }
            var table = TextTable([
                .text("PROVIDER"), .text("STATE"), .text("NETWORK"), .text("ENABLED"), .text("VERIFICATION"),
                .text("LICENCE"), .text("END OF LIFE"), .text("PASSED DATES"),
            ])
            for item in items {
                table.add([
                    item.name, item.state, item.network ?? "-", item.enabled ? "yes" : "no", item.verification ?? "-",
                    item.licence ?? "-", item.endOfLife ?? "-", item.passedDates ?? "-",
                ])
            }
            for line in table.lines { Output.line(line) }
            for item in items where !item.watched.isEmpty {
                Output.line("watched by \(item.name): \(Output.plain(item.watched.joined(separator: " ")))")
            }
        }
    }

    /// `plugboard providers enable`.
    struct Enable: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "enable",
            abstract: "Start a provider that is in quarantine, was stopped for a fault, or did not start.",
            discussion: """
                A provider that held up the whole router is in quarantine after the restart that this took. \
                Exit status: 0 the provider runs; 1 it does not, and why; 69 the router cannot be reached.
                """
        )

        @OptionGroup var options: SocketOptions

        @Argument(help: "The provider's name in the configuration.")
        var provider: String

        func run() throws {
            try self.options.withClient { client in
                let request = EnableRequest(provider: self.provider)
                let result = try client.event(of: ControlCommand.enable.rawValue, request, as: EnableResult.self)
                if let reason = result.reason {
                    Output.error("refused: \(Output.plain(reason))")
                    throw ExitStatus.problem
                }
                Output.line("\(Output.plain(self.provider)) runs")
            }
        }
    }
}
