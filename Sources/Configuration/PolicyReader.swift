internal import IMModel
internal import Policy

/// Reads `policy:`, and says what contradicts itself or the rest of the file.
struct PolicyReader {
    var context: SectionContext
    let file: String
    let home: HomeSection
    let providers: [ProviderSection]
    private var rules: PolicyRules
    /// Who has a proxy's name, by that name.
    private var proxies: [String: String] = [:]
    private let root = SettingPath([.key("policy")])

    /// Reads the section.
    ///
    /// - Returns: nil if there is none.
    static func read(
        _ node: SettingNode?,
        file: String,
        home: HomeSection,
        providers: [ProviderSection],
        _ context: inout SectionContext
    ) -> PolicyRules? {
        guard let node else { return nil }
        var reader = PolicyReader(node, file, home, providers, context)
        reader.read(node)
        context = reader.context
        return reader.rules
    }

    private init(
        _ node: SettingNode,
        _ file: String,
        _ home: HomeSection,
        _ providers: [ProviderSection],
        _ context: SectionContext
    ) {
        (self.context, self.file, self.home, self.providers) = (context, file, home, providers)
        let position = node.position
        rules = PolicyRules(
            place: Place(file: file, line: position.line, column: position.column, keyPath: "policy")
        )
    }

    private mutating func read(_ node: SettingNode) {
        rules.federation = flag(node["federation"], at: root.appending(key: "federation")) ?? rules.federation
        let discovery = flag(node["partner_discovery"], at: root.appending(key: "partner_discovery"))
        rules.partnerDiscovery = discovery ?? rules.partnerDiscovery
        readDiscovered(node["discovered"])
        readLicences(node["licences"])
        readProviders(node["providers"])
        readPartners(node["partners"])
        readAccess(node["access"])
        readSeats(node["seats"])
    }

    private mutating func readDiscovered(_ node: SettingNode?) {
        guard let node else { return }
        let normal = DiscoveredLimits()
        let limits = DiscoveredLimits(
            messagesPerSecond: node["messages_per_second"]?.text.flatMap { Int($0) } ?? normal.messagesPerSecond,
            targets: node["targets"]?.text.flatMap { Int($0) } ?? normal.targets
        )
        rules.discovered = Placed(limits, at: place(node.position, root.appending(key: "discovered")))
    }

    // MARK: Providers and licences

    private mutating func readLicences(_ node: SettingNode?) {
        let path = root.appending(key: "licences")
        for member in node?.members ?? [] {
            let own = path.appending(key: member.key)
            guard LicenceRule.isID(member.key), member.key != "none" else {
                error(
                    "a licence's name must be 1 to 64 letters, digits, '-' or '_', not \(Shown.quoted(member.key))",
                    member.keyPosition,
                    own
                )
                continue
            }
            let known = rules.licences.first { $0.id == member.key }
            let closedNode = member.node["closed_from"]
            let closed =
                closedNode == nil ? known?.closedFrom : date(closedNode, at: own.appending(key: "closed_from"))
            let name = member.node["name"]?.text ?? known?.name ?? member.key
            rules.licences.removeAll { $0.id == member.key }
            rules.licences.append(
                LicenceRule(member.key, name: name, closedFrom: closed, at: place(member.keyPosition, own))
            )
        }
    }

    private mutating func readProviders(_ node: SettingNode?) {
        let path = root.appending(key: "providers")
        for member in node?.members ?? [] {
            let own = path.appending(key: member.key)
            guard let section = providers.first(where: { $0.name == member.key }) else {
                let nearest = Suggestion.nearest(to: member.key, among: providers.map(\.name))
                error(
                    "\(own) is about a provider that there is not",
                    member.keyPosition,
                    own,
                    nearest.map { "did you mean '\($0)'?" } ?? "add it to providers, or remove it here"
                )
                continue
            }
            rules.providers.append(provider(member, section, own))
        }
        for section in providers where node?[section.name] == nil {
            context.problems.warning(
                "policy.providers does not name \(section.name), which is not enabled then",
                at: section.pluginPosition,
                path: SettingPath([.key("providers"), .key(section.name)])
            )
        }
    }

    private mutating func provider(
        _ member: SettingNode.Member,
        _ section: ProviderSection,
        _ path: SettingPath
    ) -> ProviderRule {
        let node = member.node
        let written: Placed<Network>? = choice(node["network"], at: path.appending(key: "network"))
        let network = written?.value ?? Network(guessedFrom: section.plugin.guess)
        var rule = ProviderRule(section.name, network: network, enabled: false, at: place(member.keyPosition, path))
        rule.enabled = flag(node["enabled"], at: path.appending(key: "enabled")) ?? rule.enabled
        rule.verification = choice(node["verification"], at: path.appending(key: "verification")) ?? rule.verification
        rule.passedDates = choice(node["passed_dates"], at: path.appending(key: "passed_dates")) ?? rule.passedDates
        if let end = node["end_of_life"] { rule.endOfLife = date(end, at: path.appending(key: "end_of_life")) }
        if let licence = node["licence"], let text = licence.text {
            let own = path.appending(key: "licence")
            rule.licence = text == "none" ? nil : Placed(text, at: place(licence.position, own))
            checkLicence(text, licence.position, own)
        }
        rule.proxy = proxy(node["proxy"], of: section.name, at: path.appending(key: "proxy"))
        return rule
    }

    private mutating func checkLicence(_ id: String, _ position: SourcePosition, _ path: SettingPath) {
        guard id != "none", !rules.licences.contains(where: { $0.id == id }) else { return }
        error(
            "\(path) names the licence \(Shown.quoted(id)), which is not in the catalogue",
            position,
            path,
            "there are \(rules.licences.map(\.id).joined(separator: ", ")); policy.licences adds others"
        )
    }

    // MARK: Partners

    private mutating func readPartners(_ node: SettingNode?) {
        let path = root.appending(key: "partners")
        var seen: [String: SettingPath] = [:]
        for (index, element) in (node?["allowed"]?.elements ?? []).enumerated() {
            readPartner(element, path.appending(key: "allowed").appending(index: index), &seen)
        }
        for (index, element) in (node?["blocked"]?.elements ?? []).enumerated() {
            let own = path.appending(key: "blocked").appending(index: index)
            guard let domain = partnerDomain(element, own, &seen) else { continue }
            rules.blocked.append(Placed(domain, at: place(element.position, own)))
        }
    }

    private mutating func readPartner(_ node: SettingNode, _ path: SettingPath, _ seen: inout [String: SettingPath]) {
        guard let named = node["domain"], let domain = partnerDomain(named, path.appending(key: "domain"), &seen) else {
            return
        }
        var others: [String] = []
        for (index, element) in (node["other_domains"]?.elements ?? []).enumerated() {
            let own = path.appending(key: "other_domains").appending(index: index)
            if let other = partnerDomain(element, own, &seen) { others.append(other) }
        }
        let own = place(named.position, path)
        var rule = PartnerRule(domain, otherDomains: others, type: .publicUnverified, at: own)
        rule.type = choice(node["type"], at: path.appending(key: "type")) ?? rule.type
        rule.proxy = proxy(node["proxy"], of: domain, at: path.appending(key: "proxy"))
        rules.allowed.append(rule)
    }

    /// A domain that is on neither list, in small letters.
    private mutating func partnerDomain(
        _ node: SettingNode,
        _ path: SettingPath,
        _ seen: inout [String: SettingPath]
    ) -> String? {
        guard let text = node.text else { return nil }
        guard NetworkNames.isDomain(text) else {
            error("\(path) must be a domain name, not \(Shown.quoted(text))", node.position, path)
            return nil
        }
        let domain = text.lowercased()
        if let other = seen[domain] {
            error("the domain \(domain) is in \(path) and in \(other)", node.position, path, "keep one of them")
            return nil
        }
        if home.domains.contains(where: { $0.name == domain }) {
            error("\(path) names \(domain), which is a home domain", node.position, path, "remove it here")
            return nil
        }
        seen[domain] = path
        return domain
    }

    /// The name of a proxy that nobody else has.
    private mutating func proxy(_ node: SettingNode?, of owner: String, at path: SettingPath) -> Placed<String>? {
        guard let node, let text = node.text else { return nil }
        guard NetworkNames.isDomain(text) else {
            error("\(path) must be the name of a host, not \(Shown.quoted(text))", node.position, path)
            return nil
        }
        let name = text.lowercased()
        if let other = proxies[name] {
            error("the proxy \(name) of \(owner) is \(other)'s already", node.position, path, "a proxy has one owner")
            return nil
        }
        proxies[name] = owner
        return Placed(name, at: place(node.position, path))
    }

    // MARK: Access policies and seats

    private mutating func readAccess(_ node: SettingNode?) {
        let path = root.appending(key: "access")
        if let global = node?["global"] { rules.global = access(global, path.appending(key: "global")) }
        for member in node?["domains"]?.members ?? [] {
            let own = path.appending(key: "domains").appending(key: member.key)
            let domain = member.key.lowercased()
            guard home.domains.contains(where: { $0.name == domain }) else {
                error("\(own) is about a domain that is no home domain", member.keyPosition, own)
                continue
            }
            rules.domains[domain] = access(member.node, own)
        }
        for member in node?["users"]?.members ?? [] {
            let own = path.appending(key: "users").appending(key: member.key)
            guard let user = user(member.key, member.keyPosition, own) else { continue }
            rules.users[user] = access(member.node, own)
        }
    }

    private mutating func access(_ node: SettingNode, _ path: SettingPath) -> AccessRule {
        var rule = AccessRule()
        for right in AccessRight.allCases {
            if let setting = flag(node[right.key], at: path.appending(key: right.key)) { rule.rights[right] = setting }
        }
        return rule
    }

    private mutating func readSeats(_ node: SettingNode?) {
        for (index, element) in (node?.elements ?? []).enumerated() {
            let own = root.appending(key: "seats").appending(index: index)
            guard let name = element["user"],
                let user = user(name.text ?? "", name.position, own.appending(key: "user")),
                let licence = element["licence"], let id = licence.text,
                let from = date(element["from"], at: own.appending(key: "from"))?.value
            else { continue }
            checkLicence(id, licence.position, own.appending(key: "licence"))
            let until = date(element["until"], at: own.appending(key: "until"))?.value
            if let until, until < from {
                error("\(own) ends before it begins", element.position, own)
            } else {
                checkSale(id, from, element.position, own)
            }
            rules.seats.append(
                Seat(user: user, licence: id, from: from, until: until, at: place(element.position, own))
            )
        }
    }

    /// Whether a licence was still sold when a seat of it began.
    private mutating func checkSale(_ id: String, _ from: PolicyDate, _ position: SourcePosition, _ path: SettingPath) {
        let licence = rules.licences.first { $0.id == id }
        guard let closed = licence?.closedFrom?.value, from >= closed else { return }
        let sentence = "\(path) begins on \(from), and the licence '\(id)' is not sold since \(closed)"
        switch rules.strictest(id) ?? .warn {
        case .block: error(sentence, position, path, "passed_dates of the providers that need it chooses")
        case .warn: context.problems.warning(sentence, at: position, path: path)
        case .ignore: break
        }
    }

    /// The address of a home user, in small letters.
    private mutating func user(_ text: String, _ position: SourcePosition, _ path: SettingPath) -> String? {
        let fault = home.whyNoUser(text)
        if let fault { error("\(path): \(fault)", position, path) }
        return fault == nil ? text.lowercased() : nil
    }

    // MARK: Values

    private func place(_ position: SourcePosition, _ path: SettingPath) -> Place {
        Place(file: file, line: position.line, column: position.column, keyPath: "\(path)")
    }

    private func flag(_ node: SettingNode?, at path: SettingPath) -> Placed<Bool>? {
        node.flatMap { node in node.text.map { Placed($0 == "true", at: place(node.position, path)) } }
    }

    private func choice<Word: RawRepresentable<String> & Hashable & Sendable>(
        _ node: SettingNode?,
        at path: SettingPath
    ) -> Placed<Word>? {
        node.flatMap { node in
            node.text.flatMap(Word.init(rawValue:)).map { Placed($0, at: place(node.position, path)) }
        }
    }

    /// A day; nil also for `none`.
    private mutating func date(_ node: SettingNode?, at path: SettingPath) -> Placed<PolicyDate>? {
        guard let node, let text = node.text, text != "none" else { return nil }
        guard let date = PolicyDate(text) else {
            error("\(path) must be a day such as 2014-06-30, not \(Shown.quoted(text))", node.position, path)
            return nil
        }
        return Placed(date, at: place(node.position, path))
    }

    private mutating func error(
        _ message: String,
        _ position: SourcePosition,
        _ path: SettingPath,
        _ suggestion: String? = nil
    ) {
        context.problems.error(message, at: position, path: path, suggestion: suggestion)
    }
}

extension HomeSection {
    /// Why an address is no home user's; nil if it is one's.
    package func whyNoUser(_ text: String) -> String? {
        let shown = Shown.quoted(text)
        guard let address = Address(text.lowercased()), !address.user.isEmpty else {
            return "\(shown) is not an address user@domain"
        }
        guard let domain = domains.first(where: { $0.name == address.domain }) else {
            return "\(shown) is outside the home domains"
        }
        guard case .listed(let users) = domain.users, !users.contains(address.user) else { return nil }
        return "\(shown) is no user of \(domain.name)"
    }
}

extension ProviderSection.Plugin {
    /// What tells the network.
    fileprivate var guess: String {
        switch self {
        case .named(let name): name
        case .file(let path): path
        case .connector(let connector): connector.library
        }
    }
}
