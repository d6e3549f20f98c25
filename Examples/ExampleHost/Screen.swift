internal import Directory
internal import Foundation
internal import Router

/// Prints a journey, an event a line, in columns.
struct Screen {
    /// Whether a person types at the prompt while events are shown.
    private let isInteractive: Bool
    private let isColoured: Bool

    private static let promptText = "> "

    /// Coloured if the output is a terminal and `NO_COLOR` is not set (no-color.org).
    init() {
        let isTerminal = isatty(STDOUT_FILENO) != 0
        let isRefused = ProcessInfo.processInfo.environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        isInteractive = isTerminal && isatty(STDIN_FILENO) != 0
        isColoured = isTerminal && !isRefused
    }

    /// Prints until the journey is over.
    func show(_ entries: AsyncStream<Journey.Entry>) async {
        var isPrompted = false
        for await entry in entries {
            if case .prompted(let isTheirTurn) = entry.event { isPrompted = isTheirTurn }
            let line = line(entry)
            // An event that comes while the prompt is shown takes its line, and the prompt moves on to the next.
            let clearing = isInteractive ? "\r\u{1B}[K" : ""
            let prompt = isInteractive && isPrompted ? Self.promptText : ""
            print(clearing + (line.map { $0 + "\n" } ?? "") + prompt, terminator: "")
            fflush(nil)
        }
    }

    /// The line of an entry; nil for the prompt.
    private func line(_ entry: Journey.Entry) -> String? {
        switch entry.event {
        case .prompted: return nil
        case .said(let text):
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            return lines.map { Self.printable(String($0)) }.joined(separator: "\n")
        case .hop(let hop):
            let (word, colour, reason) = Self.words(hop.event)
            let kind = hop.kind == "message" ? "" : hop.kind
            return columns(
                entry.time,
                [hop.router, hop.instance],
                (word, colour),
                "\(hop.from) → \(hop.to)",
                hop.id,
                [kind, reason].filter { !$0.isEmpty }.joined(separator: " ")
            )
        case .received(let item, let router):
            let text = item.kind == "message" ? "“\(item.text)”" : "\(item.kind): \(item.text)"
            return columns(
                entry.time,
                [router, "inbox"],
                ("reads", .bold),
                "\(item.from) → \(item.owner)",
                item.id,
                text
            )
        case .logged(let text, let router):
            let place = [Self.padded(router, to: 5), Self.padded("log", to: 5)]
            return ([seconds(entry.time)] + place + [paint(Self.printable(text), .yellow)]).joined(separator: " ")
        }
    }

    private func seconds(_ time: Duration) -> String { paint(String(format: "%7.3f", time / .seconds(1)), .dim) }

    private func columns(
        _ time: Duration,
        _ place: [String],
        _ event: (word: String, colour: Colour),
        _ way: String,
        _ id: String,
        _ details: String
    ) -> String {
        let cells = [
            seconds(time),
            place.map { Self.padded($0, to: 5) }.joined(separator: " "),
            paint(Self.padded(event.word, to: 9), event.colour),
            Self.padded(way, to: 42),
            paint(Self.padded(Self.short(id), to: 6), .dim),
        ]
        return (details.isEmpty ? cells : cells + [paint(Self.printable(details), event.colour)]).joined(separator: " ")
    }

    private static func words(_ event: Hop.Event) -> (word: String, colour: Colour, reason: String) {
        switch event {
        case .submitted: ("submitted", .plain, "")
        case .refused(let reason): ("refused", .red, reason)
        case .stored(let sequence): ("stored", .plain, "as number \(sequence)")
        case .duplicate: ("duplicate", .yellow, "")
        case .offered: ("offered", .plain, "")
        case .delivered: ("delivered", .green, "")
        case .deferred(let reason, _): ("deferred", .yellow, reason)
        case .failed(let reason): ("failed", .red, reason)
        }
    }

    // MARK: Text

    /// The first characters of an id are enough to tell it from the others.
    private static func short(_ id: String) -> String { id.isEmpty ? "-" : String(printable(id).prefix(6)) }

    /// `text` in a column; one that is too long pushes the others on.
    private static func padded(_ text: String, to width: Int) -> String {
        let text = printable(text)
        return text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// `text` without what could move the cursor or change colours: others wrote it.
    private static func printable(_ text: String) -> String {
        let scalars = text.unicodeScalars.map { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: Unicode.Scalar(0x20 as UInt8)
            default: scalar
            }
        }
        return String(String.UnicodeScalarView(scalars))
    }

    /// By number of their "select graphic rendition" (ECMA-48 §8.3.117).
    private enum Colour: Int {
        case plain = 0
        case bold = 1
        case dim = 2
        case red = 31
        case green = 32
        case yellow = 33
    }

    private func paint(_ text: String, _ colour: Colour) -> String {
        guard isColoured, colour != .plain, !text.isEmpty else { return text }
        return "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m"
    }
}
