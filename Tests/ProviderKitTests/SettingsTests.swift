import ProviderKit
import Testing

@Suite("Settings")
struct SettingsTests {
    static let settings = Settings([
        ("name", "first"), ("name", "second"), ("size", "65536"), ("low", "-3"), ("word", "12x"),
        ("huge", "9223372036854775808"),
        ("yes", "true"), ("no", "false"),
        ("listen[0]", "a:1"), ("listen[1]", "b:2"), ("listen[3]", "never seen"),
        ("partners[0].domain", "one.example"), ("partners[0].hosts[0]", "h0"), ("partners[0].hosts[1]", "h1"),
        ("partners[1].domain", "two.example"), ("partners[3].domain", "never seen"),
        ("partners[10].domain", "never seen"),
    ])

    @Test("of two values with one path the later counts, and an unknown path has none")
    func values() {
        #expect(Self.settings["name"] == "second")
        #expect(Self.settings["nothing"] == nil)
        #expect(Self.settings["partners[0].domain"] == "one.example")
    }

    @Test("whole numbers are read, and nothing else is taken for one")
    func integers() {
        #expect(Self.settings.integer("size") == 65536)
        #expect(Self.settings.integer("low") == -3)
        #expect(Self.settings.integer("word") == nil)
        #expect(Self.settings.integer("huge") == nil)
        #expect(Self.settings.integer("nothing") == nil)
    }

    @Test("truth values are read")
    func booleans() {
        #expect(Self.settings.boolean("yes") == true)
        #expect(Self.settings.boolean("no") == false)
        #expect(Self.settings.boolean("nothing") == nil)
    }

    @Test("a list of values ends at the first gap")
    func lists() {
        #expect(Self.settings.list("listen") == ["a:1", "b:2"])
        #expect(Self.settings.list("nothing") == [])
        #expect(Self.settings.list("partners") == [])
    }

    @Test("a list of maps comes element by element, with its path and what stands below it")
    func elements() throws {
        let partners = Self.settings.elements("partners")
        try #require(partners.count == 2)
        #expect(partners.map(\.path) == ["partners[0]", "partners[1]"])
        #expect(partners.map { $0.settings["domain"] } == ["one.example", "two.example"])
        #expect(partners[0].settings.list("hosts") == ["h0", "h1"])
        #expect(partners[1].settings.list("hosts") == [])
        #expect(Self.settings.elements("listen").isEmpty)
    }

    @Test("problems keep their order and their weight")
    func problems() {
        var problems = Problems()
        problems.warning("a", "is odd")
        problems.error("b", "is wrong")
        #expect(problems.all.map(\.isError) == [false, true])
        #expect(problems.all.map(\.path) == ["a", "b"])
        #expect(problems.all.map(\.sentence) == ["is odd", "is wrong"])
    }
}
