import NIOCore

/// One stream of an instance.
///
/// Only the worker's loop touches it.
final class Stream {
    /// How far the stream has come.
    enum Phase {
        /// Looking up, connecting; or accepted and not set up yet.
        case connecting
        /// The handshake of a stream that is TLS from its start.
        case securing
        /// Carries data.
        case open
        /// Asked to start TLS; the tick does so once the output is out.
        case startingTLS(TLSHandshake)
        /// The handshake of STARTTLS.
        case upgrading
        /// Closing; the rest of the output goes out.
        case finishing
        /// All output is out and our side closed; waiting for the peer to close too, so that the system does not reset
        /// the connection and take the last bytes from the peer.
        case lingering
        /// Over; the delegate has to be told.
        case ended(CloseReason)
    }

    let handle: StreamHandle
    /// The listener that accepted it.
    let listener: ListenerHandle?
    let frameMax: Int
    var phase = Phase.connecting
    var channel: (any Channel)?
    var handshake: TLSHandshake?
    var tls: TLSInfo?
    var peerAddress = ""
    var input = InputBuffer()
    var output = OutputBuffer()
    /// What the instance keeps with the stream.
    var user: UnsafeMutableRawPointer?
    /// For connecting, a handshake, or closing.
    var deadline: Scheduled<Void>?

    // What has to be done at the end of the tick, each queued once.
    var isFlushQueued = false
    var isOfferQueued = false
    var isOpenedQueued = false
    var isWritableQueued = false
    var isClosedQueued = false
    /// Whether the delegate waits to hear that it may write, and TLS is being started.
    var isWritableOwed = false
    /// Whether the service's list of refused streams has it.
    var isListedRefused = false
    /// The socket of a plain stream, to write to without the channel; its own only while the channel is active.
    var descriptor: Int32?
    /// What the channel was last told.
    var isChannelReading = true
    /// Whether the channel has asked for memory to read into.
    var hasRead = false

    init(_ handle: StreamHandle, listener: ListenerHandle? = nil, frameMax: Int) {
        self.handle = handle
        self.listener = listener
        self.frameMax = frameMax
    }

    var isEnded: Bool {
        if case .ended = phase { true } else { false }
    }

    /// Whether the instance has asked for the end, or it has come.
    var isClosing: Bool {
        switch phase {
        case .finishing, .lingering, .ended: true
        case .connecting, .securing, .open, .startingTLS, .upgrading: false
        }
    }

    /// Whether the delegate may be offered input now.
    var takesInput: Bool {
        guard case .open = phase else { return false }
        return !isOpenedQueued && input.isWanted
    }
}

/// One listening socket of an instance.
///
/// Only the worker's loop touches it.
final class Listener {
    let handle: ListenerHandle
    let options: ListenOptions
    let socket: ListeningSocket
    var channel: (any Channel)?
    /// Whether the event loop has the socket, and closes it.
    var isHandedOver = false
    /// Whether it was closed; its socket is closed once.
    var isClosed = false
    var acceptedCount = 0

    init(_ handle: ListenerHandle, _ options: ListenOptions, _ socket: ListeningSocket) {
        self.handle = handle
        self.options = options
        self.socket = socket
    }
}
