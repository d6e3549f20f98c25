internal import ArgumentParser
internal import ControlSocket
internal import Foundation

/// `plugboard upgrade`: another version of a plugin takes over in a running router.
struct UpgradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "upgrade",
        abstract: "Let another version of a plugin take over in a running router.",
        discussion: """
            The new version is started beside the old one and gets the traffic; the old one finishes what it has. \
            If the new one does not start, the old one goes on. \
            The next start loads what the configuration names: put the file there, too, and its digest if it is pinned. \
            Exit status: 0 the new version runs; 1 it does not, and why; 69 the router cannot be reached.
            """
    )

    @OptionGroup var options: SocketOptions

    @Argument(help: "A provider, its plugin's name in the configuration, or the plugin's id.")
    var plugin: String

    @Argument(help: "The file of the new version.")
    var file: String

    @Option(
        help:
            "The file's SHA-256 in hexadecimal digits: another file is refused. Without: the one that the configuration pins, if it does."
    )
    var sha256: String?

    @Flag(help: "Print the answer as a line of JSON.")
    var json = false

    func run() throws {
        let path = URL(fileURLWithPath: self.file).path
        try self.options.withClient(isFileSound: false) { client in
            // The old instances may take their time to finish.
            client.waitForever()
            let request = UpgradeRequest(plugin: self.plugin, file: path, sha256: self.sha256)
            let result = try client.event(of: ControlCommand.upgrade.rawValue, request, as: UpgradeResult.self)
            if self.json { Output.json(result) } else { Self.show(result) }
            guard result.refusal == nil, result.failed.isEmpty else { throw ExitStatus.problem }
        }
    }

    private static func show(_ result: UpgradeResult) {
        for problem in result.problems { Output.line(Output.plain(problem)) }
        for sentence in result.done { Output.line(Output.plain(sentence)) }
        for sentence in result.failed { Output.error("failed: \(Output.plain(sentence))") }
        if let refusal = result.refusal { Output.error("refused: \(Output.plain(refusal))") }
    }
}
