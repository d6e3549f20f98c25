internal import CPlugboard

/// The envelopes that have left the lane and are not with the provider, in order: a batch, and what an instance that was
/// replaced has left.
///
/// In memory of its own, for every message passes it. Worker's loop only.
struct OfferQueue: ~Copyable {
    private var envelopes: UnsafeMutablePointer<RoutedEnvelope>
    /// Tokens of the offer that is being made, by place.
    private let tokens: UnsafeMutablePointer<UInt64>
    /// Pointers of the offer that is being made, by place.
    private let pointers: UnsafeMutablePointer<UnsafePointer<plugboard_envelope_t>?>
    private var capacity: Int
    private let offerMax: Int
    private var start = 0
    private var end = 0

    /// An empty queue.
    ///
    /// - Parameter offerMax: the most that are offered at once; it has room for as many, and grows when it must.
    init(offerMax: Int) {
        self.offerMax = offerMax
        capacity = offerMax
        envelopes = .allocate(capacity: offerMax)
        tokens = .allocate(capacity: offerMax)
        pointers = .allocate(capacity: offerMax)
    }

    deinit {
        envelopes.deallocate()
        tokens.deallocate()
        pointers.deallocate()
    }

    var count: Int { end - start }
    var isEmpty: Bool { start == end }

    /// Adds one behind the others.
    mutating func append(_ envelope: RoutedEnvelope) {
        if isEmpty { (start, end) = (0, 0) }
        if end == capacity { makeRoom(inFront: 0) }
        (envelopes + end).initialize(to: envelope)
        end += 1
    }

    /// Adds envelopes in front of the others, in their order.
    mutating func putInFront(_ more: [RoutedEnvelope]) {
        guard !more.isEmpty else { return }
        makeRoom(inFront: more.count)
        start -= more.count
        for (place, envelope) in more.enumerated() { (envelopes + start + place).initialize(to: envelope) }
    }

    /// Moves what there is into larger memory, behind `inFront` free places and before as many as there are.
    private mutating func makeRoom(inFront: Int) {
        let larger = inFront + 2 * max(count, offerMax)
        let moved = UnsafeMutablePointer<RoutedEnvelope>.allocate(capacity: larger)
        (moved + inFront).moveInitialize(from: envelopes + start, count: count)
        envelopes.deallocate()
        (envelopes, capacity, start, end) = (moved, larger, inFront, inFront + count)
    }

    /// Takes out all for which `isMatch` is true.
    mutating func removeAll(where isMatch: (RoutedEnvelope) -> Bool) {
        var kept = start
        for place in start..<end where !isMatch(envelopes[place]) {
            envelopes[kept] = envelopes[place]
            kept += 1
        }
        end = kept
    }

    // MARK: Offers

    /// Names the first `count` envelopes, at most `offerMax`, and lists them for the provider; ``finish(taken:of:remove:)`` ends the offer.
    mutating func begin(
        _ count: Int,
        token: (RoutedEnvelope) -> UInt64
    ) -> UnsafeBufferPointer<UnsafePointer<plugboard_envelope_t>?> {
        for place in 0..<count {
            let envelope = envelopes[start + place]
            let token = token(envelope)
            envelope.envelope.pointee.token = token
            tokens[place] = token
            (pointers + place).initialize(to: UnsafePointer(envelope.envelope))
        }
        return UnsafeBufferPointer(start: pointers, count: count)
    }

    /// Drops what the provider took of an offer, and keeps the rest.
    ///
    /// - Parameter isLeft: whether one that was not taken is there still; a provider may have settled it nevertheless,
    ///   and then its memory is gone.
    mutating func finish(taken: Int, of count: Int, isLeft: (UInt64) -> Bool) {
        let first = start
        start += taken
        guard taken < count else { return }
        var kept = first + count
        for place in stride(from: count - 1, through: taken, by: -1) where isLeft(tokens[place]) {
            kept -= 1
            envelopes[kept] = envelopes[first + place]
        }
        start = kept
    }
}
