/// An opaque reference to something one instance owns in one service: a stream, a listener, a timer, a resolution.
///
/// The low half is a slot index, the high half the slot's generation, so that a handle kept after its object went away
/// is told from the handle of the slot's next tenant. Zero is never a valid handle.
package protocol ServiceHandle: Hashable, Sendable {
    /// The 64 bits as a plugin sees them.
    var rawValue: UInt64 { get }

    /// Wraps 64 bits that came from a plugin; they are checked when the handle is used.
    init(rawValue: UInt64)
}

extension ServiceHandle {
    /// The slot, from 0: dense, so a caller can keep its own array beside the service's table.
    package var index: Int { Int(UInt32(truncatingIfNeeded: rawValue)) }

    /// The slot's generation, from 1.
    package var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }

    init(index: Int, generation: UInt32) {
        self.init(rawValue: UInt64(generation) << 32 | UInt64(UInt32(index)))
    }
}

/// A byte stream of one instance.
package struct StreamHandle: ServiceHandle {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A listening socket of one instance.
package struct ListenerHandle: ServiceHandle {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A running timer of one instance.
package struct TimerHandle: ServiceHandle {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A DNS question of one instance that has no answer yet.
package struct ResolutionHandle: ServiceHandle {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Objects by generation-checked handle: a dense array with a free list.
///
/// All operations take constant time.
struct SlotTable<Handle: ServiceHandle, Element> {
    private struct Slot {
        var generation: UInt32
        var element: Element?
    }

    private var slots: [Slot] = []
    private var free: [Int] = []
    /// The number of objects now in the table.
    private(set) var count = 0

    /// Stores what `make` returns for its new handle.
    mutating func insert(_ make: (Handle) -> Element) -> Handle {
        let index: Int
        if let reused = free.popLast() {
            index = reused
        } else {
            index = slots.count
            slots.append(Slot(generation: 1, element: nil))
        }
        let handle = Handle(index: index, generation: slots[index].generation)
        slots[index].element = make(handle)
        count += 1
        return handle
    }

    /// The object of `handle`, or nil for a stale or invented handle.
    subscript(handle: Handle) -> Element? {
        let index = handle.index
        guard index < slots.count, slots[index].generation == handle.generation else { return nil }
        return slots[index].element
    }

    /// Takes the object of `handle` out and makes the handle stale.
    @discardableResult
    mutating func remove(_ handle: Handle) -> Element? {
        guard let element = self[handle] else { return nil }
        let index = handle.index
        slots[index].element = nil
        count -= 1
        // A slot whose generations are used up is retired: reusing it could revive an old handle.
        if slots[index].generation < .max {
            slots[index].generation += 1
            free.append(index)
        }
        return element
    }

    /// Every object, in slot order.
    var elements: [Element] { slots.compactMap(\.element) }
}
