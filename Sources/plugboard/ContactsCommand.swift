internal import ArgumentParser
internal import ControlSocket

/// `plugboard contacts`: the home users' contact lists in a running router.
struct ContactsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contacts",
        abstract: "List and change the contacts of a home user.",
        subcommands: [List.self, Add.self, Rename.self, Remove.self, Approve.self, Deny.self]
    )

    static let exits = "Exit status: 0 all was done; 1 it was refused, and why; 69 the router cannot be reached."

    /// Whose list.
    struct Owner: ParsableArguments {
        @OptionGroup var options: SocketOptions

        @Argument(help: "The home user's address.")
        var user: String

        @Flag(help: "Print lines of JSON.")
        var json = false
    }

    /// Whose list, and who on it.
    struct Entry: ParsableArguments {
        @OptionGroup var owner: Owner

        @Argument(help: "The contact's address.")
        var contact: String

        /// Carries a change out, and says what came of it.
        func perform(
            _ change: ContactChangeRequest.Change,
            name: String? = nil,
            groups: [String]? = nil,
            asks: Bool = false
        ) throws {
            let request = ContactChangeRequest(
                user: self.owner.user,
                contact: self.contact,
                change: change,
                name: name,
                groups: groups,
                asks: asks
            )
            let result = try self.owner.options.withClient { client in
                try client.event(of: DirectoryCommand.changeContact.rawValue, request, as: ContactChangeResult.self)
            }
            if self.owner.json {
                Output.json(result)
            } else if let contact = result.contact {
                Output.line(Output.plain("\(contact.address): \(ContactsText.standing(contact))"))
            } else {
                Output.line("\(Output.plain(self.contact)): removed")
            }
            if let refusal = result.refusal {
                Output.error("nothing was sent: \(Output.plain(refusal))")
                throw ExitStatus.problem
            }
        }
    }

    /// `plugboard contacts list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List a user's contacts, and those who wait for the user's answer.",
            discussion: ContactsCommand.exits
        )

        @OptionGroup var owner: Owner

        func run() throws {
            let items = try self.owner.options.withClient { client in
                let query = UserQuery(user: self.owner.user)
                return try client.events(of: DirectoryCommand.contacts.rawValue, query, as: ContactItem.self)
            }
            if self.owner.json {
                for item in items { Output.json(item) }
            } else {
                for line in ContactsText.table(items) { Output.line(line) }
            }
        }
    }

    /// `plugboard contacts add`.
    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Put a contact on a user's list, and ask to see its presence.",
            discussion: ContactsCommand.exits
        )

        @OptionGroup var entry: Entry

        @Option(help: "The name it is listed under.")
        var name: String?

        @Option(name: .customLong("group"), help: "A group it is in; may be given several times.")
        var groups: [String] = []

        @Flag(name: .customLong("silently"), help: "Ask for nothing.")
        var isSilent = false

        func run() throws {
            let groups = self.groups.isEmpty ? nil : self.groups
            try self.entry.perform(.add, name: self.name, groups: groups, asks: !self.isSilent)
        }
    }

    /// `plugboard contacts rename`.
    struct Rename: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rename",
            abstract: "Give a contact another name or other groups.",
            discussion: ContactsCommand.exits
        )

        @OptionGroup var entry: Entry

        @Option(help: "The name it is listed under.")
        var name: String?

        @Option(name: .customLong("group"), help: "A group it is in, in place of those it was in; may be repeated.")
        var groups: [String] = []

        @Flag(name: .customLong("no-groups"), help: "It is in no group.")
        var isAlone = false

        func validate() throws {
            guard self.name != nil || !self.groups.isEmpty || self.isAlone else {
                throw ValidationError("give --name, --group or --no-groups")
            }
            guard self.groups.isEmpty || !self.isAlone else {
                throw ValidationError("--group and --no-groups exclude each other")
            }
        }

        func run() throws {
            let groups = self.groups.isEmpty && !self.isAlone ? nil : self.groups
            try self.entry.perform(.edit, name: self.name, groups: groups)
        }
    }

    /// `plugboard contacts remove`.
    struct Remove: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove",
            abstract: "Take a contact off a user's list, and end what each sees of the other.",
            discussion: ContactsCommand.exits
        )

        @OptionGroup var entry: Entry

        func run() throws { try self.entry.perform(.remove) }
    }

    /// `plugboard contacts approve`.
    struct Approve: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "approve",
            abstract: "Let a contact see the user's presence, now or as soon as it asks.",
            discussion: ContactsCommand.exits
        )

        @OptionGroup var entry: Entry

        func run() throws { try self.entry.perform(.approve) }
    }

    /// `plugboard contacts deny`.
    struct Deny: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "deny",
            abstract: "Refuse a contact's request, or let it see the user's presence no longer.",
            discussion: ContactsCommand.exits
        )

        @OptionGroup var entry: Entry

        func run() throws { try self.entry.perform(.deny) }
    }
}

/// Contacts for people.
enum ContactsText {
    static func table(_ items: [ContactItem]) -> [String] {
        guard !items.isEmpty else { return ["there are none"] }
        var table = TextTable([
            .text("CONTACT"), .text("NAME"), .text("GROUPS"), .text("SEES"), .text("PRESENCE"), .text("STATUS"),
        ])
        for item in items {
            table.add([
                item.address, item.name, item.groups.joined(separator: ", "), Self.standing(item),
                item.presence?.availability ?? "-", item.presence?.status ?? "",
            ])
        }
        return table.lines
    }

    /// Who sees whose presence, and who waits for whom.
    static func standing(_ item: ContactItem) -> String {
        var words = [item.subscription]
        if item.asked { words.append("asked") }
        if item.requests {
            words.append(item.introduction.isEmpty ? "wants to see" : "wants to see: \(item.introduction)")
        }
        if item.approved { words.append("approved") }
        return words.joined(separator: ", ")
    }
}
