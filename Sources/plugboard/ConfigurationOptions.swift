internal import ArgumentParser
internal import Configuration
internal import Foundation

/// Which configuration file a command reads.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "The configuration file.",
            discussion: """
                Without it: what PLUGBOARD_CONFIG names, else plugboard.yaml in this directory, else \
                /etc/plugboard/plugboard.yaml.
                """,
            valueName: "file"
        )
    )
    var config: String?

    private static let installed = "/etc/plugboard/plugboard.yaml"
    private static let local = "plugboard.yaml"

    /// The file that the options and the environment name.
    var file: String {
        if let config = self.config { return config }
        if let named = ProcessInfo.processInfo.environment["PLUGBOARD_CONFIG"], !named.isEmpty { return named }
        return FileManager.default.fileExists(atPath: Self.local) ? Self.local : Self.installed
    }

    /// Reads the file and prints its problems to the standard error.
    ///
    /// - Throws: ``ExitStatus/problem`` when it cannot be used.
    func load() throws -> RouterConfiguration {
        let (configuration, problems) = ConfigurationLoader.load(self.file)
        for problem in problems { Output.error(Output.plain(problem.description)) }
        guard let configuration else { throw ExitStatus.problem }
        return configuration
    }
}
