/// `dns:` how names are looked up.
package struct DNSSection: Hashable, Sendable {
    /// Addresses that are known without asking.
    package struct Host: Hashable, Sendable {
        /// In small letters.
        package var name: String
        /// IP addresses, at least one.
        package var addresses: [String]
    }

    /// Name servers by IP address; empty for the system's.
    package var servers: [HostPort]
    /// In the order of the file.
    package var hosts: [Host]

    /// Name servers that may be listed.
    static let serversMax = 8
    static let port: UInt16 = 53

    static let rules = [
        SettingRule("dns", .map),
        SettingRule("dns.servers", .list, help: "name servers as 'address' or 'address:port'; the system's if absent"),
        SettingRule("dns.servers[]", .string),
        SettingRule("dns.hosts", .map, help: "addresses that are known without asking, by name"),
        SettingRule("dns.hosts.*", .list),
        SettingRule("dns.hosts.*[]", .ipAddress),
    ]

    init(_ root: SettingNode, _ context: inout SectionContext) {
        self.servers = []
        self.hosts = []
        let path = SettingPath([.key("dns")])
        if let servers = root["dns"]?["servers"] {
            self.readServers(servers, at: path.appending(key: "servers"), &context)
        }
        let hostsPath = path.appending(key: "hosts")
        for member in root["dns"]?["hosts"]?.members ?? [] {
            guard let name = context.domain(member, in: hostsPath) else { continue }
            let addresses = member.node.elements.compactMap(\.text)
            guard !addresses.isEmpty else {
                if case .list = member.node.value {
                    let own = hostsPath.appending(key: member.key)
                    context.problems.error("\(own) has no addresses", at: member.node.position, path: own)
                }
                continue
            }
            guard !self.hosts.contains(where: { $0.name == name }) else {
                context.problems.error(
                    "the name '\(name)' is there twice in \(hostsPath)",
                    at: member.keyPosition,
                    path: hostsPath.appending(key: member.key)
                )
                continue
            }
            self.hosts.append(Host(name: name, addresses: addresses))
        }
    }

    private mutating func readServers(_ node: SettingNode, at path: SettingPath, _ context: inout SectionContext) {
        guard node.elements.count <= Self.serversMax else {
            context.problems.error(
                "\(path) has \(node.elements.count) servers, and may have \(Self.serversMax)",
                at: node.position,
                path: path
            )
            return
        }
        for (index, element) in node.elements.enumerated() {
            guard let text = element.text else { continue }
            guard
                let server = HostPort(parsing: text, defaultPort: Self.port),
                NetworkNames.isIPAddress(server.host), server.port != 0
            else {
                context.problems.error(
                    "\(path.appending(index: index)) must be an IP address with an optional port, "
                        + "not \(Shown.quoted(text))",
                    at: element.position,
                    path: path.appending(index: index)
                )
                continue
            }
            self.servers.append(server)
        }
    }
}
