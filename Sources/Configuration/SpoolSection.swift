/// `spool:` what happens to messages that cannot be delivered at once.
package struct SpoolSection: Hashable, Sendable {
    /// How deliveries are tried again.
    package struct Retry: Hashable, Sendable {
        /// The wait after the first failure; it doubles with each that follows.
        package var first: Duration
        /// The longest wait.
        package var max: Duration
        /// Tries before a message goes back to its sender.
        package var attempts: Int
    }

    /// How long dead letters are kept.
    package struct DeadLetters: Hashable, Sendable {
        /// How long one is kept.
        package var keep: Duration
        /// How many are kept; the oldest go first.
        package var count: Int
    }

    /// Whether messages are on disk before they are acknowledged.
    package var durable: Bool
    /// How long a message may wait before it goes back to its sender.
    package var expire: Duration
    package var retry: Retry
    package var deadLetters: DeadLetters

    static let fallback = (expire: "48h", first: "5s", max: "1h", attempts: 100, keep: "30d", count: 100_000)

    static let rules = [
        SettingRule("spool", .map),
        SettingRule(
            "spool.durable",
            .boolean,
            defaultValue: "true",
            help: "whether messages are on disk before they are acknowledged"
        ),
        SettingRule(
            "spool.expire",
            .duration(.seconds(1) ... .seconds(90 * 86400)),
            defaultValue: Self.fallback.expire,
            help: "how long a message may wait before it goes back to its sender"
        ),
        SettingRule("spool.retry", .map),
        SettingRule(
            "spool.retry.first",
            .duration(.milliseconds(100) ... .seconds(3600)),
            defaultValue: Self.fallback.first,
            help: "the wait after the first failure; it doubles with each that follows"
        ),
        SettingRule(
            "spool.retry.max",
            .duration(.milliseconds(100) ... .seconds(86400)),
            defaultValue: Self.fallback.max,
            help: "the longest wait between two tries"
        ),
        SettingRule(
            "spool.retry.attempts",
            .integer(1...1_000_000),
            defaultValue: "\(Self.fallback.attempts)",
            help: "tries before a message goes back to its sender"
        ),
        SettingRule("spool.dead_letters", .map),
        SettingRule(
            "spool.dead_letters.keep",
            .duration(.seconds(60) ... .seconds(3650 * 86400)),
            defaultValue: Self.fallback.keep,
            help: "how long a message that was given up is kept for the operator"
        ),
        SettingRule(
            "spool.dead_letters.max",
            .integer(0...10_000_000),
            defaultValue: "\(Self.fallback.count)",
            help: "how many of them are kept; the oldest go first"
        ),
    ]

    init(_ root: SettingNode, _ context: inout SectionContext) {
        let node = root["spool"]
        let retry = node?["retry"]
        self.durable = node?["durable"]?.text != "false"
        self.expire = Self.duration(node?["expire"], Self.fallback.expire)
        self.retry = Retry(
            first: Self.duration(retry?["first"], Self.fallback.first),
            max: Self.duration(retry?["max"], Self.fallback.max),
            attempts: retry?["attempts"]?.text.flatMap { Int($0) } ?? Self.fallback.attempts
        )
        let deadLetters = node?["dead_letters"]
        self.deadLetters = DeadLetters(
            keep: Self.duration(deadLetters?["keep"], Self.fallback.keep),
            count: deadLetters?["max"]?.text.flatMap { Int($0) } ?? Self.fallback.count
        )
        if let retry, self.retry.first > self.retry.max {
            context.problems.error(
                "spool.retry.first (\(DurationText.format(self.retry.first))) is longer than "
                    + "spool.retry.max (\(DurationText.format(self.retry.max)))",
                at: (retry["first"] ?? retry).position,
                path: SettingPath([.key("spool"), .key("retry"), .key("first")])
            )
        }
    }

    private static func duration(_ node: SettingNode?, _ fallback: String) -> Duration {
        (node?.text).flatMap(DurationText.parse) ?? DurationText.parse(fallback) ?? .zero
    }
}
