internal import PluginHost

/// Judges how long the calls of one worker into its plugins take, by looking at them now and then.
///
/// Pure.
///
/// The time between two looks counts for at most ``lookMaxNs``, so that a process that was stopped, or a machine that
/// slept, condemns nobody.
struct CallJudge {
    /// How long a call may take, in ns.
    struct Limits: Hashable, Sendable {
        /// From here on it is counted and told.
        var slow: UInt64
        /// From here on its instance is to be stopped; after twice the time it is not expected to return.
        var stuck: UInt64
    }

    /// What is to be done about a call.
    enum Event: Hashable, Sendable {
        /// It takes long.
        case slow
        /// It has taken too long.
        case stuck
        /// It does not return.
        case lost
        /// It has returned after it was stuck.
        case returned
    }

    /// A judgement: of which call, and how long it has been seen, in ns.
    struct Verdict: Hashable, Sendable {
        var event: Event
        var call: CallWatch.Present
        var durationNs: UInt64
    }

    private var call: CallWatch.Present?
    private var durationNs: UInt64 = 0
    /// The last of the events that was told of it.
    private var told: Event?

    /// The most that the time between two looks counts for, in ns.
    let lookMaxNs: UInt64

    init(lookMaxNs: UInt64) {
        self.lookMaxNs = lookMaxNs
    }

    /// Looks at the worker.
    ///
    /// - Parameters:
    ///   - present: the call it is in.
    ///   - passedNs: the time since the last look.
    ///   - limits: of the instance that is called.
    mutating func look(at present: CallWatch.Present?, passedNs: UInt64, _ limits: (Int) -> Limits) -> [Verdict] {
        var verdicts: [Verdict] = []
        if let call, call != present {
            if told == .stuck || told == .lost { verdicts.append(verdict(.returned, call)) }
            told = nil
        }
        guard let present else {
            call = nil
            return verdicts
        }
        durationNs = call == present ? durationNs + min(passedNs, lookMaxNs) : 0
        call = present
        let limits = limits(present.instance)
        if told == nil, durationNs >= limits.slow { tell(.slow, present, &verdicts) }
        if told == .slow, durationNs >= limits.stuck { tell(.stuck, present, &verdicts) }
        if told == .stuck, durationNs / 2 >= limits.stuck { tell(.lost, present, &verdicts) }
        return verdicts
    }

    private mutating func tell(_ event: Event, _ call: CallWatch.Present, _ verdicts: inout [Verdict]) {
        told = event
        verdicts.append(verdict(event, call))
    }

    private func verdict(_ event: Event, _ call: CallWatch.Present) -> Verdict {
        Verdict(event: event, call: call, durationNs: durationNs)
    }
}
