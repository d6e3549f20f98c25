/// One header field; names are compared without regard to case.
package struct HTTPField: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    /// Whether it has this name.
    func isNamed(_ other: String) -> Bool { name.lowercased() == other }
}

/// What is asked of a web server.
package struct HTTPRequest: Hashable, Sendable {
    /// A token of RFC 9110 §9.1, such as `GET`.
    package var method: String
    package var address: HTTPAddress
    /// Sent in this order, after `Host`.
    package var fields: [HTTPField]
    package var body: [UInt8]
    /// For the whole exchange, names, redirects and body included, in ms; nil takes ``ServiceLimits/httpTimeoutMs``.
    package var timeoutMs: UInt64?
    /// The most bytes of the answer's body; nil takes ``ServiceLimits/httpBodyMax``.
    package var answerBytesMax: Int?
    /// Redirects that are followed; past them the request fails.
    ///
    /// At 0 a redirect is an answer like any other.
    package var redirectsMax: Int
    /// Whether head and body are told as they come.
    package var isStreaming: Bool
    /// The name of a configured certificate to show; nil: none.
    package var identity: String?

    package init(
        method: String,
        address: HTTPAddress,
        fields: [HTTPField] = [],
        body: [UInt8] = [],
        timeoutMs: UInt64? = nil,
        answerBytesMax: Int? = nil,
        redirectsMax: Int = 0,
        isStreaming: Bool = false,
        identity: String? = nil
    ) {
        self.method = method
        self.address = address
        self.fields = fields
        self.body = body
        self.timeoutMs = timeoutMs
        self.answerBytesMax = answerBytesMax
        self.redirectsMax = redirectsMax
        self.isStreaming = isStreaming
        self.identity = identity
    }
}

/// What a web server answered.
package struct HTTPAnswer: Hashable, Sendable {
    /// 200 to 599.
    package var status: Int
    /// In the order of the server.
    package var fields: [HTTPField]
    /// Where it came from, after redirects.
    package var url: String
    /// The whole body; empty if it was told piece by piece.
    package var body: [UInt8]
}

/// Why there is no answer.
package enum HTTPFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The server's name has no address, or nobody could say.
    case unresolved(host: String, ResolveError)
    /// No address took the connection: what the last one said.
    case connectFailed(String)
    /// The TLS handshake failed: the verdict on the certificate, or what TLS said.
    case tlsFailed(String)
    /// Not done within so many milliseconds.
    case timedOut(UInt64)
    /// The answer is not HTTP, or its head is longer than allowed.
    case badAnswer(String)
    /// The body has more bytes than allowed.
    case bodyTooLarge(limit: Int)
    /// A redirect that is not followed: one too many, or to a place that may not be gone to.
    case badRedirect(String)
    /// The connection broke before the answer was complete.
    case connectionLost(String)

    package var description: String {
        switch self {
        case .unresolved(let host, let error): "cannot resolve \(host): \(error)"
        case .connectFailed(let reason): "cannot connect: \(reason)"
        case .tlsFailed(let reason): "TLS handshake failed: \(reason)"
        case .timedOut(let ms): "no complete answer within \(ms) ms"
        case .badAnswer(let reason): "the server's answer cannot be understood: \(reason)"
        case .bodyTooLarge(let limit): "the answer's body is longer than \(limit) bytes"
        case .badRedirect(let reason): "the redirect is not followed: \(reason)"
        case .connectionLost(let reason): "connection lost: \(reason)"
        }
    }
}

extension HTTPRequest {
    /// Fields that the host writes itself: what they say must fit what is sent.
    private static let reservedFields: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "expect", "te", "trailer",
        "proxy-connection",
    ]

    /// Refuses what makes no sense, or what could be read as two requests.
    func check(_ limits: ServiceLimits) throws(ServiceError) {
        guard Self.isToken(method), method.utf8.count <= 32, method != "CONNECT" else {
            throw .invalidArgument("\"\(method.prefix(40))\" is no method that can be asked with")
        }
        guard fields.count <= limits.httpFieldsMax else {
            throw .limitReached(.httpFields, limit: limits.httpFieldsMax)
        }
        var bytes = 0
        for field in fields {
            guard Self.isToken(field.name) else {
                throw .invalidArgument("\"\(field.name.prefix(40))\" is no name of a header field")
            }
            guard !Self.reservedFields.contains(field.name.lowercased()) else {
                throw .invalidArgument("the header field \(field.name) is the host's to write")
            }
            // Never the value itself: it may be a password.
            guard field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw .invalidArgument("the value of the header field \(field.name) has control characters")
            }
            bytes += field.name.utf8.count + field.value.utf8.count
        }
        guard bytes <= limits.httpHeadMax else { throw .limitReached(.httpHeadBytes, limit: limits.httpHeadMax) }
        guard body.count <= limits.httpRequestBodyMax else {
            throw .limitReached(.httpBodyBytes, limit: limits.httpRequestBodyMax)
        }
        if let timeoutMs, timeoutMs == 0 || timeoutMs > limits.httpTimeoutMsMax {
            throw .invalidArgument("a request may take 1 to \(limits.httpTimeoutMsMax) ms, not \(timeoutMs)")
        }
        let bodyMax = isStreaming ? limits.httpStreamMax : limits.httpBodyMax
        if let answerBytesMax, !(1...bodyMax).contains(answerBytesMax) {
            throw .invalidArgument("an answer's body may be limited to 1 to \(bodyMax) bytes, not \(answerBytesMax)")
        }
        guard (0...limits.httpRedirectsMax).contains(redirectsMax) else {
            throw .limitReached(.httpRedirects, limit: limits.httpRedirectsMax)
        }
    }

    /// Whether sending it twice does no more than sending it once (RFC 9110 §9.2.2).
    var isIdempotent: Bool { ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"].contains(method) }

    /// Source: RFC 9110 §5.6.2.
    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
                case UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    // MARK: Redirects

    /// The request that a redirect with this status and place asks for instead.
    ///
    /// Passwords and cookies do not go to another origin; a secure request does not become an insecure one.
    ///
    /// Source: RFC 9110 §15.4.
    func redirected(_ status: Int, to location: String) throws(HTTPFailure) -> HTTPRequest {
        guard let address = self.address.resolving(location) else {
            throw .badRedirect("the place it names is no http or https URL")
        }
        guard address.origin.isSecure || !self.address.origin.isSecure else {
            throw .badRedirect("it leads from https to http")
        }
        var request = self
        request.redirectsMax -= 1
        if address.origin != self.address.origin {
            request.identity = nil
            request.fields.removeAll { ["authorization", "cookie"].contains($0.name.lowercased()) }
        }
        request.address = address
        let becomesGet = status == 303 ? method != "HEAD" : (status == 301 || status == 302) && method == "POST"
        if becomesGet {
            request.method = "GET"
            request.body = []
            request.fields.removeAll { $0.name.lowercased().hasPrefix("content-") }
        }
        return request
    }

    /// Whether a status asks to go elsewhere.
    static func isRedirect(_ status: Int) -> Bool { [301, 302, 303, 307, 308].contains(status) }
}
