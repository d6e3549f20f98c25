internal import ArgumentParser
internal import ControlSocket

/// `plugboard status`: how a running router fares.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show how a running router and its plugins fare.",
        discussion: "Exit status: 0 the router answered; 1 it refused to; 69 it cannot be reached."
    )

    @OptionGroup var options: SocketOptions

    @Flag(help: "Print the report as a line of JSON.")
    var json = false

    func run() throws {
        try self.options.withClient { client in
            let report = try client.event(of: ControlCommand.status.rawValue, as: StatusReport.self)
            if self.json {
                Output.json(report)
            } else {
                for line in StatusText.lines(report) { Output.line(line) }
            }
        }
    }
}

/// A status report for people.
enum StatusText {
    static func lines(_ report: StatusReport) -> [String] {
        var lines = [
            "router \(Output.plain(report.routerID)), version \(Output.plain(report.version)), "
                + "up \(self.uptime(report.uptimeSeconds)), \(report.workers) worker\(report.workers == 1 ? "" : "s")",
            "spool: \(report.spool.waiting) waiting, \(report.spool.retrying) of them to be retried, "
                + "\(report.spool.dead) given up" + self.dropped(report.spool),
        ]
        let instances = self.instances(report)
        if !instances.isEmpty { lines += [""] + instances.lines }
        let reasons = report.instances.compactMap { instance in
            instance.reason.map { "\(Output.plain(instance.name)) is \(instance.state): \(Output.plain($0))" }
        }
        if !reasons.isEmpty { lines += [""] + reasons }
        let remarks = report.instances.flatMap(self.remarks)
        if !remarks.isEmpty { lines += [""] + remarks }
        let links = self.links(report)
        if !links.isEmpty { lines += [""] + links.lines }
        return lines
    }

    /// What is worth a line only where it has happened.
    private static func remarks(_ instance: InstanceStatus) -> [String] {
        let counts: [(count: UInt64?, what: String)] = [
            (instance.throttled, "submits had to wait, for it handed in more than it may"),
            (instance.overdue, "envelopes were taken back, for it did not settle them in time"),
            (instance.coalesced, "presence and typing states gave way to newer ones"),
        ]
        let remarks = counts.compactMap { count, what in
            count.flatMap { $0 > 0 ? "\(Output.plain(instance.name)): \($0) \(what)" : nil }
        }
        guard let watched = instance.watched, !watched.isEmpty else { return remarks }
        return remarks + [Output.plain("\(instance.name): watches \(watched.joined(separator: " "))")]
    }

    private static func dropped(_ spool: SpoolStatus) -> String {
        guard let dropped = spool.deadDropped, dropped > 0 else { return "" }
        return ", \(dropped) more dropped for their age or number"
    }

    private static func instances(_ report: StatusReport) -> TextTable {
        var table = TextTable([
            .text("INSTANCE"), .text("PLUGIN"), .text("STATE"), .number("LANE"), .number("SUBMITTED"),
            .number("DELIVERED"), .number("DEFERRED"), .number("FAILED"), .number("REFUSED"), .number("STALLS"),
            .number("SLOW"),
        ])
        for instance in report.instances {
            table.add([
                instance.name, "\(instance.plugin) \(instance.version)", instance.state,
                "\(instance.laneDepth)/\(instance.laneCapacity)", "\(instance.submitted)", "\(instance.delivered)",
                "\(instance.deferred)", "\(instance.failed)", "\(instance.refused)", "\(instance.stalls)",
                "\(instance.slowCalls ?? 0)",
            ])
        }
        return table
    }

    private static func links(_ report: StatusReport) -> TextTable {
        var table = TextTable([.text("LINK"), .text("INSTANCE"), .text("STATE"), .text("DETAIL")])
        for instance in report.instances {
            for link in instance.links {
                table.add([link.peer, instance.name, link.state, link.detail ?? ""])
            }
        }
        return table
    }

    /// The two largest units: `2d 3h`, `5m 7s`.
    static func uptime(_ seconds: Int64) -> String {
        let units: [(name: String, seconds: Int64)] = [("d", 86400), ("h", 3600), ("m", 60), ("s", 1)]
        guard let first = units.firstIndex(where: { seconds >= $0.seconds }) else { return "0s" }
        let parts = units[first...].prefix(2).map { unit in
            let outer = units.firstIndex { $0.name == unit.name }.flatMap { $0 > first ? units[$0 - 1].seconds : nil }
            return "\((outer.map { seconds % $0 } ?? seconds) / unit.seconds)\(unit.name)"
        }
        return parts.joined(separator: " ")
    }
}
