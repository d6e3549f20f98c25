import ProviderKit
import ProviderTestKit
import Testing
import XMPPBridge

@Suite struct ComponentSettingsTests {
    private func problems(_ changes: [String: String?]) -> [String] {
        var settings = GatewayWorld.settings
        for (path, value) in changes { settings[path] = value }
        var problems = Problems()
        let info = InstanceInfo(
            id: "office",
            settings: Settings(settings.map { ($0, $1) }),
            homeDomains: ["example.org"]
        )
        XMPPProvider.check(info, problems: &problems)
        return problems.all.map { "\($0.path): \($0.sentence)" }
    }

    @Test("Settings of a component are in order")
    func fine() {
        #expect(self.problems([:]).isEmpty)
        #expect(self.problems(["component.gateways[0].network": nil]).isEmpty)
    }

    @Test(
        "What cannot work is reported at the setting at fault",
        arguments: [
            ("component.server", nil, "component.server: is missing"),
            ("component.server", "a b", "component.server: \"a b\" is not a host and a port"),
            ("component.gateways[0].domain", "a..b", "component.gateways[0].domain"),
            ("component.gateways[0].domain", "example.org", "component.gateways[0].domain: is a home domain"),
            ("component.gateways[0].network", "@", "component.gateways[0].network"),
            ("component.gateways[0].secret", "", "component.gateways[0].secret: is empty"),
            ("listen[0]", "0.0.0.0:5269", "listen: has no place beside component"),
            ("partners[0].domain", "b.test", "partners: has no place beside component"),
        ] as [(String, String?, String)]
    )
    func wrong(_ path: String, _ value: String?, _ expected: String) {
        let problems = self.problems([path: value])
        #expect(problems.contains { $0.hasPrefix(expected) }, "\(problems)")
    }

    @Test("Two gateways need two domains and two networks")
    func twice() {
        let problems = self.problems([
            "component.gateways[1].domain": "aim.example.org", "component.gateways[1].secret": "x",
            "component.gateways[1].network": "aol.com",
        ])
        #expect(problems.count == 2)
        #expect(problems.allSatisfy { $0.hasPrefix("component.gateways[1].") })
    }

    @Test("A component without gateways is none")
    func empty() {
        let problems = self.problems(
            Dictionary(
                uniqueKeysWithValues: GatewayWorld.settings.keys.filter { $0.contains("gateways") }.map { ($0, nil) }
            )
        )
        #expect(problems == ["component.gateways: is empty; name at least one domain of the component"])
    }

    @Test("A component has no partners to report")
    func noPartners() throws {
        let world = try GatewayWorld()
        // Not kept: the provider is to be freed when the world ends.
        let links = try #require(world.router.provider(as: XMPPProvider.self)).links()
        #expect(links.map(\.name) == ["aim.example.org"])
        try world.simulation.finish()
    }
}
