internal import ArgumentParser
internal import ControlSocket

/// `plugboard licences`: who holds which licence.
struct LicencesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "licences",
        abstract: "List, assign or revoke the licences that users hold.",
        discussion: """
            A change counts at once, and is in the audit log with the user who made it. Seats that the configuration \
            assigns are changed there.
            """,
        subcommands: [List.self, Assign.self, Revoke.self, Catalogue.self, LicenceNetworksCommand.self],
        defaultSubcommand: List.self
    )

    /// `plugboard licences list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the seats.",
            discussion: ExitStatus.help
        )

        @OptionGroup var options: SocketOptions

        @Flag(help: "Print each as a line of JSON.")
        var json = false

        func run() throws {
            let seats = try self.options.withClient { client in
                try client.events(of: ControlCommand.seats.rawValue, as: SeatItem.self)
            }
            if self.json {
                for seat in seats { Output.json(seat) }
            } else {
                for line in LicencesCommand.table(seats) { Output.line(line) }
            }
        }
    }

    /// `plugboard licences assign`.
    struct Assign: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "assign",
            abstract: "Give a user a licence.",
            discussion: """
                Of a licence that is not sold any more, policy.providers.*.passed_dates says whether that is refused, \
                warned of or ignored. \(ExitStatus.help)
                """
        )

        @OptionGroup var options: SocketOptions

        @Argument(help: "The user's address.")
        var user: String

        @Argument(help: "The licence, as in the catalogue.")
        var licence: String

        @Option(help: "The first day, such as 2014-06-01; today if absent.")
        var from: String?

        @Option(help: "The last day; without it and --months, the seat has no end.")
        var until: String?

        @Option(help: "For so many months.")
        var months: Int?

        @Flag(help: "Print the result as a line of JSON.")
        var json = false

        func run() throws {
            let request = SeatRequest(
                user: self.user,
                licence: self.licence,
                from: self.from,
                until: self.until,
                months: self.months
            )
            try LicencesCommand.show(self.json) {
                try self.options.withClient { client in
                    try client.event(of: ControlCommand.assignSeat.rawValue, request, as: SeatResult.self)
                }
            }
        }
    }

    /// `plugboard licences revoke`.
    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke",
            abstract: "Take a seat away.",
            discussion: ExitStatus.help
        )

        @OptionGroup var options: SocketOptions

        @Argument(help: "The seat's number in the list.")
        var seat: Int64

        @Flag(help: "Print the result as a line of JSON.")
        var json = false

        func run() throws {
            try LicencesCommand.show(self.json) {
                try self.options.withClient { client in
                    let choice = SeatChoice(id: self.seat)
                    return try client.event(of: ControlCommand.revokeSeat.rawValue, choice, as: SeatResult.self)
                }
            }
        }
    }

    /// `plugboard licences catalogue`.
    struct Catalogue: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "catalogue",
            abstract: "Show the licences that there are, who needs them, and until when they were sold.",
            discussion: ExitStatus.help
        )

        @OptionGroup var options: SocketOptions

        @Flag(help: "Print each as a line of JSON.")
        var json = false

        func run() throws {
            let items = try self.options.withClient { client in
                try client.events(of: ControlCommand.licences.rawValue, as: LicenceItem.self)
            }
            guard !self.json else {
                for item in items { Output.json(item) }
                return
            }
            var table = TextTable([
                .text("LICENCE"), .text("CLOSED FROM"), .number("ACTIVE"), .text("NEEDED BY"), .text("NAME"),
            ])
            for item in items {
                let needed = item.providers.isEmpty ? "-" : item.providers.joined(separator: " ")
                table.add([item.licence, item.closedFrom ?? "-", "\(item.active)", needed, item.name])
            }
            for line in table.lines { Output.line(line) }
        }
    }

    /// Prints what became of a change.
    fileprivate static func show(_ json: Bool, _ change: () throws -> SeatResult) throws {
        let result = try change()
        if json {
            Output.json(result)
        } else {
            for warning in result.warnings { Output.error("warning: \(Output.plain(warning))") }
            if let done = result.done { Output.line(Output.plain(done)) }
            if let refusal = result.refusal { Output.error("refused: \(Output.plain(refusal))") }
        }
        if result.refusal != nil { throw ExitStatus.problem }
    }

    /// Seats as a table.
    static func table(_ seats: [SeatItem]) -> [String] {
        var table = TextTable([
            .number("SEAT"), .text("USER"), .text("LICENCE"), .text("FROM"), .text("UNTIL"), .text("STATE"),
        ])
        for seat in seats {
            let id = seat.id.map { "\($0)" } ?? "config"
            table.add([id, seat.user, seat.licence, seat.from, seat.until ?? "-", seat.state])
        }
        return table.lines
    }
}
