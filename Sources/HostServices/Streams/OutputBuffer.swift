import NIOCore

/// What a stream has to send: one contiguous buffer that fills during a tick, and a count of what the channel holds.
///
/// Pure.
struct OutputBuffer {
    /// From this on what was gathered is sent before the end of the tick, in bytes: half of the usual high-water mark, so
    /// that a writer is not told to wait only because the tick is long.
    static let earlySendMin = 128 << 10

    private var gathered = ByteBuffer()
    private var inChannel = 0
    /// The kernel had no room in this tick.
    private var isSocketFull = false
    private var isHigh = false

    /// Bytes that the kernel has not taken.
    var unsent: Int { gathered.readableBytes + inChannel }

    /// Whether there is something to give to the channel.
    var hasGathered: Bool { gathered.readableBytes > 0 }

    /// Copies `bytes` to the end.
    ///
    /// `spare` gives an empty buffer to begin with.
    ///
    /// - Throws: ``ServiceError/writeBufferFull(unsent:asked:limit:)``, with nothing copied.
    mutating func append(
        _ bytes: UnsafeRawBufferPointer,
        _ limits: ServiceLimits,
        spare: () -> ByteBuffer
    ) throws(ServiceError) -> WriteResult {
        guard bytes.count <= limits.writeBufferMax - unsent else {
            throw .writeBufferFull(unsent: unsent, asked: bytes.count, limit: limits.writeBufferMax)
        }
        if gathered.capacity == 0 { gathered = spare() }
        gathered.writeBytes(bytes)
        if unsent >= limits.writeHighWater { isHigh = true }
        return isHigh ? .high : .ok
    }

    /// Whether the channel holds nothing, so that what is gathered is next.
    var isChannelEmpty: Bool { inChannel == 0 }

    /// Whether so much was gathered that it should not wait for the end of the tick.
    var isEarlySendDue: Bool { gathered.readableBytes >= Self.earlySendMin && inChannel == 0 && !isSocketFull }

    /// Offers what was gathered to `send`, which answers how many bytes the kernel took, from the front.
    ///
    /// - Returns: the memory, if it is not needed any more.
    mutating func sendGathered(_ send: (UnsafeRawBufferPointer) -> Int) -> ByteBuffer? {
        let count = gathered.withUnsafeReadableBytes(send)
        gathered.moveReaderIndex(forwardBy: min(max(count, 0), gathered.readableBytes))
        isSocketFull = gathered.readableBytes > 0
        guard !isSocketFull else { return nil }
        defer { gathered = ByteBuffer() }
        return gathered
    }

    /// Takes what was gathered, to give it to the channel.
    mutating func take() -> ByteBuffer {
        let taken = gathered
        gathered = ByteBuffer()
        isSocketFull = false
        inChannel += taken.readableBytes
        return taken
    }

    /// The channel sent `count` bytes.
    ///
    /// - Returns: whether a writer that was told `.high` may go on now.
    mutating func sent(_ count: Int, _ limits: ServiceLimits) -> Bool {
        inChannel -= count
        guard isHigh, unsent <= limits.writeHighWater / 2 else { return false }
        isHigh = false
        return true
    }
}
