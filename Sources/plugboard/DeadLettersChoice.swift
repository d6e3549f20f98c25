internal import ArgumentParser
internal import ControlSocket

extension DeadLettersCommand {
    /// Which dead letters are to be changed: by their ids, or all that a filter lets through.
    struct Choice: ParsableArguments {
        @OptionGroup var options: SocketOptions
        @OptionGroup var filter: Filter

        @Argument(help: "Their numbers in the list.")
        var ids: [Int64] = []

        @Flag(help: "All of them, or all that --to-domain and --older-than let through.")
        var all = false

        @Flag(help: "Print what became of each as a line of JSON.")
        var json = false

        func validate() throws {
            guard self.ids.isEmpty == self.all else {
                throw ValidationError("give the numbers of dead letters, or --all, and not both")
            }
            guard self.all || !self.filter.isSet else {
                throw ValidationError("--to-domain and --older-than go with --all, not with numbers")
            }
        }

        /// Carries out a command that takes a ``DeadLetterChoice``, and says what became of each.
        func perform(_ command: ControlCommand) throws {
            let failed = try self.options.withClient { client in
                try self.all ? self.changeAll(&client, command) : self.change(self.ids, &client, command)
            }
            if failed > 0 { throw ExitStatus.problem }
        }

        /// Goes through all of them, in their order.
        private func changeAll(_ client: inout ControlClient, _ command: ControlCommand) throws -> Int {
            // Those that are there now: a retried one that fails again is none of them.
            var (ids, last): ([Int64], Int64?) = ([], nil)
            while true {
                let query = self.filter.query(after: last, limit: DeadLetterQuery.limitMax)
                let page = try client.events(of: ControlCommand.deadLetters.rawValue, query, as: DeadLetterItem.self)
                ids += page.map(\.id)
                last = page.last?.id
                if page.count < DeadLetterQuery.limitMax { break }
            }
            if ids.isEmpty, !self.json { Output.line("there are none") }
            return try self.change(ids, &client, command)
        }

        /// - Returns: of how many it was not done.
        private func change(_ ids: [Int64], _ client: inout ControlClient, _ command: ControlCommand) throws -> Int {
            var failed = 0
            var rest = ids[...]
            while !rest.isEmpty {
                let some = DeadLetterChoice(ids: Array(rest.prefix(DeadLetterChoice.idsMax)))
                rest = rest.dropFirst(some.ids.count)
                for change in try client.events(of: command.rawValue, some, as: DeadLetterChange.self) {
                    self.show(change)
                    if !change.isDone { failed += 1 }
                }
            }
            return failed
        }

        private func show(_ change: DeadLetterChange) {
            if self.json {
                Output.json(change)
            } else if change.isDone {
                Output.line("\(change.id) \(Output.plain(change.detail))")
            } else {
                Output.error("\(change.id): \(Output.plain(change.detail))")
            }
        }
    }
}
