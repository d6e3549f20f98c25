internal import ArgumentParser
internal import ControlSocket

/// `plugboard metrics`: what a running router and its plugins count.
struct MetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Print what a running router and its plugins count, in the text format of Prometheus.",
        discussion: "Exit status: 0 it was printed; 1 the router refused to; 69 it cannot be reached."
    )

    @OptionGroup var options: SocketOptions

    func run() throws {
        try self.options.withClient { client in
            try client.send(ControlCommand.metrics.rawValue)
            while let part = try client.nextEvent(as: MetricsPart.self) {
                // Each part ends with a whole line.
                for line in part.text.split(separator: "\n") { Output.line(Output.plain(String(line))) }
            }
        }
    }
}
