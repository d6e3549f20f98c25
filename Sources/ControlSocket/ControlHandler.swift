internal import NIOCore

/// Carries out the requests that come in on the control socket.
package protocol ControlHandler: Sendable {
    /// Carries out one request. Requests of different connections run at the same time.
    ///
    /// Returning ends the response with `done`. The task is cancelled when the client goes away, so a handler that
    /// waits for news must notice cancellation.
    ///
    /// - Throws: the failure that ends the response instead.
    func handle(_ request: ControlRequest, respond: ControlResponder) async throws(ControlFailure)
}

/// One request: a command and its arguments.
package struct ControlRequest: Hashable, Sendable {
    package let command: String
    /// Who is at the other end, as the kernel says: a user's number; nil if it does not say.
    package internal(set) var peer: UInt32?
    private let line: [UInt8]

    private struct Head: Decodable {
        var command: String
    }

    private struct Body<Arguments: Decodable>: Decodable {
        var arguments: Arguments
    }

    init(line: [UInt8]) throws(ControlFailure) {
        do {
            self.command = try ControlLines.decode(Head.self, from: line).command
        } catch {
            throw ControlFailure(.badRequest, "the request cannot be read: \(error.reason)")
        }
        self.line = line
    }

    /// The arguments as `type`.
    ///
    /// - Throws: a failure for the client when they are not.
    package func arguments<Arguments: Decodable>(as type: Arguments.Type) throws(ControlFailure) -> Arguments {
        do {
            return try ControlLines.decode(Body<Arguments>.self, from: self.line).arguments
        } catch {
            throw ControlFailure(.badRequest, "the arguments of '\(self.command)' cannot be read: \(error.reason)")
        }
    }
}

extension ControlError {
    fileprivate var reason: String {
        if case .malformed(let reason) = self { reason } else { self.description }
    }
}

/// Sends the events of one response.
package struct ControlResponder: Sendable {
    private let channel: any Channel
    private let writeMax: TimeAmount

    init(channel: any Channel, writeMax: TimeAmount) {
        self.channel = channel
        self.writeMax = writeMax
    }

    /// Sends one event, and waits until the system has taken it, so that a slow client slows its own request only.
    ///
    /// - Throws: a failure of the code `client-gone` when the client is gone, or was closed because it read
    ///   nothing for ``ControlLimits/idleMax``; of the code `internal` when the event is too large, and nothing
    ///   was sent. A handler lets it through.
    package func send(_ event: some Encodable & Sendable) async throws(ControlFailure) {
        let line: [UInt8]
        do throws(ControlError) {
            line = try ControlLines.event(event)
        } catch {
            throw ControlFailure(.internal, "the answer cannot be sent: \(error)")
        }
        let channel = self.channel
        let writeMax = self.writeMax
        do {
            // On the event loop, so that the timer ends with the write and not when this task gets its next turn.
            try await channel.eventLoop.flatSubmit {
                let written = channel.writeAndFlush(ByteBuffer(bytes: line))
                let timer = channel.eventLoop.scheduleTask(in: writeMax) { channel.close(promise: nil) }
                written.whenComplete { _ in timer.cancel() }
                return written
            }.get()
        } catch {
            throw ControlFailure(.clientGone, "the client is gone")
        }
    }
}
