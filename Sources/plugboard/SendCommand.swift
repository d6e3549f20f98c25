internal import ArgumentParser
internal import ControlSocket
internal import Foundation

/// `plugboard send`: one message through a running router.
struct SendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send",
        abstract: "Send a message through a running router.",
        discussion: """
            Exit status: 0 the router accepted the message; 1 it refused it, and said why; \
            69 the router cannot be reached.
            """
    )

    @OptionGroup var options: SocketOptions

    @Argument(help: "The sender: an address of a home domain.")
    var from: String

    @Argument(help: "The receiver's address.")
    var to: String

    @Argument(help: "The text; '-' reads it from the standard input.")
    var text = ""

    @Option(help: "Send a typing state in place of a text: active, composing, paused, inactive or gone.")
    var typing: String?

    @Flag(help: "Print the result as a line of JSON.")
    var json = false

    /// Longest text read from the standard input, in bytes; a request would hold no more.
    private static let textMax = ControlLimits.requestLineMax

    func validate() throws {
        for address in [self.from, self.to]
        where address.split(separator: "@", omittingEmptySubsequences: false).count < 2 {
            throw ValidationError("'\(address)' is not an address: write user@domain")
        }
        guard self.text.isEmpty == (self.typing != nil) else {
            throw ValidationError("give a text, or --typing with a state, and not both")
        }
    }

    func run() throws {
        let request = SendRequest(from: self.from, to: self.to, text: try self.wholeText(), typing: self.typing)
        try self.options.withClient { client in
            let result = try client.event(of: ControlCommand.send.rawValue, request, as: SendResult.self)
            if self.json { Output.json(result) }
            guard result.accepted else {
                if !self.json { Output.error("refused: \(Output.plain(result.reason ?? "no reason given"))") }
                throw ExitStatus.problem
            }
            if !self.json { Output.line("accepted as \(Output.plain(result.id))") }
        }
    }

    private func wholeText() throws -> String {
        guard self.text == "-" else { return self.text }
        let data = try FileHandle.standardInput.read(upToCount: Self.textMax + 1) ?? Data()
        guard data.count <= Self.textMax else {
            throw ValidationError("the text on the standard input is longer than \(Self.textMax) bytes")
        }
        guard let text = String(validating: data, as: UTF8.self), !text.isEmpty else {
            throw ValidationError("the standard input holds no text in UTF-8")
        }
        return text
    }
}
