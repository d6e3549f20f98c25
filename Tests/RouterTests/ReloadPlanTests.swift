import Configuration
import PluginHost
import Testing

@testable import Router

@Suite("The difference between two configurations")
struct ReloadPlanTests {
    private static let base = """
        router: {id: r, workers: 2, state: /s, control: /c}
        home: {domains: {a.example: {users: [alice, bob]}, b.example: {users: any}}}
        spool: {expire: 1h, retry: {first: 1s, max: 2s, attempts: 3}}
        dns: {servers: ["127.0.0.1"]}
        providers:
          one: {plugin: x, settings: {k: v, l: [1, 2]}}
          two: {plugin: y}

        """

    private static func side(_ yaml: String) throws -> ReloadPlan.Side {
        let read = ConfigurationLoader.read(yaml, file: "t.yaml", directory: "/d")
        let configuration = try #require(read.configuration, "\(read.problems)")
        var settings: [String: InstanceSettings] = [:]
        for section in configuration.providers {
            settings[section.name] = InstanceSettings(
                id: section.name,
                entries: section.settings.flattened().map { .init(path: $0.path, value: $0.value) },
                homeDomains: configuration.home.domains.map(\.name)
            )
        }
        return ReloadPlan.Side(configuration, settings)
    }

    private static func plan(_ new: String, running: Set<String> = ["one", "two"]) throws -> ReloadPlan {
        ReloadPlan(from: try side(base), to: try side(new), running: running)
    }

    @Test("The same text, in another order and with other blanks, is no difference")
    func same() throws {
        let moved = Self.base.replacing("{k: v, l: [1, 2]}", with: "{l: [1,  2], k: \"v\"}")
            .replacing("  two: {plugin: y}\n", with: "").replacing(
                "providers:\n",
                with: "providers:\n  two: {plugin: y}\n"
            )
        let plan = try Self.plan(moved)
        #expect(plan.providers == [.init("two", .unchanged), .init("one", .unchanged)])
        #expect(plan.home.isEmpty)
        #expect(plan.changedKeys == [])
        #expect(plan.restartKeys == [])
    }

    @Test(
        "Each provider is new, gone, changed for a reason, tried again, or unchanged",
        arguments: [
            ("  two: {plugin: y}\n", "  two: {plugin: y}\n  three: {plugin: x}\n", "three", ReloadPlan.Change.added),
            ("  two: {plugin: y}\n", "", "two", .removed),
            ("k: v", "k: w", "one", .changed([.settings])),
            ("l: [1, 2]", "l: [2, 1]", "one", .changed([.settings])),
            ("l: [1, 2]", "l: [1, 2], m: n", "one", .changed([.settings])),
            ("{plugin: y}", "{plugin: z}", "two", .changed([.plugin])),
            ("plugin: x, settings: {k: v", "plugin: z, settings: {k: w", "one", .changed([.plugin, .settings])),
            ("b.example: {users: any}", "c.example: {users: any}", "two", .changed([.homeDomains])),
            ("b.example: {users: any}", "b.example: {users: []}", "two", .unchanged),
        ]
    )
    func provider(_ old: String, _ new: String, _ name: String, _ change: ReloadPlan.Change) throws {
        let plan = try Self.plan(Self.base.replacing(old, with: new))
        #expect(plan.providers.first { $0.name == name }?.change == change)
    }

    @Test("What is configured as before and does not run is tried again")
    func retried() throws {
        #expect(
            try Self.plan(Self.base, running: ["one"]).providers == [.init("one", .unchanged), .init("two", .retried)]
        )
    }

    @Test("A secret that was changed where it is kept is another setting")
    func secrets() throws {
        let old = try Self.side(Self.base)
        var new = old
        new.settings["one"]?.entries[0].value = "rotated"
        let plan = ReloadPlan(from: old, to: new, running: ["one", "two"])
        #expect(plan.providers.first == .init("one", .changed([.settings])))
    }

    @Test("Home domains and users that come and go are named")
    func home() throws {
        let new = Self.base.replacing("[alice, bob]", with: "[bob, carol]").replacing("b.example", with: "c.example")
        let plan = try Self.plan(new)
        #expect(plan.home.domainsAdded == ["c.example"])
        #expect(plan.home.domainsRemoved == ["b.example"])
        #expect(plan.home.usersAdded == ["carol@a.example"])
        #expect(plan.home.usersRemoved == ["alice@a.example"])
        let any = try Self.plan(Self.base.replacing("users: any", with: "users: [dave]")).home
        #expect(any.usersAdded == ["dave@b.example"])
        #expect(any.usersRemoved == ["*@b.example"])
    }

    @Test(
        "Keys are told apart by whether they take effect at once",
        arguments: [
            ("expire: 1h", "expire: 2h", ["spool.expire"], []),
            ("attempts: 3", "attempts: 4", ["spool.retry"], []),
            ("workers: 2", "workers: 3", [], ["router.workers"]),
            ("state: /s", "state: /t", [], ["router.state"]),
            ("control: /c", "control: /d", [], ["router.control"]),
            ("expire: 1h", "durable: false", ["spool.expire"], ["spool.durable"]),
            ("127.0.0.1", "127.0.0.2", [], ["dns"]),
            ("providers:", "vault: {key: file:k}\nproviders:", [], ["vault"]),
        ]
    )
    func keys(_ old: String, _ new: String, _ changed: [String], _ restart: [String]) throws {
        let plan = try Self.plan(Self.base.replacing(old, with: new))
        #expect(plan.changedKeys == changed)
        #expect(plan.restartKeys == restart)
    }

    @Test("What needs a restart stays as it runs, so that the next reload names it again")
    func kept() throws {
        let old = try Self.side(Self.base).configuration
        let new = try Self.side(Self.base.replacing("workers: 2", with: "workers: 3").replacing("1h", with: "2h"))
        let kept = new.configuration.keepingFixed(of: old)
        #expect(kept.router.workers == 2)
        #expect(kept.spool.expire == .seconds(7200))
    }
}
