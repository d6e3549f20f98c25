internal import CPlugboard
package import HostServices

// The web servers' answers, turned into calls of the provider's table of `plugboard.http/1`.

extension Instance: HTTPDelegate {
    package func answered(_ request: HTTPRequestHandle, _ head: HTTPAnswer) {
        watch.enter(.http, index)
        defer { watch.leave() }
        guard isActive, let events = extras.httpEvents else { return }
        head.withABI { events.head(calls.pointer, request.rawValue, extras.httpUsers[request], $0) }
    }

    package func bodyReceived(_ request: HTTPRequestHandle, _ bytes: UnsafeRawBufferPointer) {
        watch.enter(.http, index)
        defer { watch.leave() }
        guard isActive, let events = extras.httpEvents else { return }
        let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        events.body(calls.pointer, request.rawValue, extras.httpUsers[request], start, bytes.count)
    }

    package func finished(_ request: HTTPRequestHandle, _ result: Result<HTTPAnswer, HTTPFailure>) {
        watch.enter(.http, index)
        defer { watch.leave() }
        let user = extras.httpUsers.removeValue(forKey: request)
        guard isActive, let events = extras.httpEvents else { return }
        switch result {
        case .success(let answer):
            answer.withABI { events.done(calls.pointer, request.rawValue, user, $0, nil) }
        case .failure(let failure):
            withTexts([failure.description]) { texts in
                let abi = plugboard_http_failure_t(
                    struct_size: UInt32(MemoryLayout<plugboard_http_failure_t>.size),
                    cause: failure.cause,
                    detail: texts[0]
                )
                withUnsafePointer(to: abi) { events.done(calls.pointer, request.rawValue, user, nil, $0) }
            }
        }
    }
}

extension HTTPFailure {
    /// The cause as the ABI names it.
    fileprivate var cause: UInt32 {
        switch self {
        case .unresolved: PLUGBOARD_HTTP_NAME_FAILED
        case .connectFailed: PLUGBOARD_HTTP_CONNECT_FAILED
        case .tlsFailed: PLUGBOARD_HTTP_TLS
        case .timedOut: PLUGBOARD_HTTP_TIMEOUT
        case .badAnswer: PLUGBOARD_HTTP_BAD_ANSWER
        case .bodyTooLarge: PLUGBOARD_HTTP_TOO_LARGE
        case .badRedirect: PLUGBOARD_HTTP_REDIRECT
        case .connectionLost: PLUGBOARD_HTTP_CLOSED
        }
    }
}

extension HTTPAnswer {
    /// Lends the answer in the ABI's form.
    fileprivate func withABI(_ body: (UnsafePointer<plugboard_http_answer_t>) -> Void) {
        withTexts([url] + fields.flatMap { [$0.name, $0.value] }) { texts in
            let fields = self.fields.indices.map { index in
                plugboard_http_field_t(
                    struct_size: UInt32(MemoryLayout<plugboard_http_field_t>.size),
                    reserved: 0,
                    name: texts[1 + 2 * index],
                    value: texts[2 + 2 * index]
                )
            }
            fields.withUnsafeBufferPointer { fields in
                self.body.withUnsafeBufferPointer { bytes in
                    let answer = plugboard_http_answer_t(
                        struct_size: UInt32(MemoryLayout<plugboard_http_answer_t>.size),
                        status: UInt32(status),
                        url: texts[0],
                        fields: fields.baseAddress,
                        field_count: fields.count,
                        body: plugboard_bytes_t(start: bytes.baseAddress, count: bytes.count)
                    )
                    withUnsafePointer(to: answer, body)
                }
            }
        }
    }
}
