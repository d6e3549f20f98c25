/// `log:` what is logged, and how.
package struct LogSection: Hashable, Sendable {
    /// How a line looks.
    package enum Format: String, CaseIterable, Hashable, Sendable {
        /// For people.
        case text
        /// A JSON object a line, for programs.
        case json
    }

    /// The least severe messages of everything that ``parts`` does not name; nil: as `router.log` says.
    package var level: LogLevel?
    package var format: Format
    /// The same for single providers and for `router`, the rest; in the order of the file.
    package var parts: [Part]

    /// One part's level.
    package struct Part: Hashable, Sendable {
        package var name: String
        package var level: LogLevel
    }

    static let rules = [
        SettingRule("log", .map),
        SettingRule(
            "log.level",
            .choice(LogLevel.allCases.map(\.rawValue)),
            help: "the least severe messages that are logged; router.log if absent"
        ),
        SettingRule(
            "log.format",
            .choice(Format.allCases.map(\.rawValue)),
            defaultValue: Format.text.rawValue,
            help: "lines for people, or a JSON object a line"
        ),
        SettingRule("log.parts", .map, help: "levels of single providers, and of 'router'"),
        SettingRule("log.parts.*", .choice(LogLevel.allCases.map(\.rawValue))),
    ]

    init(_ root: SettingNode, _ context: inout SectionContext) {
        let node = root["log"]
        level = node?["level"]?.text.flatMap(LogLevel.init(rawValue:))
        format = node?["format"]?.text.flatMap(Format.init(rawValue:)) ?? .text
        parts = (node?["parts"]?.members ?? []).compactMap { member in
            member.node.text.flatMap(LogLevel.init(rawValue:)).map { Part(name: member.key, level: $0) }
        }
        let known = Set((root["providers"]?.members ?? []).map(\.key) + ["router", "home"])
        for member in node?["parts"]?.members ?? [] where !known.contains(member.key) {
            context.problems.warning(
                "log.parts names \(Shown.quoted(member.key)), which is no provider",
                at: member.keyPosition,
                path: SettingPath([.key("log"), .key("parts"), .key(member.key)])
            )
        }
    }
}
