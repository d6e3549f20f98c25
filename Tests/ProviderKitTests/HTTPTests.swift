import CPlugboard
import Testing

@testable import ProviderKit

@Suite("HTTP in Swift")
struct HTTPTests {
    @Test("a request crosses whole, and its answer comes once")
    func whole() throws {
        let lab = Lab()
        lab.fake.extensions[PLUGBOARD_EXT_HTTP] = UnsafeRawPointer(FakeHTTP.table)
        var results: [Result<HTTPAnswer, HTTPFailure>] = []
        try lab.host.request(
            HTTPRequest(
                "POST",
                "https://a.test/",
                fields: [HTTPField("SOAPAction", "x"), HTTPField("A", "")],
                body: [104, 105],
                identity: "me",
                timeout: 5,
                redirectsMax: 3,
                answerBytesMax: 99
            )
        ) { results.append($0) }
        #expect(lab.fake.calls == ["http POST https://a.test/ SOAPAction=x,A= hi me 5 3 99 0"])
        FakeHTTP.tellDone(lab.fake, 1)
        FakeHTTP.tellDone(lab.fake, 1)
        let answer = HTTPAnswer(status: 200, url: "u", fields: [HTTPField("Set-Cookie", "a")], body: [111, 107])
        #expect(results == [.success(answer)])
        #expect(answer["set-cookie"] == ["a"] && answer["b"].isEmpty)
    }

    @Test("a streaming answer comes in pieces")
    func streaming() throws {
        let lab = Lab()
        lab.fake.extensions[PLUGBOARD_EXT_HTTP] = UnsafeRawPointer(FakeHTTP.table)
        var events: [String] = []
        let streaming = HTTPStreaming {
            events.append("head \($0.status)")
        } body: {
            events.append("body \($0)")
        }
        let id = try lab.host.request(HTTPRequest("GET", "u"), streaming: streaming) { _ in events.append("done") }
        lab.host.setReading(id, false)
        FakeHTTP.tellHead(lab.fake, 1)
        FakeHTTP.tellBody(lab.fake, 1, [1, 2])
        FakeHTTP.tellDone(lab.fake, 1)
        #expect(events == ["head 200", "body [1, 2]", "done"])
        #expect(lab.fake.calls == ["http GET u    0 0 0 1", "http reading 1 0"])
    }

    @Test("a failure comes with its cause; an unknown one counts as a lost connection")
    func failure() throws {
        let lab = Lab()
        lab.fake.extensions[PLUGBOARD_EXT_HTTP] = UnsafeRawPointer(FakeHTTP.table)
        var results: [Result<HTTPAnswer, HTTPFailure>] = []
        for _ in 0..<2 { try lab.host.request(HTTPRequest("GET", "u")) { results.append($0) } }
        FakeHTTP.tellFailed(lab.fake, 1, PLUGBOARD_HTTP_TLS)
        FakeHTTP.tellFailed(lab.fake, 2, 99)
        #expect(results == [.failure(HTTPFailure(.tls, "why")), .failure(HTTPFailure(.closed, "why"))])
    }

    @Test("a cancelled request is heard of no more, even if the host goes on")
    func cancelling() throws {
        let lab = Lab()
        lab.fake.extensions[PLUGBOARD_EXT_HTTP] = UnsafeRawPointer(FakeHTTP.table)
        var results = 0
        let id = try lab.host.request(HTTPRequest("GET", "u")) { _ in results += 1 }
        lab.host.cancel(id)
        lab.host.cancel(id)
        FakeHTTP.tellDone(lab.fake, 1)
        #expect(results == 0)
        #expect(lab.fake.calls.last == "http cancel 1" && lab.fake.calls.count == 2)
    }

    @Test("a refused request is told so, and a host without HTTP says that")
    func refusals() throws {
        let lab = Lab()
        #expect(throws: HostError.unsupported) { try lab.host.request(HTTPRequest("GET", "u")) { _ in } }
        lab.fake.extensions[PLUGBOARD_EXT_HTTP] = UnsafeRawPointer(FakeHTTP.table)
        lab.fake.status = PLUGBOARD_E_LIMIT
        var results = 0
        #expect(throws: HostError.limitReached) {
            try lab.host.request(HTTPRequest("GET", "u")) { _ in results += 1 }
        }
        FakeHTTP.tellDone(lab.fake, 1)
        #expect(results == 0)
    }
}

/// A host's HTTP that notes what it is asked.
enum FakeHTTP {
    /// Safe to share: immortal, and never written after this initialiser.
    nonisolated(unsafe) static let table = InstanceBox.immortal(
        plugboard_http_t(
            struct_size: structSize(plugboard_http_t.self),
            reserved: 0,
            request: { context, request, _, id in
                let host = FakeHost.from(context)
                guard let request = request?.pointee else { return PLUGBOARD_E_INVALID }
                let fields = UnsafeBufferPointer(start: request.fields, count: request.field_count)
                    .map { "\($0.name.string)=\($0.value.string)" }.joined(separator: ",")
                host.calls.append(
                    "http \(request.method.string) \(request.url.string) \(fields) \(request.body.string) "
                        + "\(request.identity.string) \(request.timeout_ms) \(request.redirects_max) "
                        + "\(request.answer_bytes_max) \(request.flags)"
                )
                id?.pointee = host.newHandle()
                return host.status
            },
            cancel: { FakeHost.from($0).noted("http cancel \($1)") },
            set_reading: { FakeHost.from($0).noted("http reading \($1) \($2)") }
        )
    )

    static func tellHead(_ host: FakeHost, _ id: UInt64) {
        withAnswer(body: "") { answer in host.events(PLUGBOARD_EXT_HTTP, Events.self) { $0.head($1, id, nil, answer) } }
    }

    static func tellBody(_ host: FakeHost, _ id: UInt64, _ bytes: [UInt8]) {
        host.events(PLUGBOARD_EXT_HTTP, Events.self) { $0.body($1, id, nil, bytes, bytes.count) }
    }

    static func tellDone(_ host: FakeHost, _ id: UInt64) {
        withAnswer(body: "ok") { answer in
            host.events(PLUGBOARD_EXT_HTTP, Events.self) { $0.done($1, id, nil, answer, nil) }
        }
    }

    static func tellFailed(_ host: FakeHost, _ id: UInt64, _ cause: UInt32) {
        withBytes("why") { detail in
            var failure = plugboard_http_failure_t()
            failure.struct_size = structSize(plugboard_http_failure_t.self)
            failure.cause = cause
            failure.detail = detail
            host.events(PLUGBOARD_EXT_HTTP, Events.self) { $0.done($1, id, nil, nil, &failure) }
        }
    }

    private typealias Events = plugboard_http_events_t

    private static func withAnswer(body: String, _ use: (UnsafePointer<plugboard_http_answer_t>) -> Void) {
        var strings = StringBlock()
        for text in ["u", "Set-Cookie", "a", body] { strings.append(text) }
        strings.withSpans { spans in
            var field = plugboard_http_field_t()
            field.struct_size = structSize(plugboard_http_field_t.self)
            field.name = spans[1]
            field.value = spans[2]
            withUnsafePointer(to: field) { field in
                var answer = plugboard_http_answer_t()
                answer.struct_size = structSize(plugboard_http_answer_t.self)
                answer.status = 200
                answer.url = spans[0]
                answer.fields = field
                answer.field_count = 1
                answer.body = spans[3]
                use(&answer)
            }
        }
    }
}
