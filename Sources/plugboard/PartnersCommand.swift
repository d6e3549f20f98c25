internal import ArgumentParser
internal import ControlSocket
internal import Foundation

/// `plugboard partners`: the federated domains of all providers that have some.
struct PartnersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "partners",
        abstract: "Show, block and unblock the domains that the router federates with.",
        discussion: """
            Any provider with a command called 'partners' takes part. \
            Exit status: 0 it was done; 1 it failed or was refused; 69 the router cannot be reached.
            """,
        subcommands: [List.self, Block.self, Unblock.self],
        defaultSubcommand: List.self
    )

    /// `plugboard partners list`: see its help.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Show each partner: its links, the latest attempts to reach it, and the messages in and out."
        )

        @OptionGroup var options: SocketOptions

        @Flag(help: "Print each partner as a line of JSON.")
        var json = false

        func run() throws {
            let partners = try self.options.withClient { client in
                try PartnerCommands.providers(&client).flatMap { try PartnerCommands.reports(of: $0, &client) }
            }
            if self.json {
                for partner in partners { Output.json(partner) }
            } else if partners.isEmpty {
                Output.line("no provider has partners")
            } else {
                for line in partners.flatMap(\.lines) { Output.line(Output.plain(line)) }
            }
        }
    }

    /// `plugboard partners block DOMAIN`: see its help.
    struct Block: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End all links with a partner and open no more, also after a restart."
        )

        @OptionGroup var options: SocketOptions
        @Argument(help: "One of the partner's domains.") var domain: String

        func run() throws { try PartnerCommands.change("block", self.domain, self.options) }
    }

    /// `plugboard partners unblock DOMAIN`: see its help.
    struct Unblock: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a blocked partner in again.")

        @OptionGroup var options: SocketOptions
        @Argument(help: "One of the partner's domains.") var domain: String

        func run() throws { try PartnerCommands.change("unblock", self.domain, self.options) }
    }
}

/// One partner domain, as its provider reports it.
struct PartnerReport: Codable {
    struct Link: Codable {
        var state: String
        var detail: String
        var waiting: Int
        /// In ms since 1970.
        var since: Int64
    }

    struct Attempt: Codable {
        /// In ms since 1970.
        var at: Int64
        var target: String
        var succeeded: Bool
        /// In the words of the protocol; nil after a success.
        var error: String?
        /// In plain words.
        var meaning: String?
    }

    /// The provider that it is a partner of; the command adds it.
    var provider: String?
    var domain: String
    var blocked: Bool
    var messagesIn: Int
    var messagesOut: Int
    var links: [Link]
    var attempts: [Attempt]

    enum CodingKeys: String, CodingKey {
        case provider, domain, blocked, links, attempts
        case messagesIn = "messages_in"
        case messagesOut = "messages_out"
    }

    /// For people.
    var lines: [String] {
        let state = self.blocked ? "blocked" : self.links.contains { $0.state == "up" } ? "up" : "no link"
        let head =
            "\(self.domain) (\(self.provider ?? "")): \(state); messages in \(self.messagesIn), out \(self.messagesOut)"
        let links = self.links.filter { !$0.detail.isEmpty }.map { link in
            "    link \(link.state): \(link.detail)" + (link.waiting > 0 ? "; \(link.waiting) waiting" : "")
        }
        let attempts = self.attempts.map { attempt in
            let time = Date(timeIntervalSince1970: Double(attempt.at) / 1000).formatted(.iso8601)
            let target = attempt.target.isEmpty ? "" : " \(attempt.target)"
            guard !attempt.succeeded else { return "    \(time)\(target): connected" }
            return "    \(time)\(target): \(attempt.meaning ?? "failed") [\(attempt.error ?? "")]"
        }
        return [head] + links + attempts
    }
}

/// What the commands about partners ask of providers.
enum PartnerCommands {
    /// The commands of a provider with partners: `partners AFTER` reports some behind a name, a line of JSON each.
    static let list = "partners"

    /// The providers that have partners.
    static func providers(_ client: inout ControlClient) throws -> [String] {
        let report = try client.event(of: ControlCommand.status.rawValue, as: StatusReport.self)
        return try report.instances.map(\.name).filter { name in
            do {
                let request = CallRequest(provider: name)
                let commands = try client.events(of: ControlCommand.call.rawValue, request, as: CommandReport.self)
                return commands.contains { $0.name == Self.list }
            } catch ControlError.refused {
                // The home users, or what does not run just now.
                return false
            }
        }
    }

    /// All partners of a provider.
    static func reports(of provider: String, _ client: inout ControlClient) throws -> [PartnerReport] {
        var all: [PartnerReport] = []
        while true {
            let after = all.last?.domain ?? ""
            let lines = try Self.call(provider, Self.list, [after], &client).split(separator: "\n")
            if lines.isEmpty { return all }
            for line in lines {
                var partner = try Self.decode(PartnerReport.self, String(line))
                partner.provider = provider
                // One that comes again would come for ever.
                guard partner.domain > after else { throw ControlError.malformed("\(provider) repeats its partners") }
                all.append(partner)
            }
        }
    }

    /// Asks the one provider whose partner it is, and returns its answer.
    static func call(
        _ provider: String,
        _ command: String,
        _ arguments: [String],
        _ client: inout ControlClient
    ) throws -> String {
        let request = CallRequest(provider: provider, command: command, arguments: arguments)
        return try client.event(of: ControlCommand.call.rawValue, request, as: CallResult.self).answer ?? ""
    }

    /// The provider that a domain is a partner of.
    static func provider(of domain: String, _ client: inout ControlClient) throws -> String {
        let providers = try Self.providers(&client)
        for provider in providers {
            let reports = try Self.reports(of: provider, &client)
            if reports.contains(where: { $0.domain == domain.lowercased() }) { return provider }
        }
        let none = providers.isEmpty ? "no provider has partners" : "no provider has the partner \(domain)"
        Output.error("error: \(Output.plain(none)); see plugboard partners")
        throw ExitStatus.problem
    }

    /// Carries out `block` or `unblock`.
    static func change(_ command: String, _ domain: String, _ options: SocketOptions) throws {
        let answer = try options.withClient { client in
            try Self.call(try Self.provider(of: domain, &client), command, [domain], &client)
        }
        Output.line(Output.plain(answer))
    }

    /// Reads a line of JSON from a provider.
    static func decode<Value: Decodable>(_ type: Value.Type, _ line: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(line.utf8))
        } catch {
            throw ControlError.malformed("a provider's report about a partner cannot be read: \(error)")
        }
    }
}
