internal import ArgumentParser
internal import Configuration

/// `plugboard check`: whether a configuration file can be used.
struct CheckCommand<Parts: RouterParts>: AsyncParsableCommand {
    static var configuration: CommandConfiguration {
        CommandConfiguration(
            commandName: "check",
            abstract: "Check a configuration file, and the settings of its plugins.",
            discussion: """
                Says everything that is wrong at once, with file, line and column. \
                Exit status: 0 the file can be used, though there may be warnings; 1 it cannot.
                """
        )
    }

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Print each problem as a line of JSON.")
    var json = false

    private struct Line: Encodable {
        var severity: String
        var file: String
        var line: Int
        var column: Int
        var keyPath: String
        var message: String
        var suggestion: String?
    }

    func run() async throws {
        let file = self.options.file
        var (configuration, problems) = ConfigurationLoader.examine(file)
        var libraries: [CheckFindings.Library] = []
        if let configuration {
            let findings = await Parts.check(configuration)
            problems += findings.problems
            libraries = findings.libraries
        }
        problems.sort { $0.position < $1.position }
        for problem in problems { self.show(problem) }
        guard let configuration, !problems.contains(where: { $0.severity == .error }) else {
            throw ExitStatus.problem
        }
        if !self.json {
            let count = configuration.providers.count
            Output.line("\(Output.plain(file)): can be used, \(count) provider\(count == 1 ? "" : "s")")
            for library in libraries {
                Output.line("\(library.provider): sha256 \(library.sha256)  \(Output.plain(library.path))")
            }
            if configuration.policy == nil {
                Output.error("note: there is no policy section, so every provider is open to every home user")
            }
        }
    }

    private func show(_ problem: Problem) {
        guard self.json else {
            Output.line(Output.plain(problem.description))
            return
        }
        Output.json(
            Line(
                severity: problem.severity.rawValue,
                file: problem.file,
                line: problem.position.line,
                column: problem.position.column,
                keyPath: problem.keyPath,
                message: problem.message,
                suggestion: problem.suggestion
            )
        )
    }
}
