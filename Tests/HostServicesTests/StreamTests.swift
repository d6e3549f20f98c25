import Testing

@testable import HostServices

@Suite("Plain streams", .timeLimit(.minutes(1)))
struct StreamTests {
    @Test("what one side writes, the other receives, both ways")
    func echo() async throws {
        try await Rig.with { rig in
            try await rig.server.on { side in
                side.ear.onReceived = { stream, bytes in
                    #expect(throws: Never.self) { try side.service.write(stream, bytes) }
                    return .consumed(bytes.count)
                }
            }
            let (stream, accepted) = try await rig.pair()
            try await rig.client.write(stream, "hello")
            #expect(try await rig.client.consumed(stream, 5) == Array("hello".utf8))
            #expect(try await rig.server.on { try $0.service.peerAddress(accepted) }.hasPrefix("127.0.0.1:"))
            #expect(try await rig.server.on { try $0.service.tlsInfo(accepted) } == nil)
        }
    }

    @Test("writes of one tick arrive together, in order")
    func gathering() async throws {
        try await Rig.with { rig in
            let (stream, accepted) = try await rig.pair()
            try await rig.client.on { side in
                for n in 0..<100 { try side.put(stream, "\(n),") }
            }
            let expected = (0..<100).map { "\($0)," }.joined()
            _ = try await rig.server.consumed(accepted, expected.utf8.count)
            #expect(try await rig.server.on { $0.ear.text(accepted) } == expected)
            let reads = try await rig.server.on { side in
                side.ear.events.filter { if case .received = $0 { true } else { false } }.count
            }
            #expect(reads == 1)
        }
    }

    @Test("a rest that was not consumed is offered again with what comes next", arguments: [4, 64, 5000, 20_000])
    func partialConsumption(unit: Int) async throws {
        try await Rig.with { rig in
            try await rig.server.on { side in
                side.ear.onReceived = { _, bytes in .consumed(bytes.count / unit * unit) }
            }
            let (stream, accepted) = try await rig.pair()
            let sent = (0..<unit * 3).map { UInt8(truncatingIfNeeded: $0) }
            // In pieces that fit no unit, each its own tick.
            for start in stride(from: 0, to: sent.count, by: unit / 4 * 3) {
                let piece = Array(sent[start..<min(start + unit / 4 * 3, sent.count)])
                try await rig.client.on { _ = try $0.put(stream, piece) }
            }
            #expect(try await rig.server.consumed(accepted, sent.count) == sent)
        }
    }

    @Test("both sides hear of the end once, and the handles are stale then")
    func finishing() async throws {
        try await Rig.with { rig in
            let (stream, accepted) = try await rig.pair()
            try await rig.client.on { side in
                try side.put(stream, "bye")
                try side.service.finish(stream)
                #expect(throws: ServiceError.closing(stream)) { try side.service.finish(stream) }
                #expect(throws: ServiceError.closing(stream)) { try side.put(stream, "more") }
                #expect(throws: ServiceError.closing(stream)) { try side.service.setReading(stream, false) }
            }
            #expect(try await rig.server.consumed(accepted, 3) == Array("bye".utf8))
            #expect(try await rig.client.closed(stream) == [.finished])
            #expect(try await rig.server.closed(accepted) == [.remoteClosed])
            try await rig.client.on { side in
                let unknown = ServiceError.unknownHandle(stream.rawValue)
                #expect(throws: unknown) { try side.put(stream, "x") }
                #expect(throws: unknown) { try side.service.finish(stream) }
                #expect(throws: unknown) { try side.service.abort(stream) }
                #expect(throws: unknown) { try side.service.resume(stream) }
                #expect(side.service.streamCount == 0)
            }
        }
    }

    @Test("abort after finish closes at once; a second abort is refused")
    func aborting() async throws {
        try await Rig.with { rig in
            let (stream, accepted) = try await rig.pair()
            try await rig.client.on { side in
                try side.service.finish(stream)
                try side.service.abort(stream)
                #expect(throws: ServiceError.closing(stream)) { try side.service.abort(stream) }
            }
            #expect(try await rig.client.closed(stream) == [.aborted])
            #expect(try await rig.server.closed(accepted).count == 1)
        }
    }

    @Test("handles of one instance mean nothing to another, and invented ones nothing to anybody")
    func ownership() async throws {
        try await Rig.with { rig in
            let (stream, _) = try await rig.pair()
            let invented = StreamHandle(rawValue: stream.rawValue + (7 << 32))
            try await rig.server.on { side in
                for raw in [invented.rawValue, 0, .max] {
                    #expect(throws: ServiceError.unknownHandle(raw)) { try side.put(StreamHandle(rawValue: raw), "x") }
                }
                #expect(throws: ServiceError.unknownHandle(9)) {
                    try side.service.stopListening(ListenerHandle(rawValue: 9))
                }
            }
        }
    }

    @Test("a stream that the instance does not accept is closed, and not spoken of again")
    func refusingToAccept() async throws {
        try await Rig.with { rig in
            try await rig.server.on { $0.ear.onAccepted = { _ in false } }
            let stream = try await rig.client.connect(try await rig.server.listen())
            #expect(try await rig.client.closed(stream).count == 1)
            let events = try await rig.server.on { ($0.ear.events.count, $0.service.streamCount) }
            #expect(events == (1, 0))
        }
    }

    @Test("an instance that closes everything hears nothing more")
    func closingAll() async throws {
        try await Rig.with { rig in
            let (stream, accepted) = try await rig.pair()
            let heard = try await rig.server.on { side in
                try side.service.finish(accepted)
                side.service.closeAll()
                #expect(throws: ServiceError.stopped) { try side.service.listen(.init(address: "::1", port: 0)) }
                #expect(throws: ServiceError.stopped) { try side.service.connect(.init(host: "::1", port: 1)) }
                #expect(throws: ServiceError.unknownHandle(accepted.rawValue)) { try side.put(accepted, "x") }
                return side.ear.events.count
            }
            #expect(try await rig.client.closed(stream).count == 1)
            #expect(try await rig.server.on { $0.ear.events.count } == heard)
        }
    }

    @Test("closing everything from inside a callback is safe")
    func closingAllInside() async throws {
        try await Rig.with { rig in
            let (stream, accepted) = try await rig.pair()
            try await rig.server.on { side in
                side.ear.onReceived = { _, bytes in
                    side.service.closeAll()
                    return .consumed(0)
                }
            }
            try await rig.client.write(stream, "now")
            #expect(try await rig.client.closed(stream).count == 1)
            #expect(try await rig.server.on { $0.ear.closings(accepted) } == [])
        }
    }

    @Test("an instance keeps its own pointer with a stream")
    func userPointer() async throws {
        try await Rig.with { rig in
            let (stream, _) = try await rig.pair()
            try await rig.client.on { side in
                let pointer = UnsafeMutableRawPointer(bitPattern: 0x1000)
                try side.service.setUser(stream, pointer)
                #expect(side.service.user(stream) == pointer)
                #expect(side.service.user(StreamHandle(rawValue: 0)) == nil)
            }
        }
    }

    @Test("much input is offered in pieces, larger ones where a frame needs it", arguments: [1, 40_000, 150_000])
    func pieces(frame: Int) async throws {
        try await Rig.with { rig in
            let (stream, accepted) = try await rig.pair()
            let sent = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
            try await rig.server.on { side in
                side.ear.onReceived = { _, bytes in .consumed(bytes.count / frame * frame) }
            }
            try await rig.client.on { side in
                _ = try sent.withUnsafeBytes { try side.service.write(stream, $0) }
            }
            let whole = sent.count / frame * frame
            #expect(try await rig.server.consumed(accepted, whole) == Array(sent.prefix(whole)))
            let longest = try await rig.server.on { side in
                side.ear.events.map { if case .received(_, let count) = $0 { count } else { 0 } }.max() ?? 0
            }
            if frame == 1 { #expect(longest <= Worker.inputPerDeliveryMax) }
        }
    }
}
