internal import ArgumentParser
internal import ControlSocket

/// `plugboard explain`: whether something may pass, and why.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say whether something may pass, and which rule decides.",
        discussion: """
            The running router decides, by the code that decides about messages. The last rule made the decision; \
            behind each stands its place in the configuration. \
            Exit status: 0 it may pass; 1 it may not; 69 the router cannot be reached.
            """
    )

    /// What is to pass.
    enum Kind: String, ExpressibleByArgument, CaseIterable {
        case message
        case presence
        case call
    }

    @OptionGroup var options: SocketOptions

    @Argument(help: "The sender's address.")
    var from: String

    @Argument(help: "The recipient's address.")
    var to: String

    @Argument(help: "What is to pass: message, presence or call.")
    var kind = Kind.message

    /// What the network says of the sender.
    enum Sender: String, ExpressibleByArgument, CaseIterable {
        case verified
        case unverified
    }

    @Option(help: "What the network says of the sender: verified or unverified; nothing if absent.")
    var sender: Sender?

    @Flag(help: "Print it as a line of JSON.")
    var json = false

    func run() throws {
        let request = ExplainRequest(
            from: self.from,
            to: self.to,
            kind: self.kind.rawValue,
            sender: self.sender?.rawValue
        )
        let report = try self.options.withClient { client in
            try client.event(of: ControlCommand.explain.rawValue, request, as: ExplainReport.self)
        }
        if self.json {
            Output.json(report)
        } else {
            for line in Self.lines(report) { Output.line(line) }
        }
        if !report.allowed { throw ExitStatus.problem }
    }

    static func lines(_ report: ExplainReport) -> [String] {
        let via = report.provider.map { ", by \($0)" } ?? ""
        var lines = [report.allowed ? "allowed\(via)" : "refused\(via): \(report.refusal ?? "")"].map(Output.plain)
        if let note = report.note { lines.append("  \(Output.plain(note))") }
        guard !report.trail.isEmpty else { return lines }
        var table = TextTable([.text("RULE"), .text("VERDICT"), .text("FINDING"), .text("PLACE")])
        for step in report.trail { table.add([step.rule, step.verdict, step.sentence, step.place]) }
        return lines + [""] + table.lines
    }
}
