public import Synchronization

// The consumer sleeps and is woken: invariants 4 to 7 of the lane.
extension Lane {
    /// Announces that the consumer is about to sleep.
    ///
    /// A consumer of several lanes announces in each of them; when one refuses, it calls ``cancelSleep()`` for the others. A
    /// consumer that cannot take words now (its provider is busy) announces nothing: whatever makes it able wakes it.
    ///
    /// - Returns: true when it may sleep, and the next batch pushed will wake it; false when words have arrived, nothing is
    ///   announced any more and it must stay awake.
    /// - Complexity: O(producers), one fence. Consumer thread only.
    package func prepareToSleep() -> Bool {
        self.control.asleep.pointee.store(true, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard self.isEmpty else {
            self.cancelSleep()
            return false
        }
        return true
    }

    /// Takes back an announced sleep, after which no wake-up is owed; one that is under way still comes.
    ///
    /// For a consumer that was woken by something else than this lane. Consumer thread only.
    @inlinable package func cancelSleep() {
        self.control.asleep.pointee.store(false, ordering: .relaxed)
    }

    /// Whether the caller has to wake the consumer.
    ///
    /// Call it once a batch, after the last push, unless the caller is the consumer itself.
    ///
    /// - Returns: true exactly once for each announced sleep that is not taken back.
    /// - Complexity: O(1), one fence. Any thread that pushed.
    @inlinable package func shouldWakeConsumer() -> Bool {
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        guard self.control.asleep.pointee.load(ordering: .relaxed) else { return false }
        return self.control.asleep.pointee.exchange(false, ordering: .acquiringAndReleasing)
    }
}
