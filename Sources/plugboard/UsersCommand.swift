internal import ArgumentParser
internal import ControlSocket
internal import Foundation

/// `plugboard users`: the home users of a running router.
struct UsersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "users",
        abstract: "Show home users, set their presence, and link their accounts on public networks.",
        subcommands: [
            List.self, Show.self, SetPresence.self, Accounts.self, Link.self, Unlink.self,
        ]
    )

    static let exits = "Exit status: 0 all was done; 1 it was refused, and why; 69 the router cannot be reached."

    /// `plugboard users list`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the home users with their presence.",
            discussion: """
                Of a domain that has 'any' users, those are listed of whom something is known. \(UsersCommand.exits)
                """
        )

        @OptionGroup var options: SocketOptions

        @Flag(help: "Print each as a line of JSON.")
        var json = false

        func run() throws {
            let items = try self.options.withClient { client in
                try client.events(of: DirectoryCommand.users.rawValue, UserQuery(), as: UserItem.self)
            }
            if self.json {
                for item in items { Output.json(item) }
            } else {
                for line in UsersText.table(items) { Output.line(line) }
            }
        }
    }

    /// `plugboard users show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show all that is known of one home user.",
            discussion: UsersCommand.exits
        )

        @OptionGroup var options: SocketOptions

        @Argument(help: "The user's address.")
        var user: String

        @Flag(help: "Print it as a line of JSON.")
        var json = false

        func run() throws {
            let item = try self.options.withClient { client in
                try client.event(of: DirectoryCommand.users.rawValue, UserQuery(user: self.user), as: UserItem.self)
            }
            if self.json {
                Output.json(item)
            } else {
                for line in UsersText.lines(item) { Output.line(line) }
            }
        }
    }

    /// `plugboard users set-presence`.
    struct SetPresence: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set-presence",
            abstract: "Set the presence of a home user's device, and tell those who may see it.",
            discussion: UsersCommand.exits
        )

        @OptionGroup var options: SocketOptions

        @Argument(help: "The user's address.")
        var user: String

        @Argument(help: "available, chatty, away, extendedAway, busy or offline.")
        var availability: String

        @Option(help: "In the user's own words.")
        var status = ""

        @Option(help: "The device; 'home' without it.")
        var device = "home"

        @Option(help: "Its rank among the user's devices, -128 to 127.")
        var priority = 0

        func run() throws {
            let request = PresenceRequest(
                user: self.user,
                device: self.device,
                availability: self.availability,
                status: self.status,
                priority: self.priority
            )
            try self.options.withClient { client in
                _ = try client.events(of: DirectoryCommand.setPresence.rawValue, request, as: UserItem.self)
            }
            Output.line("\(Output.plain(self.user)) is \(Output.plain(self.availability))")
        }
    }

    /// `plugboard users accounts`.
    struct Accounts: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "accounts",
            abstract: "List a user's accounts on public networks, without their passwords.",
            discussion: UsersCommand.exits
        )

        @OptionGroup var options: SocketOptions

        @Argument(help: "The user's address.")
        var user: String

        @Flag(help: "Print each as a line of JSON.")
        var json = false

        func run() throws {
            let items = try self.options.withClient { client in
                let query = UserQuery(user: self.user)
                return try client.events(of: DirectoryCommand.accounts.rawValue, query, as: AccountItem.self)
            }
            if self.json {
                for item in items { Output.json(item) }
                return
            }
            guard !items.isEmpty else { return Output.line("there are none") }
            var table = TextTable([.text("PROVIDER"), .text("ACCOUNT"), .text("LINKED")])
            for item in items { table.add([item.provider, item.account, UsersText.time(item.linked)]) }
            for line in table.lines { Output.line(line) }
        }
    }

    /// `plugboard users link`.
    struct Link: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "link",
            abstract: "Link a user's account on a public network; its password is read, and kept in the vault.",
            discussion: """
                The password is the first line of the standard input, or of a file. An account that is linked to the \
                user already gets the new password. \(UsersCommand.exits)
                """
        )

        @OptionGroup var options: SocketOptions
        @OptionGroup var account: Account

        @Option(name: .customLong("password-file"), help: "The file; the standard input without it.")
        var passwordFile: String?

        func run() throws {
            let password: String
            do {
                password = try PasswordInput.read(self.passwordFile)
            } catch {
                Output.error("error: \(error)")
                throw ExitStatus.problem
            }
            try self.account.perform(.linkAccount, self.options, password: password)
            Output.line(Output.plain("\(self.account.account) of \(self.account.provider) is linked"))
        }
    }

    /// `plugboard users unlink`.
    struct Unlink: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "unlink",
            abstract: "Unlink a user's account, and remove its password from the vault.",
            discussion: UsersCommand.exits
        )

        @OptionGroup var options: SocketOptions
        @OptionGroup var account: Account

        func run() throws {
            try self.account.perform(.unlinkAccount, self.options, password: nil)
            Output.line(Output.plain("\(self.account.account) of \(self.account.provider) is unlinked"))
        }
    }

    /// Which account.
    struct Account: ParsableArguments {
        @Argument(help: "The user's address.")
        var user: String

        @Argument(help: "The provider's name in the configuration.")
        var provider: String

        @Argument(help: "What the network calls the user.")
        var account: String

        func perform(_ command: DirectoryCommand, _ options: SocketOptions, password: String?) throws {
            let request = AccountRequest(
                user: self.user,
                provider: self.provider,
                account: self.account,
                password: password
            )
            try options.withClient { client in
                _ = try client.events(of: command.rawValue, request, as: AccountItem.self)
            }
        }
    }
}

/// A password that is typed in or lies in a file: never an argument, which everybody on the machine could read.
enum PasswordInput {
    /// The longest line, in bytes: more than any password that is taken.
    private static let bytesMax = 65_536

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// The first line of a file, or of the standard input.
    static func read(_ path: String?) throws(Failure) -> String {
        let handle: FileHandle
        if let path {
            guard let file = FileHandle(forReadingAtPath: path) else {
                throw Failure(description: "the password file \(path) cannot be read")
            }
            handle = file
        } else {
            handle = .standardInput
        }
        var data = Data()
        while !data.contains(UInt8(ascii: "\n")), data.count < bytesMax {
            guard let more = try? handle.read(upToCount: bytesMax - data.count), !more.isEmpty else { break }
            data += more
        }
        let line = data.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
        guard let password = String(bytes: line, encoding: .utf8), !password.isEmpty else {
            throw Failure(description: "there is no password in the first line of \(path ?? "the standard input")")
        }
        return password
    }
}

/// Users for people.
enum UsersText {
    static func table(_ items: [UserItem]) -> [String] {
        guard !items.isEmpty else { return ["nothing is known of anybody"] }
        var table = TextTable([
            .text("USER"), .text("PRESENCE"), .text("STATUS"), .text("CHANGED"), .number("CONTACTS"),
            .number("REQUESTS"),
        ])
        for item in items {
            table.add([
                item.address, item.presence.availability, item.presence.status, Self.time(item.presence.changed),
                "\(item.contacts)", "\(item.requests)",
            ])
        }
        return table.lines
    }

    static func lines(_ item: UserItem) -> [String] {
        let head = [
            "user:      \(item.address)", "presence:  \(Self.presence(item.presence))",
            "contacts:  \(item.contacts)", "requests:  \(item.requests)",
        ]
        let devices = item.devices.map { device in
            "device:    \(device.name): \(Self.presence(device.presence)), priority \(device.presence.priority)"
        }
        return (head + devices).map(Output.plain)
    }

    private static func presence(_ item: PresenceItem) -> String {
        let words = item.status.isEmpty ? item.availability : "\(item.availability) (\(item.status))"
        return item.changed == 0 ? words : "\(words), since \(Self.time(item.changed))"
    }

    /// `-` for a time that is not known.
    static func time(_ milliseconds: Int64) -> String {
        guard milliseconds > 0 else { return "-" }
        return Date(timeIntervalSince1970: Double(milliseconds / 1000)).formatted(.iso8601)
    }
}
