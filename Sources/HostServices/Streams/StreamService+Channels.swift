import Logging
import NIOCore
import Telemetry

/// What happens on channels, and how streams end.
extension StreamService {
    /// The TCP connection is there.
    func channelActive(_ stream: Stream, _ channel: any Channel) {
        guard !isStopped, !stream.isEnded else { return channel.close(promise: nil) }
        stream.peerAddress = ChannelText.address(channel.remoteAddress)
        if stream.handshake == nil {
            stream.descriptor = Self.descriptor(of: channel)
            opened(stream, nil)
        } else {
            stream.phase = .securing
            setDeadline(stream, limits.handshakeTimeoutMs, .handshakeTimedOut(limits.handshakeTimeoutMs))
        }
    }

    /// The socket of a channel; nil if it is none of the system's.
    private static func descriptor(of channel: any Channel) -> Int32? {
        try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { $0 }
    }

    /// The TLS handshake is done, as far as the library knows.
    func handshakeCompleted(_ stream: Stream, alpn: String?) {
        guard !isStopped, let handshake = stream.handshake else { return }
        handshake.conclude(alpn: alpn) { [weak self] result in
            guard let self, !self.isStopped else { return }
            switch (stream.phase, result) {
            case (.securing, .success(let info)), (.upgrading, .success(let info)): self.opened(stream, info)
            case (.securing, .failure(let refusal)), (.upgrading, .failure(let refusal)):
                self.end(stream, .tlsFailed(refusal.reason))
            default: return
            }
        }
    }

    /// The channel is closed.
    func channelInactive(_ stream: Stream) {
        stream.descriptor = nil
        guard !isStopped else { return }
        switch stream.phase {
        case .ended: return
        case .connecting, .open, .startingTLS: end(stream, .remoteClosed)
        case .securing, .upgrading: end(stream, .tlsFailed("the peer closed the connection"))
        case .finishing: end(stream, .connectionLost("the peer closed before it had everything"))
        case .lingering: end(stream, .finished)
        }
    }

    /// Something went wrong on the channel.
    ///
    /// The first word counts: later ones are its consequences.
    func channelFailed(_ stream: Stream, _ error: any Error) {
        guard !isStopped else { return }
        switch stream.phase {
        case .ended: return
        case .lingering: end(stream, .finished)
        case .securing, .upgrading:
            end(stream, .tlsFailed(stream.handshake?.refusal ?? ChannelText.reason(error)))
        case .connecting, .open, .startingTLS, .finishing:
            end(stream, ChannelText.isPlainEnd(error) ? .remoteClosed : .connectionLost(ChannelText.reason(error)))
        }
    }

    private func opened(_ stream: Stream, _ info: TLSInfo?) {
        stream.deadline?.cancel()
        stream.deadline = nil
        stream.tls = info
        stream.phase = .open
        stream.isOpenedQueued = true
        worker.enqueue { [weak self] in
            stream.isOpenedQueued = false
            guard let self, !self.isStopped else { return }
            self.tellOpened(stream)
            self.inputChanged(stream)
            self.queueClosed(stream)
        }
    }

    /// A stream that the peer closed before this moment was open all the same, and may have brought input.
    private func tellOpened(_ stream: Stream) {
        switch stream.phase {
        case .open, .ended(.remoteClosed), .ended(.connectionLost): break
        case .connecting, .securing, .startingTLS, .upgrading, .finishing, .lingering, .ended: return
        }
        delegate?.opened(stream.handle, tls: stream.tls)
        if stream.isWritableOwed { queueWritable(stream) }
    }

    // MARK: - The end

    /// The stream is over for `reason`.
    ///
    /// The channel is closed, and the delegate told, at the end of the tick.
    func end(_ stream: Stream, _ reason: CloseReason) {
        stream.phase = .ended(reason)
        stream.deadline?.cancel()
        stream.deadline = nil
        switch reason {
        case .remoteClosed, .connectionLost: break
        case .finished, .finishTimedOut, .aborted, .unresolved, .connectFailed, .connectTimedOut, .tlsFailed,
            .handshakeTimedOut, .protocolViolation, .frameTooLong:
            stream.input.discard()
        }
        queueFlush(stream)
        queueClosed(stream)
    }

    /// Tells the delegate of the end, after it heard of the beginning and took the input that came before.
    func queueClosed(_ stream: Stream) {
        guard case .ended(let reason) = stream.phase, !stream.isClosedQueued, !stream.isOpenedQueued else { return }
        guard !stream.input.isOfferDue else { return inputChanged(stream) }
        stream.isClosedQueued = true
        worker.enqueue { [weak self] in
            guard let self, !self.isStopped, self.streams[stream.handle] === stream else { return }
            self.logger.log(.debug, "stream closed", [.peer: stream.peerAddress, .reason: "\(reason)"])
            if let listener = stream.listener { self.listeners[listener]?.acceptedCount -= 1 }
            self.delegate?.closed(stream.handle, reason)
            Self.closeChannel(stream)
            self.streams.remove(stream.handle)
        }
    }

    /// Ends the stream for `reason` unless something happens before.
    func setDeadline(_ stream: Stream, _ milliseconds: UInt64, _ reason: CloseReason) {
        stream.deadline?.cancel()
        stream.deadline = worker.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(milliseconds))) {
            [weak self] in
            guard let self, !self.isStopped, !stream.isEnded else { return }
            self.end(stream, reason)
        }
    }
}
