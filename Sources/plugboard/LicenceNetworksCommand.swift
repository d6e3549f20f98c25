internal import ArgumentParser
internal import Policy

/// `plugboard licences networks`: what is known of the networks, without a router.
struct LicenceNetworksCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "networks",
        abstract: "List the networks that policy knows, with the licence that each needs and its announced end.",
        discussion: """
            These count for a provider unless policy.providers says otherwise. No router is asked.
            """
    )

    @Flag(help: "Print each as a line of JSON.")
    var json = false

    private struct Item: Encodable {
        var network: String
        var access: String
        var licence: String?
        var endOfLife: String?
    }

    func run() {
        let items = Network.allCases.map { network in
            Item(
                network: network.rawValue,
                access: network.access.key,
                licence: network.licence,
                endOfLife: network.endOfLife?.description
            )
        }
        guard !self.json else {
            for item in items { Output.json(item) }
            return
        }
        var table = TextTable([.text("NETWORK"), .text("ACCESS"), .text("LICENCE"), .text("END OF LIFE")])
        for item in items {
            table.add([item.network, item.access, item.licence ?? "base licence", item.endOfLife ?? "-"])
        }
        for line in table.lines { Output.line(line) }
    }
}
