import CPlugboard
import ProviderTestKit

/// Requests to a web server.
extension Use {
    static let web: [Use] =
        [
            answer("an answer comes whole", "/hello"),
            answer("an answer without a body", "/empty"),
            answer("an answer of 404 is an answer", "/missing"),
            answer("a redirect is an answer if none is to be followed", "/there"),
            answer("a redirect is followed", "/there") { request, _ in request.redirects_max = 1 },
            answer("a redirect too many", "/loop") { request, _ in request.redirects_max = 3 },
            answer("a redirect to no web server", "/nowhere") { request, _ in request.redirects_max = 3 },
            answer("a POST that is sent elsewhere becomes a GET", "/see-other") {
                $0.redirects_max = 1
                post(&$0, $1)
            },
            answer("a POST that keeps its method", "/keep-method") {
                $0.redirects_max = 1
                post(&$0, $1)
            },
            answer("a POST with fields and a body", "/echo?a=b") { post(&$0, $1) },
            answer("a connection that breaks in the answer", "/cut"),
            answer("a connection that breaks before the answer", "/cut-early") { request, arena in
                request.method = arena.text("POST")
            },
            answer("what is no HTTP", "/garbage"),
            answer("a status that is none", "/odd"),
            answer("no answer in time", "/silence") { request, _ in request.timeout_ms = 100 },
            answer("an answer that is as long as it may be", "/hello") { request, _ in request.answer_bytes_max = 5 },
            answer("an answer that is too long", "/hello") { request, _ in request.answer_bytes_max = 4 },
            answer("a server that is not there", "/") { $0.url = $1.text("http://127.0.0.1:9/") },
            answer("a name that nobody can look up", "/") { $0.url = $1.text("http://broken.example/") },
            answer("an answer that comes as it comes", "/pieces") { request, _ in request.flags = PLUGBOARD_HTTP_STREAM
            },
            Use(
                "who does not read gets nothing of an answer until he does",
                steps: [
                    .act { probe in
                        probe.request("/hello") { request, _ in request.flags = PLUGBOARD_HTTP_STREAM }
                        probe.setReadingOfAnswer("h1", 0)
                    }
                ] + Step.quiet("pause") + [
                    .act { probe in
                        probe.note("so far", gave: "\(probe.record.count("h1 "))")
                        probe.setReadingOfAnswer("h1", 1)
                    },
                    .heard("h1 done"),
                ]
            ),
            Use(
                "two requests after each other",
                steps: [
                    .act { $0.request("/hello") }, .heard("h1 done"), .act { $0.request("/hello") }, .heard("h2 done"),
                ]
            ),
            Use(
                "a cancelled request says nothing more",
                steps: [
                    .act { probe in
                        probe.request("/hello")
                        probe.cancel("h1")
                        probe.cancel("h1")
                    }
                ] + Step.quiet("end")
            ),
            Use(
                "a finished request cannot be cancelled",
                steps: [
                    .act { $0.request("/hello") }, .heard("h1 done"),
                    .act { probe in
                        probe.cancel("h1")
                        probe.setReadingOfAnswer("h1", 1)
                    },
                ]
            ),
            Use(
                "reading is stopped of what comes whole, and by no number but 0 and 1",
                steps: [
                    .act { probe in
                        probe.request("/hello")
                        probe.setReadingOfAnswer("h1", 0)
                        probe.setReadingOfAnswer("h1", 2)
                    },
                    .heard("h1 done"),
                ]
            ),
            Use("a request that was never made is cancelled", breaks: .unknownHandle) { $0.cancel("17") },
            Use("reading of a request that was never made", breaks: .unknownHandle) {
                $0.setReadingOfAnswer("17", 1)
            },
            Use("there is a limit to the requests") { probe in
                for _ in 0..<257 { probe.request("/silence") { request, _ in request.timeout_ms = 60_000 } }
            },
            Use("requests without a table for the answers") { probe in
                probe.request("/hello")
                probe.cancel("0")
            }
            .with {
                $0.events = []
                $0.breaks = .unknownHandle
            },
        ]
        + wrongRequests.map { name, change in Use("a request with \(name)") { $0.request("/hello") { change(&$0, $1) } }
        }

    private typealias Change = @Sendable (inout plugboard_http_request_t, Arena) -> Void

    private static func answer(
        _ name: String,
        _ path: String,
        _ change: @escaping @Sendable (inout plugboard_http_request_t, Arena) -> Void = { _, _ in }
    ) -> Use {
        Use("over HTTP: \(name)", steps: [.act { $0.request(path, change) }, .heard("h1 done")] + Step.quiet("end"))
    }

    private static func post(_ request: inout plugboard_http_request_t, _ arena: Arena) {
        request.method = arena.text("POST")
        request.body = arena.text("the body")
        (request.fields, request.field_count) = fields([("X-One", "1"), ("x-two", "zwei 2")], arena)
    }

    private static func fields(_ fields: [(String, String)], _ arena: Arena) -> (
        UnsafePointer<plugboard_http_field_t>, Int
    ) {
        let all = fields.map { name, value in
            plugboard_http_field_t(
                struct_size: structSize(plugboard_http_field_t.self),
                reserved: 0,
                name: arena.text(name),
                value: arena.text(value)
            )
        }
        return (UnsafePointer(arena.put(all)), all.count)
    }

    private static func field(_ name: String, _ value: String) -> Change {
        { ($0.fields, $0.field_count) = fields([(name, value)], $1) }
    }

    private static func url(_ text: String) -> Change { { $0.url = $1.text(text) } }

    private static func method(_ text: String) -> Change { { $0.method = $1.text(text) } }

    /// Those that are taken lead to a port on which nobody listens.
    private static let wrongRequests: [(String, Change)] = [
        ("a short struct", { request, _ in request.struct_size -= 1 }),
        ("a flag that there is not", { request, _ in request.flags = 2 }),
        ("a missing URL", { request, _ in request.url = .missing }),
        ("a missing method", { request, _ in request.method = .missing }),
        ("a missing body", { request, _ in request.body = .missing }),
        ("a missing identity", { request, _ in request.identity = .missing }),
        ("missing fields", { request, _ in request.field_count = 1 }),
        ("no URL", url("")), ("a path for a URL", url("/hello")), ("another scheme", url("ftp://127.0.0.1/")),
        ("a user", url("http://romeo@127.0.0.1/")), ("a host that is none", url("http://no_host!/")),
        ("port 0", url("http://127.0.0.1:0/")), ("port 65536", url("http://127.0.0.1:65536/")),
        ("a space in the URL", url("http://127.0.0.1/a b")), ("an address in brackets", url("http://[127.0.0.1]:9/")),
        ("a URL at the limit", url("http://127.0.0.1:9/" + String(repeating: "x", count: 8192 - 19))),
        ("a URL past the limit", url("http://127.0.0.1:9/" + String(repeating: "x", count: 8192 - 18))),
        ("CONNECT", method("CONNECT")), ("no method", method("")), ("a method of two words", method("GET ME")),
        ("a field for the host to write", field("content-LENGTH", "5")), ("a field without a name", field("", "5")),
        ("a field whose name has a space", field("X One", "5")),
        ("a value with a line's end", field("X-One", "a\r\nb")),
        ("a value with a tab", field("X-One", "a\tb")),
        ("129 fields", { ($0.fields, $0.field_count) = fields((0..<129).map { ("x-\($0)", "") }, $1) }),
        ("64 KiB of fields", field("x", String(repeating: "x", count: 65_535))),
        ("more than 64 KiB of fields", field("x", String(repeating: "x", count: 65_536))),
        ("a body past the limit", { $0.body = $1.bytes([UInt8](repeating: 0x78, count: 4 << 20 + 1)) }),
        ("the longest timeout", { request, _ in request.timeout_ms = 3_600_000 }),
        ("a longer timeout", { request, _ in request.timeout_ms = 3_600_001 }),
        ("an answer past the limit", { request, _ in request.answer_bytes_max = 4 << 20 + 1 }),
        ("10 redirects", { request, _ in request.redirects_max = 10 }),
        ("11 redirects", { request, _ in request.redirects_max = 11 }),
        ("an identity that nobody configured", { $0.identity = $1.text("nobody") }),
    ]
}
