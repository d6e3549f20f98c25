internal import ArgumentParser
internal import ControlSocket

/// `plugboard reload`: a running router reads its configuration file again.
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Make a running router read its configuration file again.",
        discussion: """
            If the file has an error, nothing changes. What is not different is not touched: its links stay up. \
            SIGHUP does the same. \
            Exit status: 0 the router runs what the file says; 1 it does not, and said why; \
            69 the router cannot be reached.
            """
    )

    @OptionGroup var options: SocketOptions

    @Flag(help: "Print the answer as a line of JSON.")
    var json = false

    func run() throws {
        try self.options.withClient(isFileSound: false) { client in
            // Providers that are stopped may take their time to finish.
            client.waitForever()
            let result = try client.event(of: ControlCommand.reload.rawValue, as: ReloadResult.self)
            if self.json { Output.json(result) } else { Self.show(result) }
            guard result.applied, result.failed.isEmpty else { throw ExitStatus.problem }
        }
    }

    private static func show(_ result: ReloadResult) {
        for problem in result.problems { Output.line(Output.plain(problem)) }
        for sentence in result.failed { Output.line("failed: \(Output.plain(sentence))") }
        guard result.applied else { return Output.line("nothing was changed") }
        for sentence in result.done { Output.line(Output.plain(sentence)) }
        if !result.unchanged.isEmpty {
            Output.line("unchanged: \(Output.plain(result.unchanged.joined(separator: ", ")))")
        }
        for key in result.needsRestart { Output.line("needs a restart: \(Output.plain(key))") }
        if result.done.isEmpty, result.failed.isEmpty { Output.line("nothing is different") }
    }
}
