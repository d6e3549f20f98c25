import NIOCore

/// One request on its way to an answer.
///
/// Worker's loop only.
final class HTTPExchange {
    let handle: HTTPRequestHandle
    /// What is being asked now: a redirect replaces it.
    var request: HTTPRequest
    let answerBytesMax: Int
    /// Ends it for want of time.
    var deadline: Scheduled<Void>?
    /// The connection that carries it, or is being made for it.
    var connection: HTTPConnection?
    /// It was sent again because its connection had grown stale.
    var wasRetried = false

    /// The answer's head, once it came.
    var head: HTTPAnswer?
    /// The answer's body so far, unless it is told piece by piece.
    var body = ByteBuffer()
    /// Bytes of body that came.
    var bodyBytes = 0
    /// Where a redirect leads, while the rest of its answer is passed over.
    var redirect: HTTPRequest?
    /// It has been sent elsewhere before.
    var wasRedirected = false

    /// What the delegate has not been told.
    var untold: [Event] = []
    var isTellQueued = false
    /// The delegate wants nothing for now.
    var isPaused = false

    /// One thing for the delegate to hear.
    enum Event {
        case head
        case body(ByteBuffer)
        case done(HTTPFailure?)
    }

    init(_ handle: HTTPRequestHandle, _ request: HTTPRequest, _ limits: ServiceLimits) {
        self.handle = handle
        self.request = request
        self.answerBytesMax =
            request.answerBytesMax ?? (request.isStreaming ? limits.httpStreamMax : limits.httpBodyMax)
    }

    /// Its end is decided, though the delegate may not have heard of it.
    var isOver: Bool {
        if case .done? = untold.last { return true }
        return false
    }
}
