/// `home:` the organisation's own domains and users.
package struct HomeSection: Hashable, Sendable {
    /// Who has an address in a domain.
    package enum Users: Hashable, Sendable {
        /// Every local part is somebody.
        case any
        /// Only these local parts, in the order of the file.
        case listed([String])
    }

    package struct Domain: Hashable, Sendable {
        /// In small letters.
        package var name: String
        package var users: Users
        /// The provider that serves the users, such as a component of the organisation's XMPP server; nil: the router itself.
        package var servedBy: String?
    }

    /// In the order of the file.
    package var domains: [Domain]
    /// How long after the link to a network was lost the presence of those behind it becomes unknown.
    package var presenceGrace: Duration

    static let presenceGraceDefault = "60s"

    /// Those whose users are the router's own.
    package var ownDomains: [Domain] { self.domains.filter { $0.servedBy == nil } }

    /// The providers that serve the others, by domain.
    package var servers: [String: String] {
        Dictionary(self.domains.compactMap { domain in domain.servedBy.map { (domain.name, $0) } }) { first, _ in first
        }
    }

    /// Longest local part, in bytes (RFC 6122 §2.3 has the largest limit of the networks).
    static let userLengthMax = 1023

    static let rules = [
        SettingRule("home", .map),
        SettingRule("home.domains", .map, isRequired: true, help: "the organisation's own domains"),
        SettingRule("home.domains.*.users", .anything, help: "a list of users, or 'any'"),
        SettingRule("home.domains.*.served_by", .string, help: "in place of 'users': the provider that serves them"),
        SettingRule(
            "home.presence_grace",
            .duration(.zero ... .seconds(86400)),
            defaultValue: Self.presenceGraceDefault,
            help: "how long after a link was lost the presence of those behind it becomes unknown"
        ),
    ]

    init(_ root: SettingNode, _ context: inout SectionContext) {
        self.domains = []
        let grace = (root["home"]?["presence_grace"]?.text).flatMap(DurationText.parse)
        self.presenceGrace = grace ?? DurationText.parse(Self.presenceGraceDefault) ?? .zero
        let path = SettingPath([.key("home"), .key("domains")])
        for member in root["home"]?["domains"]?.members ?? [] {
            guard let name = context.domain(member, in: path) else { continue }
            guard !self.domains.contains(where: { $0.name == name }) else {
                context.problems.error(
                    "the domain '\(name)' is there twice in home.domains",
                    at: member.keyPosition,
                    path: path.appending(key: member.key),
                    suggestion: "capital letters make no difference in a domain"
                )
                continue
            }
            let domainPath = path.appending(key: member.key)
            let usersPath = domainPath.appending(key: "users")
            let servedBy = member.node["served_by"]?.text
            switch (member.node["users"], servedBy) {
            case (let users?, nil):
                self.domains.append(Domain(name: name, users: Self.users(users, at: usersPath, &context)))
            case (nil, let servedBy?):
                self.domains.append(Domain(name: name, users: .listed([]), servedBy: servedBy))
            case (nil, nil):
                context.problems.error("missing key 'users' in \(domainPath)", at: member.keyPosition, path: usersPath)
            case (.some, .some):
                context.problems.error(
                    "\(domainPath) has both users and served_by",
                    at: member.keyPosition,
                    path: usersPath,
                    suggestion: "leave users out: the provider knows who there is"
                )
            }
        }
    }

    private static func users(_ node: SettingNode, at path: SettingPath, _ context: inout SectionContext) -> Users {
        switch node.value {
        case .scalar("any", _):
            return .any
        case .list(let elements):
            return .listed(Self.listed(elements, at: path, &context))
        case .scalar(let text, _):
            context.problems.error(
                "\(path) must be a list of users or 'any', not \(Shown.quoted(text))",
                at: node.position,
                path: path,
                suggestion: "write [\(text.isEmpty ? "alice" : text)] for one user"
            )
        case .null, .map:
            context.problems.error(
                "\(path) must be a list of users or 'any', not \(node.kindName)",
                at: node.position,
                path: path
            )
        }
        return .listed([])
    }

    private static func listed(
        _ elements: [SettingNode],
        at path: SettingPath,
        _ context: inout SectionContext
    ) -> [String] {
        var users: [String] = []
        var seen: Set<String> = []
        for (index, element) in elements.enumerated() {
            let text = element.text ?? ""
            let isUser =
                (1...Self.userLengthMax).contains(text.utf8.count)
                && !text.contains { $0.isWhitespace || "@/\"&'<>:".contains($0) || $0 < " " }
            if !isUser {
                context.problems.error(
                    "\(path.appending(index: index)) must be the part of an address before the '@', "
                        + "not \(element.text == nil ? element.kindName : Shown.quoted(text))",
                    at: element.position,
                    path: path.appending(index: index)
                )
            } else if !seen.insert(text.lowercased()).inserted {
                context.problems.error(
                    "the user \(Shown.quoted(text)) is there twice in \(path)",
                    at: element.position,
                    path: path.appending(index: index)
                )
            } else {
                users.append(text.lowercased())
            }
        }
        return users
    }
}
