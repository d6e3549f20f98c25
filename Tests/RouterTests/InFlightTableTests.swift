import Lanes
import Testing

@testable import Router

/// Envelopes that only a table holds, given back at the end.
private final class Blocks {
    let pools = SlabPools(workers: 1)

    func make(conversation: UInt64? = nil) -> RoutedEnvelope {
        let envelope = RoutedEnvelope(imageBytes: 0, from: pools, worker: 0)
        envelope.header.pointee.isDurable = conversation != nil
        envelope.header.pointee.conversation = conversation ?? 0
        return envelope
    }

    func release(_ envelopes: [RoutedEnvelope]) {
        for envelope in envelopes { envelope.release(to: pools, worker: 0) }
    }
}

@Suite("Envelopes in flight")
struct InFlightTableTests {
    private let blocks = Blocks()

    @Test("A token names its envelope until it is taken out, and never again")
    func tokens() {
        var table = InFlightTable()
        let (one, two) = (blocks.make(), blocks.make())
        let (first, second) = (table.insert(one), table.insert(two))
        #expect(first != 0 && second != 0 && first != second)
        #expect(table.envelope(of: first)?.word == one.word)
        #expect(table.remove(first)?.word == one.word)
        #expect(table.remove(first) == nil)
        let third = table.insert(one)
        #expect(third != first)
        #expect(table.envelope(of: first) == nil)
        #expect(table.envelope(of: third)?.word == one.word)
        #expect(table.count == 2)
        blocks.release(table.removeAll())
        #expect(table.count == 0)
        #expect(table.envelope(of: second) == nil)
        #expect(blocks.pools.outstanding == 0)
    }

    @Test("Only the instance that has taken an envelope can take it out by its token")
    func holder() {
        var table = InFlightTable()
        let envelope = blocks.make()
        envelope.header.pointee.holder = 2
        let token = table.insert(envelope)
        #expect(table.remove(token, heldBy: 1) == nil)
        #expect(table.remove(token, heldBy: 2)?.word == envelope.word)
        #expect(table.remove(token, heldBy: 2) == nil)
        blocks.release([envelope])
    }

    @Test("Tokens that were never given name nothing", arguments: [0 as UInt64, 1, 1 << 32 | 1000, .max])
    func unknown(token: UInt64) {
        var table = InFlightTable()
        _ = table.remove(table.insert(blocks.make()))
        #expect(table.envelope(of: token) == nil)
        #expect(table.remove(token) == nil)
    }

    @Test("It grows, and keeps what it holds")
    func growth() {
        var table = InFlightTable()
        let envelopes = (0..<1000).map { _ in blocks.make() }
        let tokens = envelopes.map { table.insert($0) }
        for (token, envelope) in zip(tokens, envelopes) { #expect(table.envelope(of: token)?.word == envelope.word) }
        for token in tokens.reversed() { blocks.release(table.remove(token).map { [$0] } ?? []) }
        #expect(table.count == 0)
        #expect(blocks.pools.outstanding == 0)
    }

    @Test("Durable ones are counted for each conversation, the others are not")
    func conversations() {
        var table = InFlightTable()
        let tokens = [1, 1, 2, nil].map { table.insert(blocks.make(conversation: $0)) }
        #expect([0, 1, 2].map { table.count(of: $0) } == [0, 2, 1])
        for token in tokens { blocks.release(table.remove(token).map { [$0] } ?? []) }
        #expect([0, 1, 2].map { table.count(of: $0) } == [0, 0, 0])
    }

    @Test("Overdue is what was taken so many sweeps ago, and nothing younger")
    func overdue() {
        var table = InFlightTable()
        let old = blocks.make()
        _ = table.insert(old)
        table.nextSweep()
        let young = blocks.make()
        let token = table.insert(young)
        #expect(table.removeOverdue(sweeps: 2).isEmpty)
        table.nextSweep()
        let overdue = table.removeOverdue(sweeps: 2)
        #expect(overdue.map(\.word) == [old.word])
        #expect(table.envelope(of: token)?.word == young.word)
        table.nextSweep()
        let rest = table.removeOverdue(sweeps: 2)
        #expect(rest.map(\.word) == [young.word])
        #expect(table.count == 0)
        blocks.release(overdue + rest)
    }
}

@Suite("The queue of what is offered")
struct OfferQueueTests {
    private let blocks = Blocks()

    /// Fills a queue, makes an offer of `offered`, and says what is left when `taken` were taken and `gone` settled.
    private func left(of count: Int, offered: Int, taken: Int, gone: Set<UInt64> = []) -> [Int] {
        var queue = OfferQueue(offerMax: count)
        let envelopes = (0..<count).map { _ in blocks.make() }
        for envelope in envelopes { queue.append(envelope) }
        var token: UInt64 = 0
        let batch = queue.begin(offered) { _ in
            token += 1
            return token
        }
        #expect(batch.count == offered)
        queue.finish(taken: taken, of: offered) { !gone.contains($0) }
        var left: [Int] = []
        queue.removeAll { envelope in
            left.append(envelopes.firstIndex { $0.word == envelope.word } ?? -1)
            return true
        }
        let rest = queue.count
        #expect(rest == 0)
        blocks.release(envelopes)
        return left
    }

    @Test("What was taken is gone, and the rest stays in order")
    func order() {
        #expect(left(of: 4, offered: 4, taken: 4) == [])
        #expect(left(of: 4, offered: 4, taken: 0) == [0, 1, 2, 3])
        #expect(left(of: 4, offered: 4, taken: 1) == [1, 2, 3])
        #expect(left(of: 4, offered: 2, taken: 2) == [2, 3])
        #expect(left(of: 4, offered: 3, taken: 1) == [1, 2, 3])
    }

    @Test("What was not taken and settled nevertheless is left out")
    func settled() {
        #expect(left(of: 4, offered: 4, taken: 1, gone: [3]) == [1, 3])
        #expect(left(of: 4, offered: 3, taken: 1, gone: [2, 3]) == [3])
        #expect(left(of: 4, offered: 4, taken: 0, gone: [1, 2, 3, 4]) == [])
    }

    @Test("It is used again and again without growing")
    func reuse() {
        var queue = OfferQueue(offerMax: 2)
        let envelopes = [blocks.make(), blocks.make()]
        for _ in 0..<10 {
            for envelope in envelopes { queue.append(envelope) }
            _ = queue.begin(2) { _ in 1 }
            queue.finish(taken: 2, of: 2) { _ in true }
        }
        let rest = queue.count
        #expect(rest == 0)
        blocks.release(envelopes)
    }

    @Test("What matches is taken out, and the rest keeps its order")
    func filter() {
        var queue = OfferQueue(offerMax: 4)
        let envelopes = (0..<4).map { _ in blocks.make() }
        for envelope in envelopes { queue.append(envelope) }
        queue.removeAll { $0.word == envelopes[0].word || $0.word == envelopes[2].word }
        let kept = queue.count
        #expect(kept == 2)
        let batch = queue.begin(2) { _ in 1 }
        #expect(batch.map { $0 } == [envelopes[1], envelopes[3]].map { UnsafePointer($0.envelope) })
        queue.finish(taken: 2, of: 2) { _ in true }
        blocks.release(envelopes)
    }

    @Test("What is put in front comes first, however much it is, and more may follow behind")
    func front() {
        var queue = OfferQueue(offerMax: 2)
        let envelopes = (0..<20).map { _ in blocks.make() }
        queue.append(envelopes[10])
        queue.putInFront(Array(envelopes[0..<10]))
        for envelope in envelopes[11...] { queue.append(envelope) }
        _ = queue.begin(2) { _ in 1 }
        queue.finish(taken: 1, of: 2) { _ in true }
        queue.putInFront([envelopes[0]])
        var words: [UInt] = []
        queue.removeAll { envelope in
            words.append(envelope.word)
            return true
        }
        #expect(words == envelopes.map(\.word))
        blocks.release(envelopes)
    }
}
