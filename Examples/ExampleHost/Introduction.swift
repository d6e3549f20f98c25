/// What is said before anything happens.
enum Introduction {
    static func text(_ network: Network, in folder: Folder) -> String {
        let homes = network.organisations.map { organisation in
            let plan = organisation.plan
            return """
                  \(plan.domain)   users \(plan.users.joined(separator: ", ")); \(plan.echo) answers
                                  listens on 127.0.0.1:\(plan.port) for its partner
                                  \(organisation.configurationFile)
                """
        }
        return """

            Plugboard's example host: two organisations with a router each, in one process.

            \(homes.joined(separator: "\n"))

            The routers know each other by XMPP, with TLS and certificates of an authority made for this run
            (\(folder.path)/\(Organisation.authorityFile)). XMPP and the echo are plugins, loaded from beside this program.
            Each line below is one event in a message's journey: when, which router, which provider, what.

            """
    }
}
