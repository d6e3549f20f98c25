import CPlugboard
import HostServices
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import PluginHost

@Suite("HTTP across the plugin ABI", .timeLimit(.minutes(1)))
struct HTTPTableTests {
    @Test("an answer comes with its fields and body, and the plugin's pointer")
    func success() async throws {
        try await EchoWebServer.with { port in
            try await Bench.with { bench in
                try await bench.withStage(prepare: { $0.events(HTTPEvents.self) }) { (stage: Stage) async throws in
                    let status = try await stage.on { $0.provider.get("http://127.0.0.1:\(port)/x") }
                    #expect(status == PLUGBOARD_OK)
                    await stage.heard("http done")
                    #expect(try await stage.events.last == "http done 16 200 Content-Length=2,X-Target=/x ok")
                }
            }
        }
    }

    @Test("a streaming answer comes as head, pieces and end")
    func streaming() async throws {
        try await EchoWebServer.with { port in
            try await Bench.with { bench in
                try await bench.withStage(prepare: { $0.events(HTTPEvents.self) }) { (stage: Stage) async throws in
                    _ = try await stage.on {
                        $0.provider.get("http://127.0.0.1:\(port)/x") { $0.flags = PLUGBOARD_HTTP_STREAM }
                    }
                    await stage.heard("http done")
                    #expect(
                        try await stage.events.suffix(3) == [
                            "http head 16 200", "http body 16 ok", "http done 16 200 Content-Length=2,X-Target=/x ",
                        ]
                    )
                }
            }
        }
    }

    @Test("a failure comes with its cause and a sentence")
    func failure() async throws {
        try await Bench.with { bench in
            try await bench.withStage(prepare: { $0.events(HTTPEvents.self) }) { (stage: Stage) async throws in
                _ = try await stage.on { $0.provider.get("http://127.0.0.1:1/") }
                await stage.heard("http failed")
                let last = try await stage.events.last ?? ""
                #expect(last.hasPrefix("http failed 16 \(PLUGBOARD_HTTP_CONNECT_FAILED) cannot connect"))
            }
        }
    }

    @Test("what a request carries for the server alone is in no line of the log, whatever becomes of it")
    func secrets() async throws {
        try await EchoWebServer.with { port in
            try await Bench.with { bench in
                try await bench.withStage(prepare: { $0.events(HTTPEvents.self) }) { (stage: Stage) async throws in
                    for url in ["http://127.0.0.1:\(port)/x", "http://127.0.0.1:1/?token=hush-token"] {
                        _ = try await stage.on { stage in
                            stage.provider.get(url, authorization: "Bearer hush-bearer")
                        }
                        await stage.heard(url.hasSuffix("x") ? "http done" : "http failed")
                    }
                    // Who is to be asked for, and with which password, has no place in a URL: it is refused.
                    let status = try await stage.on { $0.provider.get("http://user:hush-password@127.0.0.1:\(port)/") }
                    #expect(status == PLUGBOARD_E_INVALID)
                    let failed = try await stage.events.filter { $0.hasPrefix("http failed") }
                    #expect(failed.count == 1)
                    for line in bench.log.detailed + failed { #expect(!line.contains("hush"), "\(line)") }
                }
            }
        }
    }

    @Test("a plugin that cannot hear of answers cannot ask")
    func noEvents() async throws {
        try await Bench.with { bench in
            try await bench.withStage { (stage: Stage) async throws in
                #expect(try await stage.on { $0.provider.get("http://127.0.0.1:1/") } == PLUGBOARD_E_UNSUPPORTED)
            }
            // A table with a gap counts as none.
            try await bench.withStage(prepare: { provider in
                var events = HTTPEvents.table
                events.body = nil
                provider.extensions[PLUGBOARD_EXT_HTTP] = provider.put(events)
            }) { (stage: Stage) async throws in
                #expect(try await stage.on { $0.provider.get("http://127.0.0.1:1/") } == PLUGBOARD_E_UNSUPPORTED)
            }
        }
    }

    @Test("malformed requests are refused")
    func malformed() async throws {
        try await Bench.with { bench in
            try await bench.withStage(prepare: { $0.events(HTTPEvents.self) }) { (stage: Stage) async throws in
                let url = "http://127.0.0.1:1/"
                let changes: [@Sendable (inout plugboard_http_request_t) -> Void] = [
                    { $0.struct_size = 8 }, { $0.flags = 2 }, { $0.field_count = 1 }, { $0.field_count = .max },
                    { $0.url = plugboard_bytes_t(start: nil, count: 4) }, { $0.method.count = 0 },
                    { $0.body = plugboard_bytes_t(start: nil, count: 1) }, { $0.redirects_max = 11 },
                ]
                let statuses = try await stage.on { stage in changes.map { stage.provider.get(url, $0) } }
                #expect(statuses.dropLast().allSatisfy { $0 == PLUGBOARD_E_INVALID }, "\(statuses)")
                #expect(statuses.last == PLUGBOARD_E_LIMIT)
                #expect(try await stage.on { $0.provider.get("file:///etc/passwd") } == PLUGBOARD_E_INVALID)
                let isRefused = try await stage.on { stage in
                    stage.provider.http { table, context in
                        [
                            table.request(context, nil, nil, nil), table.cancel(context, 77),
                            table.set_reading(context, 77, 1), table.set_reading(context, 77, 2),
                        ]
                    }
                }
                #expect(
                    isRefused == [PLUGBOARD_E_INVALID, PLUGBOARD_E_HANDLE, PLUGBOARD_E_HANDLE, PLUGBOARD_E_INVALID]
                )
            }
        }
    }

    @Test("nothing is heard of a request after the instance stopped, and none can be begun")
    func stopping() async throws {
        try await EchoWebServer.with { port in
            try await Bench.with { bench in
                try await bench.withStage(prepare: { $0.events(HTTPEvents.self) }) { (stage: Stage) async throws in
                    _ = try await stage.on { stage in
                        _ = stage.provider.get("http://127.0.0.1:\(port)/x")
                        stage.instance?.stop()
                        #expect(stage.provider.get("http://127.0.0.1:\(port)/x") == PLUGBOARD_E_SHUTDOWN)
                    }
                    #expect(try await stage.events.last == "destroy")
                }
            }
        }
    }
}

/// Notes the answers of `plugboard.http/1`.
enum HTTPEvents: RawEvents {
    static let id = PLUGBOARD_EXT_HTTP

    static var table: plugboard_http_events_t {
        plugboard_http_events_t(
            struct_size: structSize(plugboard_http_events_t.self),
            reserved: 0,
            head: { instance, _, user, answer in
                RawProvider.from(instance).heard("http head \(Int(bitPattern: user)) \(answer?.pointee.status ?? 0)")
            },
            body: { instance, _, user, bytes, count in
                let text = String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
                RawProvider.from(instance).heard("http body \(Int(bitPattern: user)) \(text)")
            },
            done: { instance, _, user, answer, failure in
                let provider = RawProvider.from(instance)
                if let failure = failure?.pointee {
                    provider.heard("http failed \(Int(bitPattern: user)) \(failure.cause) \(failure.detail.string)")
                } else if let answer = answer?.pointee {
                    let fields = UnsafeBufferPointer(start: answer.fields, count: answer.field_count)
                        .map { "\($0.name.string)=\($0.value.string)" }.joined(separator: ",")
                    provider.heard(
                        "http done \(Int(bitPattern: user)) \(answer.status) \(fields) \(answer.body.string)"
                    )
                }
            }
        )
    }
}

extension RawProvider {
    /// Calls the host's HTTP table.
    func http<R>(_ body: (plugboard_http_t, UnsafeMutableRawPointer?) -> R) -> R {
        withExtension(PLUGBOARD_EXT_HTTP, as: plugboard_http_t.self, body)
    }

    /// Begins a GET with the user pointer 16.
    func get(_ url: String, _ change: (inout plugboard_http_request_t) -> Void = { _ in }) -> plugboard_status_t {
        withBytes("GET") { method in
            withBytes(url) { url in
                var request = plugboard_http_request_t()
                request.struct_size = structSize(plugboard_http_request_t.self)
                request.method = method
                request.url = url
                change(&request)
                var id: UInt64 = 0
                return http { $0.request($1, &request, UnsafeMutableRawPointer(bitPattern: 16), &id) }
            }
        }
    }
}

extension RawProvider {
    /// The same with a header field.
    fileprivate func get(_ url: String, authorization: String) -> plugboard_status_t {
        withBytes("Authorization") { name in
            withBytes(authorization) { value in
                var field = plugboard_http_field_t()
                field.struct_size = structSize(plugboard_http_field_t.self)
                (field.name, field.value) = (name, value)
                return withUnsafePointer(to: field) { field in get(url) { ($0.fields, $0.field_count) = (field, 1) } }
            }
        }
    }
}

/// A web server that answers each request with `ok` and the target that was asked for.
private final class EchoWebServer: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    static func with(_ body: (Int) async throws -> Void) async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(EchoWebServer())
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(channel.localAddress?.port ?? 0))
        } catch {
            result = .failure(error)
        }
        try await channel.close().get()
        try result.get()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = unwrapInboundIn(data) else { return }
        let fields: HTTPHeaders = ["Content-Length": "2", "X-Target": head.uri]
        let answer = HTTPResponseHead(version: .http1_1, status: .ok, headers: fields)
        context.write(wrapOutboundOut(.head(answer)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: "ok")))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
