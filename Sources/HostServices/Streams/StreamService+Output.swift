import Glibc
import NIOCore

/// The end of the tick: output, and everything else that touches the channel.
extension StreamService {
    /// Does what was asked of the stream during the tick.
    func flush(_ stream: Stream) {
        guard !isStopped, let channel = stream.channel else { return }
        if !stream.isEnded, stream.output.hasGathered {
            sendDirectly(stream)
            if stream.output.hasGathered { send(stream, channel) }
        }
        switch stream.phase {
        case .ended: Self.closeChannel(stream)
        case .startingTLS(let handshake): installTLS(stream, channel, handshake)
        case .finishing where stream.output.unsent == 0: linger(stream, channel)
        case .connecting, .securing, .open, .upgrading, .finishing, .lingering: break
        }
        setChannelReading(stream, channel)
    }

    /// Closes the channel without an end of TLS: nothing more is sent, nothing waited for.
    static func closeChannel(_ stream: Stream) {
        guard let channel = stream.channel else { return }
        stream.channel = nil
        stream.descriptor = nil
        if let handler = stream.handshake?.handler,
            let context = try? channel.pipeline.syncOperations.context(handler: handler)
        {
            context.close(promise: nil)
        } else {
            channel.close(promise: nil)
        }
        stream.handshake = nil
    }

    /// Writes to the socket of a plain stream itself, as the channel would, but with neither a promise nor its queue.
    ///
    /// What the kernel does not take, and what goes wrong, is the channel's.
    func sendDirectly(_ stream: Stream) {
        guard let descriptor = stream.descriptor, stream.output.isChannelEmpty, stream.channel?.isActive == true else {
            return
        }
        let emptied = stream.output.sendGathered { bytes in
            Glibc.send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        }
        if let emptied { worker.giveBack(emptied) }
        if stream.output.sent(0, limits) { queueWritable(stream) }
    }

    private func send(_ stream: Stream, _ channel: any Channel) {
        let buffer = stream.output.take()
        let count = buffer.readableBytes
        let sent = channel.eventLoop.makePromise(of: Void.self)
        sent.futureResult.assumeIsolated().whenComplete { [weak self] result in
            self?.sent(stream, buffer, count, result)
        }
        channel.writeAndFlush(buffer, promise: sent)
    }

    private func sent(_ stream: Stream, _ buffer: ByteBuffer, _ count: Int, _ result: Result<Void, any Error>) {
        guard !isStopped else { return }
        let isDrained = stream.output.sent(count, limits)
        if case .failure(let error) = result { return channelFailed(stream, error) }
        worker.giveBack(buffer)
        if isDrained { queueWritable(stream) }
        if case .finishing = stream.phase, stream.output.unsent == 0 { queueFlush(stream) }
    }

    /// Tells the delegate that it may write again; after a handshake that is under way.
    func queueWritable(_ stream: Stream) {
        guard !stream.isWritableQueued else { return }
        stream.isWritableQueued = true
        worker.enqueue { [weak self] in
            stream.isWritableQueued = false
            guard let self, !self.isStopped, !stream.isClosing else { return }
            guard case .open = stream.phase else {
                stream.isWritableOwed = true
                return
            }
            stream.isWritableOwed = false
            self.delegate?.writable(stream.handle)
        }
    }

    private func installTLS(_ stream: Stream, _ channel: any Channel, _ handshake: TLSHandshake) {
        guard let handler = handshake.handler else { return }
        stream.phase = .upgrading
        stream.handshake = handshake
        setDeadline(stream, limits.handshakeTimeoutMs, .handshakeTimedOut(limits.handshakeTimeoutMs))
        // The channel must read for the handshake, whatever the instance asked for.
        setChannelReading(stream, channel)
        do {
            stream.descriptor = nil
            try StreamReader.remove(from: channel)
            // Behind the write above, and before the loop reads again: what comes next is the handshake.
            try channel.pipeline.syncOperations.addHandler(handler, position: .first)
        } catch {
            channelFailed(stream, error)
        }
    }

    /// Everything is out: closes our side, and waits a little for the peer to close too.
    private func linger(_ stream: Stream, _ channel: any Channel) {
        stream.phase = .lingering
        setDeadline(stream, limits.lingerTimeoutMs, .finished)
        setChannelReading(stream, channel)
        // The end of TLS is an exchange too; the TLS handler closes the channel after it.
        channel.close(mode: stream.tls == nil ? .output : .all, promise: nil)
    }

    private func setChannelReading(_ stream: Stream, _ channel: any Channel) {
        let reading: Bool
        if case .open = stream.phase { reading = stream.input.isWanted } else { reading = true }
        guard reading != stream.isChannelReading, !stream.isEnded else { return }
        stream.isChannelReading = reading
        // Fails on a closed channel only, which tells of its end by itself.
        try? channel.syncOptions?.setOption(.autoRead, value: reading)
    }
}
