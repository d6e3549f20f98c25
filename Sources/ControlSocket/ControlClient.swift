internal import Glibc

/// The command line's end of the control socket: one connection, used from one thread, that blocks.
package struct ControlClient: ~Copyable {
    private let path: String
    private let descriptor: CInt
    private var framer = LineFramer(lineMax: ControlLimits.eventLineMax)
    private var chunk = [UInt8](repeating: 0, count: 64 * 1024)
    private var timeout: Duration?

    /// No arguments.
    package struct NoArguments: Codable, Hashable, Sendable {
        package init() {}
    }

    /// Connects to the router at `path`.
    ///
    /// - Parameter timeout: the longest wait for the router to take or send something.
    /// - Throws: ``ControlError/routerAbsent(path:)``, ``ControlError/accessDenied(path:)``,
    ///   ``ControlError/pathTooLong(path:limit:)`` or ``ControlError/system(operation:path:code:)``.
    package init(path: String, timeout: Duration = .seconds(10)) throws(ControlError) {
        let descriptor = try UnixSocketPath.makeSocket(for: path)
        Self.setTimeout(timeout, SO_SNDTIMEO, descriptor)
        Self.setTimeout(timeout, SO_RCVTIMEO, descriptor)
        do throws(ControlError) {
            let code = try UnixSocketPath.withAddress(path) { address, length in
                connect(descriptor, address, length) == 0 ? 0 : errno
            }
            switch code {
            case 0: break
            case ENOENT, ENOTDIR, ECONNREFUSED: throw .routerAbsent(path: path)
            case EACCES, EPERM: throw .accessDenied(path: path)
            case EAGAIN: throw .timedOut(after: timeout)
            default: throw .system(operation: "connect to", path: path, code: code)
            }
        } catch {
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
        self.timeout = timeout
    }

    deinit {
        close(self.descriptor)
    }

    /// Lets ``nextEvent(as:)`` wait for ever, for news that may take long.
    package mutating func waitForever() {
        self.timeout = nil
        Self.setTimeout(.zero, SO_RCVTIMEO, self.descriptor)
    }

    /// Sends a request.
    ///
    /// Read its whole response before the next.
    package mutating func send(_ command: String, _ arguments: some Encodable = NoArguments()) throws(ControlError) {
        try self.transmit(try ControlLines.request(command, arguments))
    }

    /// Sends bytes as they are.
    mutating func transmit(_ bytes: [UInt8]) throws(ControlError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            // MSG_NOSIGNAL: a router that went away is an error to report, not a signal to die of.
            let count = rest.withUnsafeBytes {
                Glibc.send(self.descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
            }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EPIPE || errno == ECONNRESET {
                // The router closed; it may have said why, which the next read finds.
                return
            } else if errno != EINTR {
                throw self.failure("write to", errno)
            }
        }
    }

    /// The next event of the response, or `nil` at its end.
    ///
    /// - Throws: ``ControlError/refused(_:)`` when the router ended the request with a failure.
    package mutating func nextEvent<Event: Decodable>(as type: Event.Type) throws(ControlError) -> Event? {
        let line = try self.nextLine()
        switch try ControlLines.response(line) {
        case .event: return try ControlLines.payload(type, from: line)
        case .done: return nil
        case .failure(let failure): throw .refused(failure)
        }
    }

    /// Sends a request and gathers the events of its response.
    package mutating func events<Event: Decodable>(
        of command: String,
        _ arguments: some Encodable = NoArguments(),
        as type: Event.Type
    ) throws(ControlError) -> [Event] {
        try self.send(command, arguments)
        var events: [Event] = []
        while let event = try self.nextEvent(as: type) { events.append(event) }
        return events
    }

    /// Sends a request whose response is one event.
    package mutating func event<Event: Decodable>(
        of command: String,
        _ arguments: some Encodable = NoArguments(),
        as type: Event.Type
    ) throws(ControlError) -> Event {
        let events = try self.events(of: command, arguments, as: type)
        guard events.count == 1, let event = events.first else {
            throw .malformed("\(events.count) events where one was expected")
        }
        return event
    }

    private mutating func nextLine() throws(ControlError) -> [UInt8] {
        while true {
            if let line = try self.framer.nextLine() { return line }
            let count = recv(self.descriptor, &self.chunk, self.chunk.count, 0)
            if count > 0 {
                self.framer.append(self.chunk[..<count])
            } else if count == 0 || errno == ECONNRESET {
                throw .connectionClosed
            } else if errno != EINTR {
                throw self.failure("read from", errno)
            }
        }
    }

    private func failure(_ operation: String, _ code: CInt) -> ControlError {
        if code == EAGAIN, let timeout = self.timeout { return .timedOut(after: timeout) }
        return .system(operation: operation, path: self.path, code: code)
    }

    /// Sets SO_RCVTIMEO or SO_SNDTIMEO (socket(7)); zero waits for ever.
    private static func setTimeout(_ timeout: Duration, _ option: CInt, _ descriptor: CInt) {
        let (seconds, attoseconds) = timeout.components
        var value = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000))
        setsockopt(descriptor, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<timeval>.size))
    }
}
