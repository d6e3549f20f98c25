internal import ProviderKit
internal import XMPPWire

/// One stanza on its way to a partner.
struct Outgoing {
    let stanza: Stanza
    /// Nil for an answer of ours, which nobody misses.
    let delivery: Delivery?
    /// It was written before, on a stream that is resumed.
    var isRepeated = false
    /// It asks for a presence, and is asked once more where it was lost.
    var isProbe = false
}

/// A queue with a limit; the first in is the first out.
struct OutgoingQueue {
    /// Most that wait.
    let max: Int
    private var items: [Outgoing?] = []
    private var head = 0

    /// An empty queue.
    init(max: Int) {
        self.max = max
    }

    /// How many wait.
    var count: Int { self.items.count - self.head }

    /// Whether none waits.
    var isEmpty: Bool { self.count == 0 }

    /// The one to go next.
    var first: Outgoing? { self.isEmpty ? nil : self.items[self.head] }

    /// Appends one; false if there is no room.
    mutating func append(_ item: Outgoing) -> Bool {
        guard self.count < self.max else { return false }
        self.items.append(item)
        return true
    }

    /// Puts some before all others; those waited already, and the limit is not for them.
    mutating func prepend(_ items: [Outgoing]) {
        self.items.replaceSubrange(0..<self.head, with: items)
        self.head = 0
    }

    /// Removes the one to go next.
    mutating func removeFirst() {
        guard !self.isEmpty else { return }
        self.items[self.head] = nil
        self.head += 1
        // Moving the rest once in a while costs less than moving it each time.
        if self.head >= 64, self.head * 2 >= self.items.count {
            self.items.removeFirst(self.head)
            self.head = 0
        }
    }

    /// Removes all, in order.
    mutating func removeAll() -> [Outgoing] {
        defer {
            self.items = []
            self.head = 0
        }
        return self.items[self.head...].compactMap { $0 }
    }
}
