/// `providers.NAME.limits`: what one provider may take of the router.
package struct ProviderLimits: Hashable, Sendable {
    /// A call into the plugin that takes longer is counted and logged.
    package var slowCall: Duration
    /// A plugin that stays longer in a call is stopped.
    package var stuckCall: Duration
    /// Envelopes that it may hand in within a second; 0: as many as it likes.
    package var submitsPerSecond: Int
    /// Of these, the ones that it may hand in at once.
    package var submitBurst: Int
    /// How long it may hold an envelope before that is taken back; nil: as long as the router's own bound.
    package var settle: Duration?

    static let fallback = (slow: "100ms", stuck: "10s", burst: "1000")

    static let rules = [
        SettingRule("providers.*.limits", .map),
        SettingRule(
            "providers.*.limits.slow_call",
            .duration(.milliseconds(10) ... .seconds(3600)),
            defaultValue: Self.fallback.slow,
            help: "a call into the plugin that takes longer is counted and logged"
        ),
        SettingRule(
            "providers.*.limits.stuck_call",
            .duration(.milliseconds(100) ... .seconds(3600)),
            defaultValue: Self.fallback.stuck,
            help: "a plugin that stays longer in a call is stopped"
        ),
        SettingRule(
            "providers.*.limits.submits_per_second",
            .integer(0...10_000_000),
            defaultValue: "0",
            help: "messages and the like that the plugin may hand in within a second; 0 for any number"
        ),
        SettingRule(
            "providers.*.limits.submit_burst",
            .integer(1...10_000_000),
            defaultValue: Self.fallback.burst,
            help: "how many of these it may hand in at once"
        ),
        SettingRule(
            "providers.*.limits.settle",
            .duration(.seconds(1) ... .seconds(86_400)),
            help: "a message that the plugin holds longer is taken back, and tried again; 2m if absent"
        ),
    ]

    init(_ node: SettingNode?, at path: SettingPath, _ context: inout SectionContext) {
        slowCall = Self.duration(node?["slow_call"], Self.fallback.slow)
        stuckCall = Self.duration(node?["stuck_call"], Self.fallback.stuck)
        submitsPerSecond = node?["submits_per_second"]?.text.flatMap { Int($0) } ?? 0
        submitBurst = (node?["submit_burst"]?.text ?? Self.fallback.burst).wholeNumber
        settle = (node?["settle"]?.text).flatMap(DurationText.parse)
        if let node, slowCall > stuckCall {
            context.problems.error(
                "\(path).slow_call (\(DurationText.format(slowCall))) is longer than stuck_call "
                    + "(\(DurationText.format(stuckCall)))",
                at: (node["slow_call"] ?? node).position,
                path: path.appending(key: "slow_call")
            )
        }
    }

    private static func duration(_ node: SettingNode?, _ fallback: String) -> Duration {
        (node?.text).flatMap(DurationText.parse) ?? DurationText.parse(fallback) ?? .zero
    }
}

extension String {
    /// The number that it spells; 1 if it spells none, which has been reported then.
    fileprivate var wholeNumber: Int { Int(self) ?? 1 }
}
