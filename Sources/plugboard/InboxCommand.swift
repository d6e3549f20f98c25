internal import ArgumentParser
internal import ControlSocket
internal import Foundation

/// `plugboard inbox`: what arrived for the home users.
struct InboxCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inbox",
        abstract: "Show the messages that arrived for home users.",
        discussion: "Exit status: 0 they were shown; 1 the router refused to; 69 the router cannot be reached."
    )

    @OptionGroup var options: SocketOptions

    @Argument(help: "The home user whose messages are shown; all without it.")
    var address: String?

    @Option(name: .long, help: "Only messages after this sequence number.")
    var after: UInt64 = 0

    @Option(name: .shortAndLong, help: "At most so many of those that have arrived already, the newest.")
    var limit = 1000

    @Flag(name: .shortAndLong, help: "Go on with those that arrive from now on, until interrupted.")
    var follow = false

    @Flag(help: "Print each message as a line of JSON.")
    var json = false

    func validate() throws {
        guard (1...InboxRequest.limitMax).contains(self.limit) else {
            throw ValidationError("--limit must be from 1 to \(InboxRequest.limitMax), not \(self.limit)")
        }
    }

    func run() throws {
        let request = InboxRequest(address: self.address, after: self.after, limit: self.limit, follow: self.follow)
        try self.options.withClient { client in
            if self.follow { client.waitForever() }
            try client.send(ControlCommand.inbox.rawValue, request)
            while let item = try client.nextEvent(as: InboxItem.self) {
                if self.json { Output.json(item) } else { Output.line(Self.line(item)) }
            }
        }
    }

    /// One message as a line for people.
    ///
    /// For example `12  2026-11-24T09:15:02Z  bob@b.test → alice@a.test  hello`
    static func line(_ item: InboxItem) -> String {
        let time = Date(timeIntervalSince1970: Double(item.timestamp / 1000)).formatted(.iso8601)
        let kind = item.kind == "message" ? "" : " (\(item.kind))"
        return Output.plain("\(item.sequence)  \(time)  \(item.from) → \(item.to)\(kind)  \(item.text)")
    }
}
