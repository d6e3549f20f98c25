internal import ArgumentParser
internal import ControlSocket
internal import Foundation

/// `plugboard test PARTNER`: a trial connection that explains each step.
struct TestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Connect to a partner on trial, and explain each step.",
        discussion: """
            DNS, TCP, TLS, certificate, and authentication are tried as for real; no message is sent. \
            Exit status: 0 the partner lets us in; 1 it does not, or there is no such partner; \
            69 the router cannot be reached.
            """
    )

    @OptionGroup var options: SocketOptions

    @Option(name: .shortAndLong, help: "How many seconds to wait for the end of the trial, from 1 to 600.")
    var timeout = 120

    @Flag(help: "Print each step as a line of JSON.")
    var json = false

    @Argument(help: "One of the partner's domains.")
    var partner: String

    /// Between two looks at how far the trial is, in seconds.
    private static let interval = 0.1

    /// One step of the trial, or its end.
    struct Step: Codable {
        /// `dns`, `tcp`, `tls`, `certificate` or `authentication`; nil at the end.
        var step: String?
        var good: Bool
        var text: String?
        /// The trial has ended, and `good` says how.
        var done: Bool?
        var partner: String?
    }

    func validate() throws {
        guard (1...600).contains(self.timeout) else {
            throw ValidationError("--timeout must be from 1 to 600, not \(self.timeout)")
        }
    }

    func run() throws {
        let isGood = try self.options.withClient { client in
            let provider = try PartnerCommands.provider(of: self.partner, &client)
            _ = try PartnerCommands.call(provider, "test", [self.partner], &client)
            return try self.follow(provider, &client)
        }
        guard isGood else { throw ExitStatus.problem }
    }

    /// Prints steps as they come, and returns whether the trial went well.
    private func follow(_ provider: String, _ client: inout ControlClient) throws -> Bool {
        let end = Date(timeIntervalSinceNow: Double(self.timeout))
        var shown = 0
        while Date() < end {
            let lines = try PartnerCommands.call(provider, "trial", [self.partner], &client).split(separator: "\n")
            for line in lines.dropFirst(shown) {
                let step = try PartnerCommands.decode(Step.self, String(line))
                self.show(step)
                if step.done == true { return step.good }
            }
            shown = lines.count
            Thread.sleep(forTimeInterval: Self.interval)
        }
        Output.error("error: the trial did not end within \(self.timeout) s")
        return false
    }

    private func show(_ step: Step) {
        if self.json { return Output.json(step) }
        if step.done == true {
            return Output.line(step.good ? "the partner can be reached" : "the partner cannot be reached")
        }
        let name = (step.step ?? "").padding(toLength: 14, withPad: " ", startingAt: 0)
        Output.line(Output.plain("\(step.good ? "good" : "bad ")  \(name)  \(step.text ?? "")"))
    }
}
