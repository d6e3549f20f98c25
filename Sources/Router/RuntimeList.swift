internal import HostServices
internal import Lanes
internal import Synchronization

/// The instances' runtimes by index: a list that only grows, and may be read while it does.
///
/// Whoever was given an index finds its runtime: an index is told after the runtime is in the list. A provider that is
/// removed keeps its place, for envelopes may carry its index still; if it comes back it has the same.
///
/// Safe to share: a slot is written once, before the count that covers it is published; ``append(_:)`` is called by one
/// thread at a time.
final class RuntimeList: @unchecked Sendable {
    /// Where a runtime's lane begins: the lane, and the index of the worker that empties it.
    typealias LaneEnd = (lane: Unmanaged<Lane>, worker: Int)

    private let slots: UnsafeMutablePointer<InstanceRuntime?>
    /// The lanes' ends by index, without a count of references: all workers would share it for each message.
    ///
    /// Of an index that was told; valid as long as the list.
    let laneEnds: UnsafeMutablePointer<LaneEnd>
    private let published = Atomic<Int>(0)

    /// Runtimes in one router's life, those of removed providers included.
    static let capacity = 1024

    init() {
        slots = .allocate(capacity: Self.capacity)
        slots.initialize(repeating: nil, count: Self.capacity)
        laneEnds = .allocate(capacity: Self.capacity)
    }

    deinit {
        slots.deinitialize(count: Self.capacity)
        slots.deallocate()
        laneEnds.deallocate()
    }

    /// Whether no other fits.
    var isFull: Bool { count == Self.capacity }

    /// Adds one.
    ///
    /// - Precondition: the list is not full; no other thread adds.
    func append(_ runtime: InstanceRuntime) {
        let index = published.load(ordering: .relaxed)
        precondition(index < Self.capacity, "a router has \(Self.capacity) instances at most")
        slots[index] = runtime
        (laneEnds + index).initialize(to: (Unmanaged.passUnretained(runtime.lane), runtime.worker.index))
        published.store(index + 1, ordering: .releasing)
    }
}

extension RuntimeList: RandomAccessCollection {
    var startIndex: Int { 0 }
    /// How many there are.
    var endIndex: Int { published.load(ordering: .acquiring) }

    /// The runtime of an index that was told; the index is trusted, for it comes from the router itself.
    subscript(index: Int) -> InstanceRuntime {
        guard let runtime = slots[index] else { preconditionFailure("no instance has the index \(index)") }
        return runtime
    }
}
