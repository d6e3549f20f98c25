internal import ControlSocket
internal import Foundation

/// Dead letters for people.
enum DeadLettersText {
    /// A line each; what the messages say is not in it.
    static func table(_ items: [DeadLetterItem]) -> [String] {
        guard !items.isEmpty else { return ["there are none"] }
        var table = TextTable([
            .number("ID"), .text("GIVEN UP"), .text("FROM"), .text("TO"), .text("KIND"), .number("ATTEMPTS"),
            .text("CAUSE"), .text("CLASS"), .text("REASON"),
        ])
        for item in items {
            table.add([
                "\(item.id)", Self.time(item.diedAt), item.from, item.to, item.kind, "\(item.attempts)", item.cause,
                item.failureClass, item.reason,
            ])
        }
        return table.lines
    }

    /// All that is known of one.
    static func lines(_ item: DeadLetterItem) -> [String] {
        let fields = [
            ("id", "\(item.id)"), ("given up", Self.time(item.diedAt)), ("accepted", Self.time(item.acceptedAt)),
            ("kind", item.kind), ("message id", item.messageID), ("from", item.from), ("to", item.to),
            ("source", item.source), ("destination", item.destination), ("attempts", "\(item.attempts)"),
            ("cause", item.cause), ("class", item.failureClass), ("reason", item.reason),
        ]
        let all = fields + (item.text.map { [("text", $0)] } ?? [])
        return all.map { name, value in
            name + ":" + String(repeating: " ", count: Self.nameWidth - name.count) + Output.plain(value)
        }
    }

    /// The longest name with two blanks behind its colon.
    private static let nameWidth = 13

    private static func time(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds / 1000)).formatted(.iso8601)
    }
}
