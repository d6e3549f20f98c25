import ProviderTestKit
import Testing

/// One legal or illegal use of the host: what a probe does, and what it waits for in between.
struct Use: Sendable, CustomTestStringConvertible {
    let name: String
    /// The rule that the simulation says it breaks; nil: it is legal.
    var breaks: Violation.Rule?
    let steps: [Step]
    /// What is done inside create(), drain(), stop() and destroy().
    var inCreate: Action = { _ in }
    var inDrain: Action = { $0.abortAll() }
    var inStop: Action = { _ in }
    var inDestroy: Action = { _ in }
    /// The extensions whose answers the probe has tables for; nil: all.
    var events: Set<String>?

    typealias Action = @Sendable (Probe) -> Void

    /// One step; a step is taken inside the call into the plugin that the one before it waited for.
    enum Step: Sendable {
        case act(Action)
        /// Waits until lines of the record that begin like this were noted so often: `s1 opened`.
        case heard(String, times: Int)
    }

    init(_ name: String, breaks: Violation.Rule? = nil, steps: [Step]) {
        self.name = name
        self.breaks = breaks
        self.steps = steps
    }

    /// One that is done in a single call, inside start().
    init(_ name: String, breaks: Violation.Rule? = nil, _ action: @escaping Action) {
        self.init(name, breaks: breaks, steps: [.act(action)] + Step.quiet("end"))
    }

    var testDescription: String { name }

    /// The same with something changed.
    func with(_ change: (inout Use) -> Void) -> Use {
        var copy = self
        change(&copy)
        return copy
    }

    /// All of them.
    static let all: [Use] =
        life + envelopes + deliveries + time + streamCalls + streams + stores + accounts + lines + digests + web
        + datagrams
        + metrics
}

extension Use.Step {
    /// Waits for one line.
    static func heard(_ line: String) -> Use.Step { .heard(line, times: 1) }

    /// Waits a moment, in which all happens that is under way.
    static func quiet(_ name: String) -> [Use.Step] {
        [.act { $0.startTimer(150, user: name) }, .heard("timer \(name) fired")]
    }
}
