internal import ArgumentParser
internal import Configuration

/// `plugboard settings`: what may stand in a configuration file.
struct SettingsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings",
        abstract: "List every setting of a configuration file, with its default and meaning.",
        discussion: "A star stands for any key, brackets for each element of a list."
    )

    func run() {
        var table = TextTable([.text("SETTING"), .text("VALUE"), .text("DEFAULT"), .text("MEANING")])
        for rule in RouterConfiguration.rules where !rule.help.isEmpty {
            let value = rule.type == .anything ? "" : rule.type.expectation
            table.add([
                rule.pattern, value, rule.isRequired ? "(required)" : rule.defaultValue ?? "", rule.help,
            ])
        }
        for line in table.lines { Output.line(line) }
    }
}
