internal import CPlugboard
internal import PluginHost
internal import Routing

/// Answers to an instance's submits that it has not been told: taken, or refused with a reason.
///
/// Almost all are "taken": these cost a number each, and no allocation. Worker's loop only. A class, for an instance that is told submits more while it is.
final class Answers {
    private struct Entry {
        var cookie: UInt64
        /// Of the instance that waits for it, see ``Seat/generation``.
        var generation: UInt16
    }

    /// In order.
    @exclusivity(unchecked) private var entries: [Entry] = []
    /// The refused ones, by their place in `entries`, in order.
    private var refusals: [(place: Int, refusal: Refusal)] = []
    /// What is being told; apart from `entries`, for the instance submits more meanwhile.
    @exclusivity(unchecked) private var told: [Entry] = []
    /// Entries are of more than one generation.
    @exclusivity(unchecked) private var isMixed = false
    private let results: UnsafeMutablePointer<plugboard_submitted_t>
    /// What all that were taken point to.
    private let accepted: UnsafeMutablePointer<plugboard_outcome_t>

    /// The most that are told in one call.
    static let batchMax = 256

    init() {
        results = .allocate(capacity: Self.batchMax)
        accepted = .allocate(capacity: 1)
        accepted.initialize(to: Self.outcome(nil, reason: plugboard_bytes_t(), code: plugboard_bytes_t()))
    }

    deinit {
        results.deallocate()
        accepted.deallocate()
    }

    var isEmpty: Bool { entries.isEmpty }

    /// Whether all are of one generation, or there are none.
    func areAll(of generation: UInt16?) -> Bool {
        entries.isEmpty || (!isMixed && entries[0].generation == generation)
    }

    /// Adds an answer; nil: taken.
    @inline(__always)
    func append(_ cookie: UInt64, _ refusal: Refusal?, _ generation: UInt16) {
        if let last = entries.last { isMixed = isMixed || last.generation != generation } else { isMixed = false }
        if let refusal { refusals.append((entries.count, refusal)) }
        entries.append(Entry(cookie: cookie, generation: generation))
    }

    /// Forgets those of the generations for which `isGone` is true.
    func removeAll(where isGone: (UInt16) -> Bool) {
        let (all, refused) = take()
        var next = 0
        for (place, entry) in all.enumerated() {
            let refusal = Self.refusal(at: place, refused, &next)
            if !isGone(entry.generation) { append(entry.cookie, refusal, entry.generation) }
        }
    }

    /// Tells those of one generation, in order, and forgets them; the others stay.
    ///
    /// - Parameter body: is lent the answers in the ABI's form; more may be appended meanwhile.
    func tell(
        _ generation: UInt16,
        _ body: (UnsafeBufferPointer<plugboard_submitted_t>) -> Void
    ) {
        swap(&entries, &told)
        let refused = refusals
        if !refused.isEmpty { refusals = [] }
        isMixed = false
        // Those that stay go first: what is submitted meanwhile comes behind them.
        if told.contains(where: { $0.generation != generation }) {
            var next = 0
            for (place, entry) in told.enumerated() {
                let refusal = Self.refusal(at: place, refused, &next)
                if entry.generation != generation { append(entry.cookie, refusal, entry.generation) }
            }
        }
        withTexts(refused.flatMap { [$0.refusal.description, $0.refusal.code] }) { texts in
            let outcomes = refused.indices.map { index in
                Self.outcome(refused[index].refusal, reason: texts[index * 2], code: texts[index * 2 + 1])
            }
            outcomes.withUnsafeBufferPointer { tell(generation, refused.map(\.place), $0, body) }
        }
        told.removeAll(keepingCapacity: true)
    }

    private func tell(
        _ generation: UInt16,
        _ refusedPlaces: [Int],
        _ outcomes: UnsafeBufferPointer<plugboard_outcome_t>,
        _ body: (UnsafeBufferPointer<plugboard_submitted_t>) -> Void
    ) {
        var nextRefused = 0
        var count = 0
        for (place, entry) in told.enumerated() {
            var outcome = UnsafePointer(accepted)
            if nextRefused < refusedPlaces.count, refusedPlaces[nextRefused] == place, let base = outcomes.baseAddress {
                outcome = base + nextRefused
                nextRefused += 1
            }
            guard entry.generation == generation else { continue }
            (results + count).initialize(
                to: plugboard_submitted_t(
                    struct_size: UInt32(MemoryLayout<plugboard_submitted_t>.size),
                    reserved: 0,
                    cookie: entry.cookie,
                    outcome: outcome
                )
            )
            count += 1
            if count == Self.batchMax {
                body(UnsafeBufferPointer(start: results, count: count))
                count = 0
            }
        }
        if count > 0 { body(UnsafeBufferPointer(start: results, count: count)) }
    }

    private func take() -> ([Entry], [(place: Int, refusal: Refusal)]) {
        defer { (entries, refusals, isMixed) = ([], [], false) }
        return (entries, refusals)
    }

    /// The refusal at a place, if it was refused; places are asked for in order.
    private static func refusal(
        at place: Int,
        _ refused: [(place: Int, refusal: Refusal)],
        _ next: inout Int
    ) -> Refusal? {
        guard next < refused.count, refused[next].place == place else { return nil }
        next += 1
        return refused[next - 1].refusal
    }

    private static func outcome(
        _ refusal: Refusal?,
        reason: plugboard_bytes_t,
        code: plugboard_bytes_t
    ) -> plugboard_outcome_t {
        plugboard_outcome_t(
            struct_size: UInt32(MemoryLayout<plugboard_outcome_t>.size),
            result: refusal == nil ? PLUGBOARD_ACCEPTED : PLUGBOARD_FAILED,
            failure_class: refusal?.failureClass ?? PLUGBOARD_CLASS_NONE,
            flags: 0,
            retry_after_ms: refusal?.retryAfterMs ?? 0,
            reason: reason,
            code: code
        )
    }
}
