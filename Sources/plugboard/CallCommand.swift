internal import ArgumentParser
internal import ControlSocket

/// `plugboard call`: a command of a provider in a running router.
struct CallCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Call a command of a provider, or list its commands.",
        discussion: """
            Without a command, the provider's commands are listed. Options come before the provider's name; \
            everything after it belongs to the command. \
            Exit status: 0 it was done; 1 it failed or was refused; 69 the router cannot be reached.
            """
    )

    @OptionGroup var options: SocketOptions

    @Option(name: .shortAndLong, help: "How many seconds to wait for the answer, from 1 to 60.")
    var timeout = 5

    @Flag(help: "Print the answer, or each command, as a line of JSON.")
    var json = false

    @Argument(help: "The provider's name in the configuration file.")
    var provider: String

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The command and its arguments.", valueName: "command")
    )
    var words: [String] = []

    func validate() throws {
        guard (1...60).contains(timeout) else {
            throw ValidationError("--timeout must be from 1 to 60, not \(timeout)")
        }
    }

    func run() throws {
        let request = CallRequest(
            provider: provider,
            command: words.first,
            arguments: Array(words.dropFirst()),
            timeoutMs: Int64(timeout) * 1000
        )
        // The router answers by then; a little later it is the router that does not.
        try options.withClient(timeout: .seconds(timeout + 5)) { client in
            guard request.command != nil else { return try list(request, &client) }
            let result = try client.event(of: ControlCommand.call.rawValue, request, as: CallResult.self)
            if json {
                Output.json(result)
            } else if let answer = result.answer {
                for line in answer.split(separator: "\n", omittingEmptySubsequences: false) {
                    Output.line(Output.plain(String(line)))
                }
            }
        }
    }

    private func list(_ request: CallRequest, _ client: inout ControlClient) throws {
        let reports = try client.events(of: ControlCommand.call.rawValue, request, as: CommandReport.self)
        if json {
            for report in reports { Output.json(report) }
        } else if reports.isEmpty {
            Output.line("\(Output.plain(provider)) has no commands")
        } else {
            for line in reports.flatMap(Self.lines) { Output.line(Output.plain(line)) }
        }
    }

    /// A command for people: how it is typed, what it does, and each argument.
    static func lines(_ report: CommandReport) -> [String] {
        if let refusal = report.refusal { return [refusal] }
        let answer = report.answer == "nothing" ? "" : " → \(report.answer)"
        let arguments = report.arguments.map { argument in
            "    \(argument.name.uppercased()): \(argument.type)"
                + (argument.standard.map { "; without it '\($0)'" } ?? "")
        }
        return ["\(report.usage)\(answer)", "    \(report.help)"] + arguments
    }
}
