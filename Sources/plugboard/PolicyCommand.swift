internal import ArgumentParser
internal import ControlSocket
internal import Foundation

/// `plugboard policy`: what the policy of a running router says.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Show the policy, what home users may by it, and who changed or was refused what.",
        subcommands: [Rules.self, Show.self, Audit.self],
        defaultSubcommand: Rules.self
    )

    /// `plugboard policy rules`.
    struct Rules: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rules",
            abstract: "Show every setting of the policy with its place, also those that are not written down.",
            discussion: ExitStatus.help
        )

        @OptionGroup var options: SocketOptions

        @Flag(help: "Print each as a line of JSON.")
        var json = false

        func run() throws {
            let settings = try self.options.withClient { client in
                try client.events(of: ControlCommand.policyRules.rawValue, as: PolicySetting.self)
            }
            guard !self.json else {
                for setting in settings { Output.json(setting) }
                return
            }
            guard !settings.isEmpty else {
                return Output.line("there is no policy: every provider is open to every home user")
            }
            var table = TextTable([.text("SETTING"), .text("VALUE"), .text("PLACE")])
            for setting in settings { table.add([setting.setting, setting.value, setting.place]) }
            for line in table.lines { Output.line(line) }
        }
    }

    /// `plugboard policy show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a home user's external access, each setting with its place, and seats.",
            discussion: ExitStatus.help
        )

        @OptionGroup var options: SocketOptions

        @Argument(help: "The user's address.")
        var user: String

        @Flag(help: "Print it as a line of JSON.")
        var json = false

        func run() throws {
            let report = try self.options.withClient { client in
                let request = PolicyUserRequest(user: self.user)
                return try client.event(of: ControlCommand.policyUser.rawValue, request, as: PolicyUserReport.self)
            }
            guard !self.json else { return Output.json(report) }
            guard report.hasPolicy else {
                return Output.line(
                    "there is no policy: \(Output.plain(report.user)) may talk to every provider's users"
                )
            }
            var table = TextTable([.text("ACCESS"), .text("ALLOWED"), .text("PLACE")])
            for access in report.access { table.add([access.setting, access.allowed ? "yes" : "no", access.place]) }
            for line in table.lines { Output.line(line) }
            guard !report.seats.isEmpty else { return }
            Output.line("")
            for line in LicencesCommand.table(report.seats) { Output.line(line) }
        }
    }

    /// `plugboard policy audit`.
    struct Audit: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "audit",
            abstract: "Show the newest entries of the audit log: changes and refusals.",
            discussion: """
                Of a flood of refusals some are written, with the number of the others. \(ExitStatus.help)
                """
        )

        @OptionGroup var options: SocketOptions

        @Option(name: .shortAndLong, help: "At most so many.")
        var limit = 100

        @Flag(help: "Print each as a line of JSON.")
        var json = false

        func validate() throws {
            guard (1...10_000).contains(self.limit) else {
                throw ValidationError("--limit must be from 1 to 10000, not \(self.limit)")
            }
        }

        func run() throws {
            let items = try self.options.withClient { client in
                try client.events(
                    of: ControlCommand.audit.rawValue,
                    AuditRequest(limit: self.limit),
                    as: AuditItem.self
                )
            }
            guard !self.json else {
                for item in items { Output.json(item) }
                return
            }
            let format = ISO8601DateFormatter()
            for item in items {
                let time = format.string(from: Date(timeIntervalSince1970: Double(item.at) / 1000))
                Output.line(Output.plain("\(time)  \(item.actor)  \(item.what): \(item.detail)"))
            }
        }
    }
}
