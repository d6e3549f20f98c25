import Testing

@testable import Configuration

@Suite struct SettingSchemaTests {
    private static let rules = [
        SettingRule("listen[]", .address, defaultValue: "0.0.0.0:5269"),
        SettingRule("dialback_secret", .secret, isRequired: true, help: "shared by all routers of the domain"),
        SettingRule("stanza_size", .size(1024...1_048_576), defaultValue: "256KiB"),
        SettingRule("idle", .duration(.seconds(1) ... .seconds(3600)), defaultValue: "5m"),
        SettingRule("partners[].domain", .string, isRequired: true),
        SettingRule("partners[].tls", .choice(["required", "optional"]), defaultValue: "required"),
        SettingRule("partners[].port", .integer(1...65535)),
        SettingRule("rooms.*", .boolean),
    ]

    private func check(_ text: String) throws -> SettingReport {
        var problems = ProblemList(file: "p.yaml")
        let node = try #require(YAMLDocument.parse(text, &problems))
        #expect(problems.problems == [])
        let base = SettingPath([.key("providers"), .key("xmpp"), .key("settings")])
        return try SettingSchema(Self.rules).check(node, at: base, file: "p.yaml", directory: "/etc")
    }

    @Test func settingsThatFitAreCompletedAndNormalised() throws {
        let report = try self.check(
            """
            dialback_secret: file:secret
            idle: 90s
            partners:
              - domain: b.test
                port: 5270
              - { domain: c.test, tls: optional }
            rooms: { lobby: true }
            """
        )
        #expect(report.problems == [])
        #expect(
            report.entries.map { "\($0.path)=\($0.secret?.description ?? $0.value)" } == [
                "dialback_secret=file:/etc/secret", "idle=90000", "partners[0].domain=b.test", "partners[0].port=5270",
                "partners[0].tls=required", "partners[1].domain=c.test", "partners[1].tls=optional", "rooms.lobby=true",
                "listen[0]=0.0.0.0:5269", "stanza_size=262144",
            ]
        )
    }

    @Test func everythingThatDoesNotFitIsSaidWithItsPlace() throws {
        let report = try self.check(
            """
            listen: ["0.0.0.0"]
            partnrs: []
            stanza_size: 2MiB
            idle: [1]
            partners:
              - { domian: b.test, port: 0, tls: requird }
              - c.test
            rooms: { lobby: 1 }
            """
        )
        let place = "providers.xmpp.settings"
        #expect(
            report.problems.map(\.description) == [
                "p.yaml:1:1: error: missing key 'dialback_secret' in \(place); shared by all routers of the domain",
                "p.yaml:1:10: error: \(place).listen[0] must be an address 'host:port', not '0.0.0.0'",
                "p.yaml:2:1: error: unknown key 'partnrs' in \(place); did you mean 'partners'?",
                "p.yaml:3:14: error: \(place).stanza_size must be a size from 1KiB to 1MiB, not '2MiB'",
                "p.yaml:4:7: error: \(place).idle must be a duration from 1s to 1h, not a list",
                "p.yaml:6:5: error: missing key 'domain' in \(place).partners[0]",
                "p.yaml:6:7: error: unknown key 'domian' in \(place).partners[0]; did you mean 'domain'?",
                "p.yaml:6:29: error: \(place).partners[0].port must be an integer from 1 to 65535, not '0'",
                "p.yaml:6:37: error: \(place).partners[0].tls must be one of required, optional, not 'requird'; "
                    + "did you mean 'required'?",
                "p.yaml:7:5: error: \(place).partners[1] must be a map (domain, tls, port), not a single value",
                "p.yaml:8:17: error: \(place).rooms.lobby must be true or false, not '1'; write 'true'",
            ]
        )
        #expect(report.problems.first { $0.message.contains("partners[0].tls") }?.keyPath == "\(place).partners[0].tls")
    }

    @Test func aRequiredElementAsksForAListThatIsNotEmpty() throws {
        let schema = try SettingSchema([SettingRule("listen[]", .address, isRequired: true)])
        func messages(_ node: SettingNode.Value) -> [String] {
            schema.validate(SettingNode(node, at: .start), at: .root, file: "p").map(\.message)
        }
        #expect(messages(.map([])) == ["missing key 'listen'"])
        let empty = SettingNode(.list([]), at: .start)
        #expect(messages(.map([.init(key: "listen", keyPosition: .start, node: empty)])) == ["listen is empty"])
    }

    @Test func aSchemaWithoutRulesAllowsNothing() throws {
        let schema = try SettingSchema([])
        let node = SettingNode(.scalar("1", isQuoted: false), at: .start)
        let settings = SettingNode(.map([.init(key: "a", keyPosition: .start, node: node)]), at: .start)
        #expect(schema.validate(settings, at: .root, file: "p").map(\.message) == ["unknown key 'a'"])
    }

    struct Bad: CustomTestStringConvertible, Sendable {
        let rules: [SettingRule]
        let error: SchemaError
        var testDescription: String { "\(self.error)" }
    }

    @Test(
        "Rules that make no sense are refused",
        arguments: [
            Bad(rules: [SettingRule("a b", .string)], error: .badPattern("a b")),
            Bad(rules: [SettingRule("", .string)], error: .badPattern("")),
            Bad(rules: [SettingRule("a..b", .string)], error: .badPattern("a..b")),
            Bad(rules: [SettingRule("a[0]", .string)], error: .badPattern("a[0]")),
            Bad(
                rules: [SettingRule("a", .string), SettingRule("a", .boolean)],
                error: .duplicateRule(pattern: "a")
            ),
            Bad(
                rules: [SettingRule("x.a", .string), SettingRule("x.a.b", .string)],
                error: .conflictingRules(pattern: "x.a")
            ),
            Bad(
                rules: [SettingRule("a[].b", .string), SettingRule("a.b", .string)],
                error: .conflictingRules(pattern: "a")
            ),
            Bad(rules: [SettingRule("a", .choice([]))], error: .emptyChoice(pattern: "a")),
            Bad(
                rules: [SettingRule("a", .integer(1...2), defaultValue: "3")],
                error: .badDefault(pattern: "a", value: "3")
            ),
            Bad(
                rules: (0...SettingSchema.rulesMax).map { SettingRule("a\($0)", .string) },
                error: .tooManyRules(limit: SettingSchema.rulesMax)
            ),
        ]
    )
    func refused(_ bad: Bad) {
        #expect(throws: bad.error) { try SettingSchema(bad.rules) }
    }

    @Test func asManyRulesAsAllowedAreTaken() throws {
        let rules = (0..<SettingSchema.rulesMax).map { SettingRule("a\($0)", .string) }
        #expect(try SettingSchema(rules).rules.count == SettingSchema.rulesMax)
    }

    @Test(arguments: [(0, nil), (1, "is longer than 4096 bytes")])
    func aValueHasALimit(excess: Int, message: String?) {
        let text = String(repeating: "x", count: SettingType.stringLengthMax + excess)
        var fault: ValueFault?
        do throws(ValueFault) { try SettingType.string.check(text) } catch { fault = error }
        #expect(fault?.message == message)
    }

    @Test func aPatternHasALimit() {
        let longest = Array(repeating: "a", count: SettingPattern.stepsMax).joined(separator: ".")
        #expect(SettingPattern(parsing: longest)?.description == longest)
        #expect(SettingPattern(parsing: longest + ".a") == nil)
        #expect(SettingPattern(parsing: longest + "[]") == nil)
    }

    @Test(arguments: ["listen[]", "partners[].domain", "*", "a.*.b", "*[]", "a[][]"])
    func aPatternIsWrittenAsItWasRead(text: String) {
        #expect(SettingPattern(parsing: text)?.description == text)
    }
}
