internal import CPlugboard
internal import HostServices

/// The host extension `plugboard.http/1`.
enum HTTPTable {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let table = HostExtensions.immortal(
        plugboard_http_t(
            struct_size: UInt32(MemoryLayout<plugboard_http_t>.size),
            reserved: 0,
            request: { context, request, user, id in
                guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
                guard instance.extras.httpEvents != nil else { return PLUGBOARD_E_UNSUPPORTED }
                guard let id, let request, let read = HTTPRequest(abi: request.pointee) else {
                    return PLUGBOARD_E_INVALID
                }
                return HostTable.status { () throws(ServiceError) in
                    let handle = try instance.extras.http.request(read)
                    instance.extras.httpUsers[handle] = user
                    id.pointee = handle.rawValue
                }
            },
            cancel: { context, id in
                guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
                let handle = HTTPRequestHandle(rawValue: id)
                return HostTable.status { () throws(ServiceError) in
                    try instance.extras.http.cancel(handle)
                    instance.extras.httpUsers[handle] = nil
                }
            },
            set_reading: { context, id, reading in
                guard let instance = HostTable.active(context) else { return PLUGBOARD_E_SHUTDOWN }
                guard reading <= 1 else { return PLUGBOARD_E_INVALID }
                return HostTable.status { () throws(ServiceError) in
                    try instance.extras.http.setReading(HTTPRequestHandle(rawValue: id), reading == 1)
                }
            }
        )
    )

    /// The most header fields that are looked at; the service's own limit is lower.
    static let fieldsMax = 4096
}

extension HTTPRequest {
    fileprivate init?(abi source: plugboard_http_request_t) {
        guard source.struct_size >= MemoryLayout<plugboard_http_request_t>.size,
            source.flags & ~PLUGBOARD_HTTP_STREAM == 0,
            source.method.isWellFormed, source.url.isWellFormed, source.body.isWellFormed, source.identity.isWellFormed,
            source.url.count <= HTTPAddress.bytesMax, let address = HTTPAddress(source.url.string),
            let fields = abiElements(source.fields, source.field_count, max: HTTPTable.fieldsMax),
            fields.allSatisfy({ $0.name.isWellFormed && $0.value.isWellFormed })
        else { return nil }
        self.init(
            method: source.method.string,
            address: address,
            fields: fields.map { HTTPField($0.name.string, $0.value.string) },
            body: Array(source.body.bytes),
            timeoutMs: source.timeout_ms == 0 ? nil : UInt64(source.timeout_ms),
            answerBytesMax: source.answer_bytes_max == 0 ? nil : Int(clamping: source.answer_bytes_max),
            redirectsMax: Int(source.redirects_max),
            isStreaming: source.flags & PLUGBOARD_HTTP_STREAM != 0,
            identity: source.identity.count == 0 ? nil : source.identity.string
        )
    }
}
