/// What a queue promises, as a value that takes one call after the other.
///
/// A model holds one or more queues: a ring is one, a lane is one for each producer and one for foreign threads, and its pop may
/// take the first word of any of them.
struct QueueModel: Hashable {
    /// How exactly a queue says that it is empty or full.
    enum Precision: Hashable {
        /// Says so only when it is: ``SPSCRing``.
        case exact
        /// Says so too while the call that has won the next cell is still at work in it: ``MPMCRing``. Behind such a cell there may be
        /// words, or room.
        case untilReturned
    }

    private struct Queue: Hashable {
        let capacity: Int
        let precision: Precision
        /// Words, each with the index of the call that pushed it.
        var words: [Entry] = []
        /// The calls that popped the last words, `capacity` at most, the latest last.
        var poppers: [Int] = []

        var room: Int { self.capacity - self.words.count }
    }

    private struct Entry: Hashable {
        let word: UInt
        let pusher: Int
    }

    private var queues: [Queue]

    /// Makes a model of empty queues.
    init(_ queues: [(capacity: Int, precision: Precision)]) {
        self.queues = queues.map { Queue(capacity: $0.capacity, precision: $0.precision) }
    }

    /// Takes the call that comes next in the order that is tried.
    ///
    /// - Returns: false when no queue would answer so at this point.
    mutating func take(_ index: Int, of calls: [Call]) -> Bool {
        switch calls[index].operation {
        case .push(let words, let taken, let queue):
            // Where all threads share one queue, the sender's index is none of a queue.
            self.push(words.prefix(taken), to: min(queue, self.queues.count - 1), by: index, of: calls)
        case .pop(let words):
            words.isEmpty
                ? self.queues.allSatisfy { Self.maySayEmpty($0, to: index, of: calls) }
                : words.allSatisfy { self.pop($0, by: index) }
        }
    }

    private mutating func push(_ words: ArraySlice<UInt>, to queue: Int, by index: Int, of calls: [Call]) -> Bool {
        let target = self.queues[queue]
        guard !words.isEmpty else { return Self.maySayFull(target, to: index, of: calls) }
        // Fewer words than have room is no fault: the room is looked up before the words become visible.
        guard words.count <= target.room else { return false }
        self.queues[queue].words += words.map { Entry(word: $0, pusher: index) }
        return true
    }

    private mutating func pop(_ word: UInt, by index: Int) -> Bool {
        guard let queue = self.queues.firstIndex(where: { $0.words.first?.word == word }) else { return false }
        self.queues[queue].words.removeFirst()
        self.queues[queue].poppers.append(index)
        if self.queues[queue].poppers.count > self.queues[queue].capacity { self.queues[queue].poppers.removeFirst() }
        return true
    }

    private static func maySayEmpty(_ queue: Queue, to index: Int, of calls: [Call]) -> Bool {
        guard let first = queue.words.first else { return true }
        return queue.precision == .untilReturned && calls[first.pusher].returned > calls[index].invoked
    }

    private static func maySayFull(_ queue: Queue, to index: Int, of calls: [Call]) -> Bool {
        guard queue.room > 0 else { return true }
        guard queue.precision == .untilReturned, queue.room <= queue.poppers.count else { return false }
        // The next cell is the one that was popped `room` words ago.
        let popper = queue.poppers[queue.poppers.count - queue.room]
        return calls[popper].returned > calls[index].invoked
    }
}
