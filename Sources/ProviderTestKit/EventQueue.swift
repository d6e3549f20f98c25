/// What will happen, in the order of time; at one moment in the order of posting.
///
/// A binary heap.
struct EventQueue {
    struct Event {
        var at: UInt64
        var order: UInt64
        /// A plugin's timer, which may run for ever and so does not keep a simulation from being quiet.
        var isTimer: Bool
        var body: () -> Void

        func isBefore(_ other: Event) -> Bool { at != other.at ? at < other.at : order < other.order }
    }

    private var heap: [Event] = []
    private var lastOrder: UInt64 = 0
    /// Events that are no timers.
    private(set) var workCount = 0

    /// When the next event is due, in ns.
    var nextTime: UInt64? { heap.first?.at }

    /// Posts an event for the time `at`, in ns.
    mutating func post(at: UInt64, isTimer: Bool, _ body: @escaping () -> Void) {
        lastOrder += 1
        if !isTimer { workCount += 1 }
        heap.append(Event(at: at, order: lastOrder, isTimer: isTimer, body: body))
        var index = heap.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            guard heap[index].isBefore(heap[parent]) else { return }
            heap.swapAt(index, parent)
            index = parent
        }
    }

    /// Takes the next event out.
    mutating func takeNext() -> Event? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else {
            if !last.isTimer { workCount -= 1 }
            return last
        }
        heap[0] = last
        sink()
        if !first.isTimer { workCount -= 1 }
        return first
    }

    private mutating func sink() {
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < heap.count && heap[child].isBefore(heap[least]) {
                least = child
            }
            guard least != index else { return }
            heap.swapAt(index, least)
            index = least
        }
    }
}

/// A queue whose first element is taken out in constant time.
struct FIFO<Element> {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }
    var first: Element? { isEmpty ? nil : elements[head] }
    var last: Element? { isEmpty ? nil : elements[elements.count - 1] }

    mutating func append(_ element: Element) { elements.append(element) }

    /// Puts one in front of all others.
    mutating func prepend(_ element: Element) {
        if head > 0 {
            head -= 1
            elements[head] = element
        } else {
            elements.insert(element, at: 0)
        }
    }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        defer {
            elements[head] = nil
            head += 1
            if head == elements.count {
                elements.removeAll(keepingCapacity: true)
                head = 0
            } else if head >= 64, head * 2 >= elements.count {
                elements.removeFirst(head)
                head = 0
            }
        }
        return elements[head]
    }

    /// Takes the last one out.
    mutating func popLast() -> Element? {
        guard !isEmpty else { return nil }
        return elements.removeLast()
    }

    /// All that wait, in order.
    var all: [Element] { elements[head...].compactMap { $0 } }
}
