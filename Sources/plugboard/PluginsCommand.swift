internal import ArgumentParser
internal import ControlSocket

/// `plugboard plugins`: which plugins a running router found, loaded and refused.
struct PluginsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plugins",
        abstract: "List the plugins that a running router found, and why it refused some.",
        discussion: "Exit status: 0 no plugin was refused; 1 some were; 69 the router cannot be reached."
    )

    @OptionGroup var options: SocketOptions

    @Flag(help: "Print each plugin as a line of JSON.")
    var json = false

    func run() throws {
        try self.options.withClient { client in
            let reports = try client.events(of: ControlCommand.plugins.rawValue, as: PluginReport.self)
            if self.json {
                for report in reports { Output.json(report) }
            } else {
                for line in Self.lines(reports) { Output.line(line) }
            }
            if reports.contains(where: { $0.state == .refused }) { throw ExitStatus.problem }
        }
    }

    static func lines(_ reports: [PluginReport]) -> [String] {
        guard !reports.isEmpty else { return ["no plugins were found: see plugin_path in the configuration file"] }
        var table = TextTable([.text("STATE"), .text("ID"), .text("VERSION"), .text("VENDOR"), .text("PATH")])
        for report in reports {
            table.add([
                report.state.rawValue, report.id ?? "-", report.version ?? "-", report.vendor ?? "-", report.path,
            ])
        }
        let digests = reports.compactMap { report in
            report.sha256.map { "sha256 \($0)  \(Output.plain(report.path))" }
        }
        let reasons = reports.flatMap { report in
            ((report.reason.map { [$0] } ?? []) + (report.commandRefusals ?? [])).map {
                "\(Output.plain(report.path)): \(Output.plain($0))"
            }
        }
        return [table.lines, digests, reasons].filter { !$0.isEmpty }.joined(separator: [""]).map(\.self)
    }
}
