import NIOCore

/// What a stream received and nobody has consumed, and whether anybody wants it now.
///
/// Pure.
struct InputBuffer {
    /// Up to this many kept bytes are joined with new data in the worker's memory: read behind them, or both copied to
    /// its scratch buffer.
    ///
    /// More are appended to in place, since copying them again for each small read would let a peer make us copy
    /// without end.
    static let joinMax = 4096

    /// Input not consumed yet.
    private(set) var kept = ByteBuffer()
    /// Whether `kept` has bytes that the delegate has not seen, or refused.
    private(set) var isOfferDue = false
    /// What the instance asked for with ``StreamService/setReading(_:_:)``.
    private(set) var isReading = true
    /// Whether the delegate refused input and was not resumed since.
    private(set) var isRefused = false
    /// Whether a read under way has `kept` in front.
    private var isJoinedByRead = false

    /// Whether input may be offered.
    var isWanted: Bool { isReading && !isRefused }

    /// Starts or stops the flow.
    ///
    /// When it starts, kept input is offered again.
    mutating func setReading(_ reading: Bool) {
        isReading = reading
        if reading, kept.readableBytes > 0 { isOfferDue = true }
    }

    /// Ends a refusal.
    ///
    /// - Returns: false if there was none.
    mutating func resume() -> Bool {
        defer { isRefused = false }
        return isRefused
    }

    /// Adds data that cannot be offered now.
    mutating func hold(_ data: ByteBuffer) {
        if isJoinedByRead { kept.clear() }
        isJoinedByRead = false
        append(data)
        isOfferDue = true
    }

    /// What the next read is to have in front, so that the data given to ``beginOffer(_:scratch:)`` begins with it; nil
    /// if the read is to be on its own.
    ///
    /// The bytes stay here until the read has brought something.
    mutating func prefixForRead() -> ByteBuffer? {
        isJoinedByRead = isWanted && !isOfferDue && (1...Self.joinMax).contains(kept.readableBytes)
        return isJoinedByRead ? kept : nil
    }

    /// Forgets everything.
    mutating func discard() {
        kept = ByteBuffer()
        isOfferDue = false
    }

    /// Input on show to the delegate.
    struct Offer {
        var buffer: ByteBuffer
        /// Whether the stream may keep the buffer itself; else it belongs to the channel or is the scratch buffer.
        var isOwn: Bool
    }

    /// Takes what is kept, and `data` behind it, to be shown; ``endOffer(_:_:)`` must follow.
    ///
    /// In two steps because the delegate may call back into the service, and so into this buffer, in between.
    mutating func beginOffer(_ data: ByteBuffer?, scratch: inout ByteBuffer) -> Offer {
        isOfferDue = false
        if isJoinedByRead {
            isJoinedByRead = false
            // The memory stays for what is left this time.
            if data != nil { kept.clear() }
        }
        if let data, kept.readableBytes == 0 { return Offer(buffer: data, isOwn: false) }
        if let data, kept.readableBytes <= Self.joinMax {
            scratch.clear()
            scratch.writeImmutableBuffer(kept)
            scratch.writeImmutableBuffer(data)
            kept = ByteBuffer()
            return Offer(buffer: scratch, isOwn: false)
        }
        if let data { append(data) }
        defer { kept = ByteBuffer() }
        return Offer(buffer: kept, isOwn: true)
    }

    /// Keeps what the delegate left.
    ///
    /// A count that cannot be is brought into range.
    mutating func endOffer(_ offer: consuming Offer, _ done: Consumption) {
        let consumed = min(max(done.bytes, 0), offer.buffer.readableBytes)
        offer.buffer.moveReaderIndex(forwardBy: consumed)
        if offer.isOwn, offer.buffer.readableBytes > 0 {
            kept = offer.buffer
        } else {
            keep(offer.buffer)
        }
        if done.refused { isRefused = true }
        // A delegate that stopped in the middle has not looked at the rest.
        if !isWanted { isOfferDue = kept.readableBytes > 0 }
    }

    /// Copies what is left, for the channel's and the scratch buffer are used again; nothing left gives the memory back.
    private mutating func keep(_ data: ByteBuffer) {
        guard data.readableBytes > 0 else {
            if kept.capacity > 0 { kept = ByteBuffer() }
            return
        }
        if data.readableBytes > kept.capacity {
            kept = ByteBufferAllocator().buffer(capacity: data.readableBytes)
        } else {
            kept.clear()
        }
        kept.writeImmutableBuffer(data)
    }

    private mutating func append(_ data: ByteBuffer) {
        kept.discardReadBytes()
        kept.writeImmutableBuffer(data)
    }
}
