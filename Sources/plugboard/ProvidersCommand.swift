internal import ArgumentParser
internal import ControlSocket

/// `plugboard providers`: single providers of a running router.
struct ProvidersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "providers",
        abstract: "Start providers of a running router that were stopped.",
        subcommands: [Enable.self]
    )

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
