internal import ProviderKit
internal import XMPPSession
internal import XMPPWire

/// The XML side of one connection: bytes in, events out; headers and elements in, bytes out.
///
/// It knows no protocol: what an event means and what to write, the machines decide.
final class StreamChannel {
    /// How the reading goes on after an event.
    enum Next {
        /// With the next event.
        case proceed
        /// With a new parser, which gets what stands behind the event.
        case restart(StreamParserLimits)
        /// Not at all until TLS is up; what stands behind the event is left to the host, which knows it for an injection.
        case startTLS(StreamParserLimits)
        /// Not now: there is no room for what the event led to.
        case hold
        /// Not at all.
        case stop
    }

    /// How the reading of some bytes ended.
    enum Reading {
        /// All was read.
        case done
        /// The caller must begin TLS and return.
        case startTLS
        /// These events were parsed, and are to be handled later.
        case held(ArraySlice<StreamEvent>)
    }

    /// How a write went.
    enum Written {
        /// Taken.
        case ok
        /// Taken, but nothing more should be written until the stream is writable.
        case high
        /// Not taken: the buffer is full.
        case full
        /// Not taken: the stream is closing or gone.
        case gone
    }

    private let host: Host
    private(set) var stream: Stream?
    private var parser = StreamParser(limits: .unauthenticated)
    /// Of the last header that was written.
    private var prefixes: [String: String] = ["stream": Namespace.streams]
    private var namespace = Namespace.server
    private var hasEnded = false
    /// Such as `TLSv1.3`; nil in the clear.
    private(set) var tlsVersion: String?
    /// The host's monotonic clock at the last byte from the peer, in ns.
    private(set) var receivedAt: UInt64
    /// The same at the last byte to the peer.
    private(set) var sentAt: UInt64

    /// A channel for a connection that was just accepted or begun.
    init(host: Host, limits: StreamParserLimits) {
        self.host = host
        self.parser.limits = limits
        self.receivedAt = host.monotonicClock
        self.sentAt = self.receivedAt
    }

    /// Takes the stream that the host's call names.
    func attach(_ stream: Stream) {
        self.stream = stream
    }

    /// The connection is gone.
    func detach() {
        self.hasEnded = true
        self.stream = nil
    }

    /// TLS is up.
    func secured(_ info: TLSInfo) {
        self.tlsVersion = info.version
    }

    /// `TLSv1.3`, or `no TLS`.
    var security: String { self.tlsVersion ?? "no TLS" }

    /// Milliseconds since a moment of the monotonic clock.
    func millisecondsSince(_ moment: UInt64) -> UInt64 {
        let now = self.host.monotonicClock
        return now > moment ? (now - moment) / 1_000_000 : 0
    }
}

// MARK: - Reading

extension StreamChannel {
    /// Reads all of `input`, unless the stream turns to TLS in between.
    func read(_ input: inout ByteReader, _ handle: (StreamEvent.Kind) -> Next) -> Reading {
        self.receivedAt = self.host.monotonicClock
        reading: while input.remaining > 0 {
            let length = input.remaining
            let events = self.parser.parse(input.rest)
            for (index, event) in events.enumerated() {
                switch handle(event.kind) {
                case .proceed: continue
                case .restart(let limits):
                    self.parser = StreamParser(limits: limits)
                    _ = input.skip(event.endOffset)
                    continue reading
                case .startTLS(let limits):
                    self.parser = StreamParser(limits: limits)
                    _ = input.skip(event.endOffset)
                    return .startTLS
                case .hold:
                    _ = input.skip(length)
                    return .held(events[(index + 1)...])
                case .stop:
                    _ = input.skip(length)
                    return .done
                }
            }
            _ = input.skip(length)
        }
        return .done
    }

    /// Handles events that were held before.
    ///
    /// - Returns: what must be held once more; nil if nothing.
    func readHeld(
        _ events: ArraySlice<StreamEvent>,
        _ handle: (StreamEvent.Kind) -> Next
    ) -> ArraySlice<StreamEvent>? {
        for (index, event) in zip(events.indices, events) {
            switch handle(event.kind) {
            case .proceed: continue
            case .hold: return events[(index + 1)...]
            case .stop: return nil
            case .restart, .startTLS:
                // Events are held behind stanzas only, and a stream that carries stanzas never starts anew.
                self.abort()
                return nil
            }
        }
        return nil
    }

    /// Holds the parser to other limits from the next byte on.
    func setLimits(_ limits: StreamParserLimits) {
        self.parser.limits = limits
    }
}

// MARK: - Writing

extension StreamChannel {
    /// Writes a header; its prefixes hold until the next one.
    func write(_ header: StreamHeader) {
        self.prefixes = header.prefixes
        self.namespace = header.defaultNamespace
        var bytes: [UInt8] = []
        header.write(into: &bytes)
        self.negotiate(bytes)
    }

    /// Writes an element of the negotiation; a stream that does not take even that is given up.
    func write(_ element: Element) {
        self.negotiate(self.bytes(of: element))
    }

    /// Writes the end of the stream.
    func writeEnd() {
        var bytes: [UInt8] = []
        StreamHeader.writeClosingTag(into: &bytes)
        self.negotiate(bytes)
    }

    /// Writes one space; a stream that has more to write than the peer takes needs none.
    func writeSpace() {
        _ = self.put([UInt8(ascii: " ")])
    }

    /// Writes a stanza, whose fate is the caller's concern.
    func writeStanza(_ element: Element) -> Written {
        self.put(self.bytes(of: element))
    }

    /// Closes when all is written.
    func finish() {
        self.hasEnded = true
        self.stream?.finish()
    }

    /// Closes at once.
    func abort() {
        self.hasEnded = true
        self.stream?.abort()
    }

    private func bytes(of element: Element) -> [UInt8] {
        var bytes: [UInt8] = []
        element.write(into: &bytes, inheriting: self.namespace, prefixes: self.prefixes)
        return bytes
    }

    private func negotiate(_ bytes: [UInt8]) {
        if case .full = self.put(bytes) { self.abort() }
    }

    private func put(_ bytes: [UInt8]) -> Written {
        guard let stream = self.stream, !self.hasEnded else { return .gone }
        do throws(HostError) {
            let result = try stream.write(bytes)
            self.sentAt = self.host.monotonicClock
            return result == .high ? .high : .ok
        } catch {
            switch error {
            case .limitReached: return .full
            case .invalidArgument, .unknownHandle, .badState, .unsupported, .system, .shuttingDown, .conflict:
                return .gone
            }
        }
    }
}
