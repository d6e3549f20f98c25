internal import XMPPSession

/// The count of a managed stream's stanzas that were handled; it outlives the connection (XEP-0198 §4, §5).
final class HandledStanzas {
    /// The stream's name, where it can be resumed.
    let id: String?
    /// Between whom it is.
    let pair: DomainPair
    /// The session whose connection carries the stream; nil when that broke.
    weak var session: InboundSession?
    /// The stanzas that went back on a partner's stream, when its connection broke.
    var back = Back()
    private var counter = HandledCounter()
    private var question: Question?

    /// How many stanzas went the other way, modulo 2^32.
    struct Back {
        var acknowledged: UInt32 = 0
        var written: UInt32 = 0

        /// Whether the peer can have handled so many.
        func contains(_ count: UInt32) -> Bool { count &- self.acknowledged <= self.written &- self.acknowledged }
    }

    /// A peer waits to be told when all up to `first` is settled, and, if it asked again, once more at `last`.
    private struct Question {
        var first: UInt64
        var last: UInt64
        let answer: (UInt32) -> Void
    }

    /// A count that begins.
    init(id: String?, pair: DomainPair, session: InboundSession?) {
        self.id = id
        self.pair = pair
        self.session = session
    }

    /// A stanza came; all that comes of it settles it.
    func receive() -> StanzaTicket {
        let ticket = self.counter.receive()
        return StanzaTicket { [weak self] in self?.settle(ticket) }
    }

    /// Tells the count as soon as all that came so far is settled: now, if it is.
    ///
    /// Whoever asks again before that is told twice, so that a peer that never pauses is not kept waiting.
    func whenSettled(_ answer: @escaping (UInt32) -> Void) {
        guard !self.counter.isComplete else { return answer(self.counter.handled) }
        let first = self.question?.first ?? self.counter.received
        self.question = Question(first: first, last: self.counter.received, answer: answer)
    }

    /// The wish to go on with the stream; nil where it has no name.
    var resumption: Resumption? { self.id.map { Resumption(id: $0, handled: self.count) } }

    /// The count so far.
    var count: UInt32 { self.counter.handled }

    /// Tells nobody any more: the connection is gone, and what came over it is only settled.
    func detach() {
        self.question = nil
        self.session = nil
    }

    private func settle(_ ticket: HandledCounter.Ticket) {
        self.counter.settle(ticket)
        while let question = self.question, self.counter.hasSettled(question.first) {
            self.question = question.first == question.last ? nil : question
            self.question?.first = question.last
            question.answer(self.counter.handled)
        }
    }
}

/// One stanza, until all that came of it is settled.
///
/// What the router is not to have any more (it is stopping) leaves the ticket open, and the peer sends the stanza again.
final class StanzaTicket {
    private var open = 1
    private let settled: () -> Void

    /// A ticket with one thing open: its issue.
    init(settled: @escaping () -> Void) {
        self.settled = settled
    }

    /// One more thing is to be settled.
    func open(_ count: Int) { self.open += count }

    /// One thing is settled.
    func settle() {
        self.open -= 1
        if self.open == 0 { self.settled() }
    }
}
