import Glibc
import HostServices
import Testing

@Suite("Back-pressure", .timeLimit(.minutes(1)))
struct BackPressureTests {
    @Test("a sender is held while the receiver refuses, and nothing is lost when it resumes")
    func refusal() async throws {
        try await Rig.with { rig in
            let (stream, accepted) = try await rig.pair()
            let pump = Pump(stream, total: 24 << 20)
            let gate = Gate()
            try await rig.server.on { side in
                side.ear.onReceived = { stream, bytes in
                    guard stream == accepted else { return .consumed(bytes.count) }
                    guard gate.isOpen else { return .refused(0) }
                    return gate.check(bytes)
                }
            }
            try await rig.client.on { side in
                side.ear.onWritable = { _ in pump.run(side) }
                pump.run(side)
            }
            _ = try await rig.server.when {
                $0.events.contains { if case .received = $0 { true } else { false } }
            } _: {
                _ in
            }
            let held = try await settled(rig) { pump.written }
            #expect(held > 0 && held < pump.total)
            try await rig.server.on { side in
                gate.isOpen = true
                side.service.resumeAll()
            }
            _ = try await rig.server.when { _ in
                gate.checked == pump.total
            } _: { _ in
            }
            #expect(try await rig.server.on { _ in gate.isIntact })
            #expect(try await rig.server.on { $0.ear.closings(accepted) } == [])
        }
    }

    @Test("a receiver that takes a little and refuses, again and again, gets everything in order")
    func refusingOften() async throws {
        try await Rig.with { rig in
            let (stream, accepted) = try await rig.pair()
            let pump = Pump(stream, total: 2 << 20)
            let gate = Gate()
            gate.isOpen = true
            try await rig.server.on { side in
                side.ear.onReceived = { stream, bytes in
                    let some = UnsafeRawBufferPointer(rebasing: bytes.prefix(10_000))
                    _ = gate.check(some)
                    // Resumed later, from outside of this call.
                    side.worker.enqueue {
                        side.worker.enqueue { #expect(throws: Never.self) { try side.service.resume(stream) } }
                    }
                    return .refused(some.count)
                }
            }
            try await rig.client.on { side in
                side.ear.onWritable = { _ in pump.run(side) }
                pump.run(side)
            }
            _ = try await rig.server.when { _ in
                gate.checked == pump.total
            } _: { _ in
            }
            #expect(try await rig.server.on { _ in gate.isIntact })
            #expect(try await rig.server.on { $0.ear.closings(accepted) } == [])
        }
    }

    @Test("a stream that does not read holds its sender, and goes on where it stopped")
    func notReading() async throws {
        try await Rig.with { rig in
            let (stream, accepted) = try await rig.pair()
            let pump = Pump(stream, total: 24 << 20)
            let gate = Gate()
            gate.isOpen = true
            try await rig.server.on { side in
                side.ear.onReceived = { stream, bytes in
                    stream == accepted ? gate.check(bytes) : .consumed(bytes.count)
                }
                try side.service.setReading(accepted, false)
            }
            try await rig.client.on { side in
                side.ear.onWritable = { _ in pump.run(side) }
                pump.run(side)
            }
            let held = try await settled(rig) { pump.written }
            #expect(held > 0 && held < pump.total)
            #expect(try await rig.server.on { _ in gate.checked } == 0)
            try await rig.server.on { try $0.service.setReading(accepted, true) }
            _ = try await rig.server.when { _ in
                gate.checked == pump.total
            } _: { _ in
            }
            #expect(try await rig.server.on { _ in gate.isIntact })
        }
    }

    @Test("input that was refused is offered before the stream's end is told", arguments: [true, false])
    func refusedThenClosed(byRefusal: Bool) async throws {
        try await Rig.with { rig in
            let (stream, accepted) = try await rig.pair()
            let gate = Gate()
            try await rig.server.on { side in
                side.ear.onReceived = { _, bytes in
                    guard !gate.isOpen else { return .consumed(bytes.count) }
                    if byRefusal { return .refused(1) }
                    #expect(throws: Never.self) { try side.service.setReading(accepted, false) }
                    return .consumed(1)
                }
            }
            try await rig.client.on { side in
                try side.put(stream, "last words")
                try side.service.finish(stream)
            }
            // The client is done when the server's system has closed: the end is there, and nobody has been told.
            #expect(try await rig.client.closed(stream) == [.finished])
            try await rig.server.on { side in
                #expect(side.ear.text(accepted) == "l")
                #expect(side.ear.closings(accepted) == [])
                // There is nobody to write to any more, but that is not the instance's fault.
                #expect(try side.put(accepted, "answer") == .ok)
                gate.isOpen = true
                if byRefusal {
                    try side.service.resume(accepted)
                } else {
                    try side.service.setReading(accepted, true)
                }
            }
            #expect(try await rig.server.closed(accepted) == [.remoteClosed])
            #expect(try await rig.server.on { $0.ear.text(accepted) } == "last words")
        }
    }

    @Test("an abort ends a stream whose last input is still refused")
    func abortWhileHeld() async throws {
        try await Rig.with { rig in
            let (stream, accepted) = try await rig.pair()
            try await rig.server.on { side in side.ear.onReceived = { _, _ in .refused(0) } }
            try await rig.client.on { side in
                try side.put(stream, "x")
                try side.service.finish(stream)
            }
            _ = try await rig.client.closed(stream)
            try await rig.server.on { try $0.service.abort(accepted) }
            #expect(try await rig.server.closed(accepted) == [.remoteClosed])
        }
    }

    @Test("a write past the high-water mark says so, and the stream is writable once when it has drained")
    func highWater() async throws {
        var limits = ServiceLimits()
        limits.writeHighWater = 1000
        try await Rig.with(client: limits) { rig in
            let (stream, accepted) = try await rig.pair()
            try await rig.client.on { side in
                let bytes = [UInt8](repeating: 7, count: 999)
                let results = [try side.put(stream, bytes), try side.put(stream, [8]), try side.put(stream, [9])]
                #expect(results == [.ok, .high, .high])
            }
            _ = try await rig.server.consumed(accepted, 1001)
            _ = try await rig.client.when {
                $0.events.contains(.writable(stream))
            } _: { _ in
            }
            try await rig.client.write(stream, "a")
            _ = try await rig.server.consumed(accepted, 1002)
            #expect(try await rig.client.on { $0.ear.events.filter { $0 == .writable(stream) }.count } == 1)
        }
    }

    @Test("writes up to the limit are taken; one byte more is refused, and the stream goes on")
    func writeLimit() async throws {
        var limits = ServiceLimits()
        limits.writeBufferMax = 1000
        try await Rig.with(client: limits) { rig in
            let (stream, accepted) = try await rig.pair()
            try await rig.client.on { side in
                #expect(throws: ServiceError.writeBufferFull(unsent: 0, asked: 1001, limit: 1000)) {
                    try side.put(stream, [UInt8](repeating: 1, count: 1001))
                }
                try side.put(stream, [UInt8](repeating: 1, count: 1000))
                #expect(throws: ServiceError.writeBufferFull(unsent: 1000, asked: 1, limit: 1000)) {
                    try side.put(stream, [2])
                }
                #expect(try side.put(stream, []) == .ok)
            }
            #expect(try await rig.server.consumed(accepted, 1000).count == 1000)
            try await rig.client.write(stream, "again")
            #expect(try await rig.server.consumed(accepted, 1005).count == 1005)
        }
    }

    @Test("a peer that takes nothing cannot keep a finished stream")
    func finishTimeout() async throws {
        var limits = ServiceLimits()
        limits.writeBufferMax = 64 << 20
        limits.finishTimeoutMs = 50
        try await Rig.with(client: limits) { rig in
            let (stream, accepted) = try await rig.pair()
            try await rig.server.on { try $0.service.setReading(accepted, false) }
            try await rig.client.on { side in
                try side.put(stream, [UInt8](repeating: 1, count: 48 << 20))
                try side.service.finish(stream)
            }
            #expect(try await rig.client.closed(stream) == [.finishTimedOut(50)])
        }
    }

    /// What `count` is when it does not change any more while other work goes on beside it.
    private func settled(_ rig: Rig, _ count: @escaping @Sendable () -> Int) async throws -> Int {
        let ping = try await rig.client.connect(try await rig.server.listen())
        _ = try await rig.client.opened(ping)
        let peer = try await rig.server.when {
            $0.acceptedStreams.count == 2
        } _: {
            $0.ear.acceptedStreams[1]
        }
        var last = -1
        var sent = 0
        while true {
            let now = try await rig.worker.call { count() }
            if now == last { return now }
            last = now
            for _ in 0..<50 {
                sent += 1
                try await rig.client.write(ping, "p")
                _ = try await rig.server.consumed(peer, sent)
            }
        }
    }
}

/// Bytes without a short period.
private enum Pattern {
    static let period = 65_521
    static let bytes = (0..<2 * period).map { UInt8(truncatingIfNeeded: ($0 % period) &* 31 &+ ($0 % period) >> 8) }
}

/// Writes the pattern as fast as the stream takes it.
// Safe: used on the worker's loop alone.
private final class Pump: @unchecked Sendable {
    let total: Int
    private let stream: StreamHandle
    private(set) var written = 0

    init(_ stream: StreamHandle, total: Int) {
        self.stream = stream
        self.total = total
    }

    func run(_ side: Side) {
        while written < total {
            let count = min(16_384, total - written)
            let start = written % Pattern.period
            written += count
            do {
                let result = try Pattern.bytes.withUnsafeBytes { bytes in
                    try side.service.write(stream, UnsafeRawBufferPointer(rebasing: bytes[start..<start + count]))
                }
                guard result == .ok else { return }
            } catch {
                Issue.record(error)
                return
            }
        }
    }
}

/// Takes what a ``Pump`` wrote, and checks it, once it is open.
// Safe: used on the worker's loop alone.
private final class Gate: @unchecked Sendable {
    var isOpen = false
    private(set) var checked = 0
    private(set) var isIntact = true

    func check(_ bytes: UnsafeRawBufferPointer) -> Consumption {
        var offset = 0
        while offset < bytes.count {
            let count = min(Pattern.period, bytes.count - offset)
            let start = (checked + offset) % Pattern.period
            let isSame = Pattern.bytes.withUnsafeBytes { pattern in
                memcmp(pattern.baseAddress! + start, bytes.baseAddress! + offset, count) == 0
            }
            if !isSame { isIntact = false }
            offset += count
        }
        checked += bytes.count
        return .consumed(bytes.count)
    }
}
