internal import ArgumentParser
internal import Configuration
internal import ControlSocket
internal import Foundation

/// `plugboard dead-letters`: the messages that a running router has given up.
struct DeadLettersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "List, show, retry or drop the messages that the router has given up.",
        discussion: """
            A message is given up when its destination refuses it for good, when its attempts are used up, or when it \
            expires. Its sender is told, and the message is kept as a dead letter, as long and as many as \
            spool.dead_letters in the configuration says.
            """,
        subcommands: [List.self, Show.self, Retry.self, Drop.self]
    )

    private static let exits = """
        Exit status: 0 all was done; 1 something was not, and it says why; 69 the router cannot be reached.
        """

    /// Which dead letters are meant, where no ids are given.
    struct Filter: ParsableArguments {
        @Option(name: .long, help: "Only messages to addresses of this domain.")
        var toDomain: String?

        @Option(name: .long, help: "Only messages given up at least so long ago, such as 90m, 12h or 7d.")
        var olderThan: String?

        func validate() throws {
            if let olderThan = self.olderThan, DurationText.parse(olderThan) == nil {
                throw ValidationError("--older-than must be a duration such as 90m, 12h or 7d, not '\(olderThan)'")
            }
        }

        /// Whether there is any.
        var isSet: Bool { self.toDomain != nil || self.olderThan != nil }

        func query(after: Int64? = nil, limit: Int) -> DeadLetterQuery {
            DeadLetterQuery(
                toDomain: self.toDomain,
                olderThanMs: self.olderThan.flatMap(DurationText.parse).map(DurationText.milliseconds),
                after: after,
                limit: limit
            )
        }
    }

    /// `plugboard dead-letters list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List dead letters, the oldest first.",
            discussion: DeadLettersCommand.exits
        )

        @OptionGroup var options: SocketOptions
        @OptionGroup var filter: Filter

        @Option(name: .shortAndLong, help: "At most so many.")
        var limit = 100

        @Option(name: .long, help: "Only those that were given up after this one.")
        var after: Int64?

        @Flag(help: "Print each as a line of JSON.")
        var json = false

        func validate() throws {
            guard (1...DeadLetterQuery.limitMax).contains(self.limit) else {
                throw ValidationError("--limit must be from 1 to \(DeadLetterQuery.limitMax), not \(self.limit)")
            }
        }

        func run() throws {
            // One more than is shown tells whether there are more.
            let wanted = min(self.limit + 1, DeadLetterQuery.limitMax)
            let query = self.filter.query(after: self.after, limit: wanted)
            let all = try self.options.withClient { client in
                try client.events(of: ControlCommand.deadLetters.rawValue, query, as: DeadLetterItem.self)
            }
            let items = all.prefix(self.limit)
            if self.json {
                for item in items { Output.json(item) }
            } else {
                for line in DeadLettersText.table(Array(items)) { Output.line(line) }
                if all.count > items.count, let last = items.last {
                    Output.error("there are more: add --after \(last.id)")
                }
            }
        }
    }

    /// `plugboard dead-letters show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show all that is known of one dead letter.",
            discussion: DeadLettersCommand.exits
        )

        @OptionGroup var options: SocketOptions

        @Argument(help: "Its number in the list.")
        var id: Int64

        @Flag(help: "Also show what the message says.")
        var text = false

        @Flag(help: "Print it as a line of JSON.")
        var json = false

        func run() throws {
            let choice = DeadLetterChoice(ids: [self.id], withText: self.text)
            let item = try self.options.withClient { client in
                try client.event(of: ControlCommand.showDeadLetter.rawValue, choice, as: DeadLetterItem.self)
            }
            if self.json {
                Output.json(item)
            } else {
                for line in DeadLettersText.lines(item) { Output.line(line) }
            }
        }
    }

    /// `plugboard dead-letters retry`.
    struct Retry: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retry",
            abstract: "Put dead letters back in line, each for a new attempt.",
            discussion: """
                They keep the key by which a network can recognise a second delivery, and get a whole new time to \
                expire. \(DeadLettersCommand.exits)
                """
        )

        @OptionGroup var choice: Choice

        func run() throws { try self.choice.perform(.retryDeadLetters) }
    }

    /// `plugboard dead-letters drop`.
    struct Drop: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drop",
            abstract: "Delete dead letters for good.",
            discussion: DeadLettersCommand.exits
        )

        @OptionGroup var choice: Choice

        func run() throws { try self.choice.perform(.dropDeadLetters) }
    }
}
