/// One rule that was asked on the way to a decision.
package struct TrailStep: Hashable, Sendable {
    /// What the rule said.
    package enum Verdict: String, Hashable, Sendable, CaseIterable {
        case passes
        /// It lets it pass, and the operator should know.
        case warns
        case refuses
    }

    package var rule: PolicyRule
    package var verdict: Verdict
    package var sentence: String
    package var place: Place

    package init(_ rule: PolicyRule, _ verdict: Verdict, _ sentence: String, at place: Place) {
        self.rule = rule
        self.verdict = verdict
        self.sentence = sentence
        self.place = place
    }
}

/// Sees the rules that a decision asks.
protocol TrailRecorder {
    /// Notes a step; it is made only by a recorder that keeps it.
    mutating func note(_ step: @autoclosure () -> TrailStep)
}

/// Keeps nothing: what messages are decided with.
struct NoTrail: TrailRecorder {
    @inline(__always)
    mutating func note(_ step: @autoclosure () -> TrailStep) {}
}

/// Keeps all steps, for whoever asks why.
struct Trail: TrailRecorder {
    private(set) var steps: [TrailStep] = []

    mutating func note(_ step: @autoclosure () -> TrailStep) { steps.append(step()) }
}
