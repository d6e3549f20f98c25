internal import ArgumentParser

/// `plugboard run`: the router itself.
struct RunCommand<Parts: RouterParts>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "run",
            abstract: "Run the router until it gets SIGTERM or SIGINT.",
            discussion: "Exit status: 0 it stopped as told; 1 it cannot start, or had to stop."
        )
    }

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let configuration = try self.options.load()
        do {
            try await Parts.run(configuration)
        } catch {
            Output.error("error: \(error)")
            throw ExitStatus.problem
        }
    }
}
