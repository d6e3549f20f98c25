/// How much the router logs.
package enum LogLevel: String, CaseIterable, Hashable, Sendable {
    case trace
    case debug
    case info
    case notice
    case warning
    case error
    case critical
}

/// `router:` the process itself.
package struct RouterSection: Hashable, Sendable {
    /// The name of this router in logs and status; by default the host's name.
    package var id: String
    /// Event loops, each a thread.
    package var workers: Int
    /// The directory of everything that must survive a restart; an absolute path.
    ///
    /// It need not exist.
    package var state: String
    /// The Unix socket that `plugboard status` and its like connect to; an absolute path.
    package var control: String
    package var log: LogLevel

    /// One less than the producers that a lane can have, for the spool's writer is one of them.
    static let workersMax = 62
    static let idLengthMax = 64
    /// Longest path of a Unix socket, in bytes (`sun_path` of unix(7), less the NUL).
    static let socketPathMax = 107

    static let rules = [
        SettingRule("router", .map),
        SettingRule("router.id", .string, help: "the router's name in logs and status; the host's name if absent"),
        SettingRule(
            "router.workers",
            .integer(1...Int64(Self.workersMax)),
            defaultValue: "1",
            help: "event loops, each a thread"
        ),
        SettingRule("router.state", .string, defaultValue: "state", help: "the directory of the spool and other state"),
        SettingRule(
            "router.control",
            .string,
            help: "the control socket; control.sock in the state directory if absent"
        ),
        SettingRule(
            "router.log",
            .choice(LogLevel.allCases.map(\.rawValue)),
            defaultValue: LogLevel.info.rawValue,
            help: "the least severe messages that are logged"
        ),
    ]

    init(_ root: SettingNode, _ context: inout SectionContext) {
        let node = root["router"]
        let path = SettingPath([.key("router")])
        self.id = node?["id"]?.text ?? SectionContext.hostName
        self.workers = node?["workers"]?.text.flatMap { Int($0) } ?? 1
        self.state = context.path(node?["state"], default: "state", at: path.appending(key: "state"))
        self.log = node?["log"]?.text.flatMap(LogLevel.init(rawValue:)) ?? .info
        self.control =
            node?["control"] == nil
            ? FileReading.absolute("control.sock", in: self.state)
            : context.path(node?["control"], default: "", at: path.appending(key: "control"))
        self.checkID(node, path, &context)
        self.checkControl(node, root, path, &context)
    }

    private func checkID(_ node: SettingNode?, _ path: SettingPath, _ context: inout SectionContext) {
        guard let position = node?["id"]?.position else { return }
        let isPlain = self.id.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
        guard !self.id.isEmpty, self.id.utf8.count <= Self.idLengthMax, isPlain else {
            context.problems.error(
                "router.id must be 1 to \(Self.idLengthMax) letters, digits, '-', '_' or '.', not \(Shown.quoted(self.id))",
                at: position,
                path: path.appending(key: "id")
            )
            return
        }
    }

    private func checkControl(
        _ node: SettingNode?,
        _ root: SettingNode,
        _ path: SettingPath,
        _ context: inout SectionContext
    ) {
        let length = self.control.utf8.count
        guard length > Self.socketPathMax else { return }
        context.problems.error(
            "the control socket's path is \(length) bytes long, and a Unix socket's may be \(Self.socketPathMax): "
                + Shown.quoted(self.control),
            at: node?["control"]?.position ?? node?.position ?? root.position,
            path: path.appending(key: "control"),
            suggestion: "set router.control to a shorter path, such as /run/plugboard/control.sock"
        )
    }
}
