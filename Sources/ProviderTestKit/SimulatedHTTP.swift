internal import CPlugboard
internal import ProviderKit

/// The extension `plugboard.http/1` of simulated hosts.
enum SimulatedHTTP {
    static var table: plugboard_http_t {
        plugboard_http_t(
            struct_size: structSize(plugboard_http_t.self),
            reserved: 0,
            request: { context, request, user, id in
                guard let instance = HostTable.enter(context, "http.request", .beginning) else {
                    return PLUGBOARD_E_SHUTDOWN
                }
                guard instance.httpEvents != nil else { return PLUGBOARD_E_UNSUPPORTED }
                guard let id, let request, let read = SimulatedHTTP.read(request.pointee) else {
                    return PLUGBOARD_E_INVALID
                }
                return instance.request(read.request, read.url, user, isStreaming: read.isStreaming, &id.pointee)
            },
            cancel: { context, id in
                guard let instance = HostTable.enter(context, "http.cancel", .started) else {
                    return PLUGBOARD_E_SHUTDOWN
                }
                instance.simulation.note(.webCancelled, instance, id)
                guard instance.exchange(id, "http.cancel") != nil else { return PLUGBOARD_E_HANDLE }
                instance.exchanges[id] = nil
                return PLUGBOARD_OK
            },
            set_reading: { context, id, reading in
                guard let instance = HostTable.enter(context, "http.set_reading", .started) else {
                    return PLUGBOARD_E_SHUTDOWN
                }
                guard reading <= 1 else { return PLUGBOARD_E_INVALID }
                guard let exchange = instance.exchange(id, "http.set_reading") else { return PLUGBOARD_E_HANDLE }
                guard exchange.isStreaming else { return PLUGBOARD_E_STATE }
                exchange.setReading(reading == 1)
                return PLUGBOARD_OK
            }
        )
    }

    /// A request as the plugin laid it out; nil if that cannot be read.
    private static func read(
        _ source: plugboard_http_request_t
    ) -> (request: HTTPRequest, url: SimulatedURL, isStreaming: Bool)? {
        guard source.struct_size >= MemoryLayout<plugboard_http_request_t>.size,
            source.flags & ~PLUGBOARD_HTTP_STREAM == 0,
            source.method.isWellFormed, source.url.isWellFormed, source.body.isWellFormed, source.identity.isWellFormed,
            source.url.count <= SimulatedURL.bytesMax, let url = SimulatedURL(source.url.text),
            let fields = elements(source.fields, source.field_count, max: 4096),
            fields.allSatisfy({ $0.name.isWellFormed && $0.value.isWellFormed })
        else { return nil }
        let request = HTTPRequest(
            source.method.text,
            url.description,
            fields: fields.map { HTTPField($0.name.text, $0.value.text) },
            body: Array(source.body.bytes),
            identity: source.identity.text,
            timeout: source.timeout_ms,
            redirectsMax: source.redirects_max,
            answerBytesMax: source.answer_bytes_max
        )
        return (request, url, source.flags & PLUGBOARD_HTTP_STREAM != 0)
    }

    /// Fields that the host writes itself.
    private static let reservedFields: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "expect", "te", "trailer",
        "proxy-connection",
    ]

    /// The status that refuses a request; nil if it is one.
    static func flaw(of request: HTTPRequest, isStreaming: Bool, _ limits: HostLimits) -> plugboard_status_t? {
        guard isToken(request.method), request.method.utf8.count <= 32, request.method != "CONNECT" else {
            return PLUGBOARD_E_INVALID
        }
        guard request.fields.count <= limits.httpFieldsMax else { return PLUGBOARD_E_LIMIT }
        for field in request.fields {
            guard isToken(field.name), !reservedFields.contains(field.name.lowercased()),
                field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 })
            else { return PLUGBOARD_E_INVALID }
        }
        let headBytes = request.fields.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        guard headBytes <= limits.httpHeadMax, request.body.count <= limits.httpRequestBodyMax else {
            return PLUGBOARD_E_LIMIT
        }
        let answerMax = isStreaming ? limits.httpStreamMax : limits.httpBodyMax
        guard request.timeout <= limits.httpTimeoutMsMax, request.answerBytesMax <= UInt64(answerMax) else {
            return PLUGBOARD_E_INVALID
        }
        return request.redirectsMax <= limits.httpRedirectsMax ? nil : PLUGBOARD_E_LIMIT
    }

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
}

extension SimulatedInstance {
    /// Requests to web servers that are not finished.
    public var requestCount: Int { exchanges.count }

    func request(
        _ request: HTTPRequest,
        _ url: SimulatedURL,
        _ user: UnsafeMutableRawPointer?,
        isStreaming: Bool,
        _ result: inout UInt64
    ) -> plugboard_status_t {
        if let flaw = SimulatedHTTP.flaw(of: request, isStreaming: isStreaming, simulation.limits) { return flaw }
        guard exchanges.count < simulation.limits.httpRequestsMax else { return PLUGBOARD_E_LIMIT }
        guard request.identity.isEmpty || identities[request.identity] != nil else { return PLUGBOARD_E_UNSUPPORTED }
        let handle = newHandle(.exchange)
        let exchange = SimulatedExchange(self, handle, request, url, user, isStreaming: isStreaming)
        exchanges[handle] = exchange
        simulation.note(.webRequest, self, handle, text: "\(request.method) \(url.description)")
        result = handle
        exchange.begin()
        return PLUGBOARD_OK
    }

    /// The unfinished request of a handle; a violation if it never was.
    func exchange(_ handle: UInt64, _ call: String) -> SimulatedExchange? {
        if let found = exchanges[handle] { return found }
        if issued[handle] != .exchange { unknown(handle, call) }
        return nil
    }
}
