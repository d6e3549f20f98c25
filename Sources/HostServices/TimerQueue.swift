/// The running timers of one instance, earliest first: a binary heap over a table of slots.
///
/// Pure; time is an argument.
///
/// Starting and cancelling take O(log n) at most: a cancelled timer's heap entry is left and skipped later, and the heap
/// is rebuilt before skipped entries outnumber the running timers.
struct TimerQueue {
    private struct Entry {
        var deadline: UInt64
        /// Timers with one deadline fire in the order they were started in.
        var order: UInt64
        var handle: TimerHandle

        static func < (a: Entry, b: Entry) -> Bool { (a.deadline, a.order) < (b.deadline, b.order) }
    }

    private var table = SlotTable<TimerHandle, Void>()
    private var heap: [Entry] = []
    private var started: UInt64 = 0

    /// Timers that run.
    var count: Int { table.count }

    /// Entries in the heap, cancelled ones included; for tests.
    var entryCount: Int { heap.count }

    /// Starts a timer for `deadline`, on any scale the caller likes.
    mutating func start(deadline: UInt64) -> TimerHandle {
        let handle = table.insert { _ in () }
        started += 1
        heap.append(Entry(deadline: deadline, order: started, handle: handle))
        siftUp(heap.count - 1)
        return handle
    }

    /// Stops a timer.
    ///
    /// - Returns: false if it does not run.
    mutating func cancel(_ handle: TimerHandle) -> Bool {
        guard table.remove(handle) != nil else { return false }
        if heap.count > 2 * table.count + 64 { rebuild() }
        return true
    }

    /// The earliest deadline of a running timer.
    mutating func nextDeadline() -> UInt64? {
        while let first = heap.first, table[first.handle] == nil { removeFirst() }
        return heap.first?.deadline
    }

    /// The timers that are due at `now`, in order of deadline.
    ///
    /// They still run: ``cancel(_:)`` takes each out as it fires.
    mutating func takeDue(now: UInt64) -> [TimerHandle] {
        var due: [TimerHandle] = []
        while let first = heap.first, first.deadline <= now {
            removeFirst()
            if table[first.handle] != nil { due.append(first.handle) }
        }
        return due
    }

    private mutating func rebuild() {
        heap.removeAll { table[$0.handle] == nil }
        for index in stride(from: heap.count / 2 - 1, through: 0, by: -1) { siftDown(index) }
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        siftDown(0)
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child] < heap[parent] else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child] < heap[least] {
                least = child
            }
            guard least != parent else { return }
            heap.swapAt(least, parent)
            parent = least
        }
    }
}
