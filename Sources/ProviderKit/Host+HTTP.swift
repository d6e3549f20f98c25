internal import CPlugboard

/// One header field of HTTP.
///
/// Names are compared without regard to case.
public struct HTTPField: Hashable, Sendable {
    /// Such as `Content-Type`.
    public var name: String
    /// Without control characters.
    public var value: String

    /// A field of this name and value.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What is asked of a web server.
public struct HTTPRequest: Hashable, Sendable {
    /// Such as `GET`.
    public var method: String
    /// `https://host[:port]/path?query`, http or https.
    public var url: String
    /// Sent in this order.
    ///
    /// `Host`, `Content-Length` and `Connection` are the host's to write; nothing else is added.
    public var fields: [HTTPField]
    /// The body.
    public var body: [UInt8]
    /// The name of a configured certificate to show; empty: none.
    public var identity: String
    /// For the whole exchange, in ms; 0: the host's default.
    public var timeout: UInt32
    /// Redirects to follow; at 0 a redirect is an answer like any other.
    public var redirectsMax: UInt32
    /// The most bytes of the answer's body; 0: the host's default.
    public var answerBytesMax: UInt64

    /// A request that follows no redirect and takes the host's limits.
    public init(
        _ method: String,
        _ url: String,
        fields: [HTTPField] = [],
        body: [UInt8] = [],
        identity: String = "",
        timeout: UInt32 = 0,
        redirectsMax: UInt32 = 0,
        answerBytesMax: UInt64 = 0
    ) {
        self.method = method
        self.url = url
        self.fields = fields
        self.body = body
        self.identity = identity
        self.timeout = timeout
        self.redirectsMax = redirectsMax
        self.answerBytesMax = answerBytesMax
    }
}

/// What a web server answered.
public struct HTTPAnswer: Hashable, Sendable {
    /// From 200 to 599.
    public var status: Int
    /// Where it came from, after redirects.
    public var url: String
    /// In the order of the server.
    public var fields: [HTTPField]
    /// The whole body; empty where it was told piece by piece.
    public var body: [UInt8]

    /// For tests of providers, which have no host.
    public init(status: Int, url: String = "", fields: [HTTPField] = [], body: [UInt8] = []) {
        self.status = status
        self.url = url
        self.fields = fields
        self.body = body
    }

    init(_ source: plugboard_http_answer_t) {
        self.init(
            status: Int(source.status),
            url: source.url.string,
            fields: elements(source.fields, source.field_count).map { HTTPField($0.name.string, $0.value.string) },
            body: Array(UnsafeBufferPointer(start: source.body.start, count: source.body.count))
        )
    }

    /// The values of the fields with this name, in order.
    public subscript(_ name: String) -> [String] {
        let name = name.lowercased()
        return fields.filter { $0.name.lowercased() == name }.map(\.value)
    }
}

/// Why there is no answer.
public struct HTTPFailure: Error, Hashable, Sendable {
    /// The kind of failure.
    public enum Cause: UInt32, Hashable, Sendable {
        case nameFailed = 1
        case connectFailed = 2
        case tls = 3
        case timeout = 4
        /// What came is no HTTP, or its head is past the host's limits.
        case badAnswer = 5
        /// The body is longer than asked for.
        case tooLarge = 6
        /// A redirect too many, or to a place that the host does not go to.
        case redirect = 7
        /// The connection broke before the answer was complete.
        case closed = 8
    }

    /// The kind of failure.
    public var cause: Cause
    /// A sentence for the log.
    public var detail: String

    /// For tests of providers, which have no host.
    public init(_ cause: Cause, _ detail: String) {
        self.cause = cause
        self.detail = detail
    }
}

/// How an answer is taken piece by piece.
public struct HTTPStreaming {
    /// The head came.
    public var head: (HTTPAnswer) -> Void
    /// A piece of body came.
    public var body: ([UInt8]) -> Void

    /// What to do with head and body.
    public init(head: @escaping (HTTPAnswer) -> Void, body: @escaping ([UInt8]) -> Void) {
        self.head = head
        self.body = body
    }
}

/// A request that was begun.
public struct HTTPRequestID: Hashable, Sendable {
    let handle: UInt64
}

/// What waits for the answer to one request.
struct PendingHTTP {
    var streaming: HTTPStreaming?
    var then: (Result<HTTPAnswer, HTTPFailure>) -> Void
}

extension Host {
    private var http: plugboard_http_t? { extensionTable(PLUGBOARD_EXT_HTTP, as: plugboard_http_t.self) }

    /// Asks a web server; the answer comes exactly once, later, unless the request is cancelled or the instance stops.
    ///
    /// - Parameter streaming: takes the answer as it comes; without it, the body comes as a whole.
    /// - Throws: ``HostError/invalidArgument`` (URL, method, a field that is the host's to write),
    ///   ``HostError/limitReached``, ``HostError/unsupported`` (no such certificate, or no HTTP in this host),
    ///   ``HostError/shuttingDown``.
    @discardableResult
    public func request(
        _ request: HTTPRequest,
        streaming: HTTPStreaming? = nil,
        then: @escaping (Result<HTTPAnswer, HTTPFailure>) -> Void
    ) throws(HostError) -> HTTPRequestID {
        guard let http else { throw .unsupported }
        var handle: plugboard_http_request_id_t = 0
        let status = request.withABI(flags: streaming == nil ? 0 : PLUGBOARD_HTTP_STREAM) {
            http.request(context, $0, nil, &handle)
        }
        try HostError.check(status)
        pending.http[handle] = PendingHTTP(streaming: streaming, then: then)
        return HTTPRequestID(handle: handle)
    }

    /// Withdraws a request; one that is finished is left alone.
    ///
    /// Whether the server has had it is not known.
    public func cancel(_ request: HTTPRequestID) {
        guard pending.http.removeValue(forKey: request.handle) != nil else { return }
        _ = http?.cancel(context, request.handle)
    }

    /// Stops or resumes the pieces of a streaming request's body.
    public func setReading(_ request: HTTPRequestID, _ reading: Bool) {
        _ = http?.set_reading(context, request.handle, reading ? 1 : 0)
    }

    func answered(_ request: UInt64, _ head: plugboard_http_answer_t) {
        pending.http[request]?.streaming?.head(HTTPAnswer(head))
    }

    func bodyReceived(_ request: UInt64, _ bytes: UnsafeBufferPointer<UInt8>) {
        pending.http[request]?.streaming?.body(Array(bytes))
    }

    func finished(_ request: UInt64, _ result: Result<HTTPAnswer, HTTPFailure>) {
        pending.http.removeValue(forKey: request)?.then(result)
    }
}

extension InstanceBox {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let httpTable = immortal(
        plugboard_http_events_t(
            struct_size: structSize(plugboard_http_events_t.self),
            reserved: 0,
            head: { instance, request, _, answer in
                if let answer { InstanceBox.hostOf(instance).answered(request, answer.pointee) }
            },
            body: { instance, request, _, bytes, count in
                InstanceBox.hostOf(instance).bodyReceived(request, UnsafeBufferPointer(start: bytes, count: count))
            },
            done: { instance, request, _, answer, failure in
                InstanceBox.hostOf(instance).finished(request, HTTPAnswer.result(answer, failure))
            }
        )
    )
}

extension HTTPAnswer {
    fileprivate static func result(
        _ answer: UnsafePointer<plugboard_http_answer_t>?,
        _ failure: UnsafePointer<plugboard_http_failure_t>?
    ) -> Result<HTTPAnswer, HTTPFailure> {
        if failure == nil, let answer { return .success(HTTPAnswer(answer.pointee)) }
        let cause = failure.flatMap { HTTPFailure.Cause(rawValue: $0.pointee.cause) } ?? .closed
        return .failure(HTTPFailure(cause, failure?.pointee.detail.string ?? ""))
    }
}

extension HTTPRequest {
    fileprivate func withABI<R>(flags: UInt32, _ body: (UnsafePointer<plugboard_http_request_t>) -> R) -> R {
        var strings = StringBlock()
        for text in [method, url, identity] + fields.flatMap({ [$0.name, $0.value] }) { strings.append(text) }
        return strings.withSpans { spans in
            let fields = self.fields.indices.map { index in
                plugboard_http_field_t(
                    struct_size: structSize(plugboard_http_field_t.self),
                    reserved: 0,
                    name: spans[3 + 2 * index],
                    value: spans[4 + 2 * index]
                )
            }
            return fields.withUnsafeBufferPointer { fields in
                withBytes(self.body) { bytes in
                    let request = plugboard_http_request_t(
                        struct_size: structSize(plugboard_http_request_t.self),
                        flags: flags,
                        method: spans[0],
                        url: spans[1],
                        fields: fields.baseAddress,
                        field_count: fields.count,
                        body: bytes,
                        identity: spans[2],
                        timeout_ms: timeout,
                        redirects_max: redirectsMax,
                        answer_bytes_max: answerBytesMax
                    )
                    return withUnsafePointer(to: request, body)
                }
            }
        }
    }
}
