import Logging
import NIOCore
import Telemetry

/// Input: from the channel to the delegate.
extension StreamService {
    /// Data came in.
    func channelRead(_ stream: Stream, _ data: ByteBuffer) {
        // What comes from a TLS handler is its own.
        defer { if stream.handshake == nil { worker.giveBackReadBuffer(data) } }
        guard !isStopped, data.readableBytes > 0 else { return }
        switch stream.phase {
        case .finishing, .lingering, .ended:
            return
        case .startingTLS:
            end(stream, .plaintextAfterStartTLS)
        case .connecting, .securing, .upgrading:
            hold(stream, data)
        case .open:
            // An offer that is due already goes first.
            if stream.takesInput, !stream.input.isOfferDue {
                offer(stream, data)
            } else {
                hold(stream, data)
            }
        }
    }

    /// Reading, refusal or the phase changed: offers what is kept, and lets the channel read or not.
    func inputChanged(_ stream: Stream) {
        queueFlush(stream)
        guard stream.input.isOfferDue, stream.input.isWanted, !stream.isOfferQueued else { return }
        stream.isOfferQueued = true
        worker.enqueue { [weak self] in
            stream.isOfferQueued = false
            self?.offerKept(stream)
        }
    }

    /// Drops input that nobody will take, so that the end need not wait for it.
    func discardInput(_ stream: Stream) {
        stream.input.discard()
        queueClosed(stream)
    }

    private func offerKept(_ stream: Stream) {
        guard !isStopped, stream.input.isOfferDue, stream.input.isWanted, !stream.isOpenedQueued else { return }
        switch stream.phase {
        case .open:
            offer(stream, nil)
        case .ended:
            // The peer closed while its last input was refused.
            offer(stream, nil)
            queueClosed(stream)
        case .connecting, .securing, .startingTLS, .upgrading, .finishing, .lingering:
            return
        }
    }

    private func hold(_ stream: Stream, _ data: ByteBuffer) {
        stream.input.hold(data)
        if stream.input.kept.readableBytes > limits.heldInputMax {
            stream.input.discard()
            end(stream, .frameTooLong(limit: limits.heldInputMax))
        }
    }

    private func offer(_ stream: Stream, _ data: ByteBuffer?) {
        var scratch = worker.takeScratch()
        let offer = stream.input.beginOffer(data, scratch: &scratch)
        let done = offerInPieces(stream, offer.buffer)
        stream.input.endOffer(offer, done)
        worker.giveBackScratch(scratch)
        settle(stream)
        worker.inputOffered()
    }

    /// Offers much input piece by piece, so that what comes of one is delivered before the next is looked at.
    private func offerInPieces(_ stream: Stream, _ input: ByteBuffer) -> Consumption {
        var done = Consumption.consumed(0)
        var pieceMax = Worker.inputPerDeliveryMax
        while true {
            let rest = input.readableBytes - done.bytes
            let count = min(rest, pieceMax)
            let piece = input.withUnsafeReadableBytes {
                offer(stream, UnsafeRawBufferPointer(rebasing: $0[done.bytes..<done.bytes + count]))
            }
            done = Consumption(bytes: done.bytes + piece.bytes, refused: piece.refused)
            worker.noteInput(piece.bytes)
            guard count < rest, !piece.refused, mayTakeMore(stream) else { return done }
            // Nothing was taken if no frame ends in the piece.
            pieceMax = piece.bytes == 0 ? pieceMax * 2 : Worker.inputPerDeliveryMax
            worker.inputOffered()
            guard mayTakeMore(stream) else { return done }
        }
    }

    /// Whether a stream that has been offered a piece of its input may be offered the next.
    private func mayTakeMore(_ stream: Stream) -> Bool {
        guard !isStopped, stream.input.isWanted, !stream.isOpenedQueued else { return false }
        switch stream.phase {
        case .open, .ended(.remoteClosed), .ended(.connectionLost): return true
        case .connecting, .securing, .startingTLS, .upgrading, .finishing, .lingering, .ended: return false
        }
    }

    /// Offers one piece of input.
    ///
    /// - Returns: what became of it; a count that cannot be is brought into range.
    private func offer(_ stream: Stream, _ bytes: UnsafeRawBufferPointer) -> Consumption {
        guard let done = delegate?.received(stream.handle, bytes) else { return .consumed(bytes.count) }
        guard (0...bytes.count).contains(done.bytes) else {
            let reason = "it said \(done.bytes) bytes and was offered \(bytes.count)"
            logger.log(.error, "the plugin consumed more input than there was", [.reason: reason])
            return Consumption(bytes: min(max(done.bytes, 0), bytes.count), refused: done.refused)
        }
        return done
    }

    /// Looks at what the delegate left, and at what it did meanwhile.
    private func settle(_ stream: Stream) {
        guard !isStopped else { return }
        switch stream.phase {
        case .finishing, .lingering:
            stream.input.discard()
        case .startingTLS:
            if stream.input.kept.readableBytes > 0 { end(stream, .plaintextAfterStartTLS) }
        case .open where stream.input.isRefused:
            noteRefused(stream)
            queueFlush(stream)
        case .open:
            // Only of a stream that wants more: a delegate that stopped reading is not to blame the peer.
            if stream.input.isWanted, stream.input.kept.readableBytes > stream.frameMax {
                end(stream, .frameTooLong(limit: stream.frameMax))
            }
        case .ended:
            if stream.input.isRefused { noteRefused(stream) }
        case .connecting, .securing, .upgrading:
            return
        }
    }
}
