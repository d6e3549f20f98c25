import Foundation
import Lanes
import Testing

@testable import Router

@Suite("A slow receiver at the far socket", .timeLimit(.minutes(1)))
struct SlowReceiverTests {
    /// One peer that sends lines, numbered from 0.
    private struct Sender {
        let socket: TestSocket
        let lines: ArraySlice<UInt8>

        /// Sends until all is sent, or nothing finds room for a while; what is left.
        func send(waitingMs: Int32) -> ArraySlice<UInt8> {
            var rest = lines
            while !rest.isEmpty {
                let count = socket.send(rest, waitingMs: waitingMs)
                guard count > 0 else { break }
                rest = rest.dropFirst(count)
            }
            return rest
        }
    }

    private static let senders = 4
    private static let linesEach = 20_000
    private static let padding = String(repeating: "x", count: 300)

    /// The lines of one sender: 6 MB, more than all buffers of the kernel and the router together hold of it.
    private static func lines(of sender: Int) -> [UInt8] {
        var lines: [UInt8] = []
        for number in 0..<linesEach { lines += Array("sink0@home.test \(sender) \(number) \(padding)\n".utf8) }
        return lines
    }

    @Test(
        "holds the senders with little in memory, and gets everything in order, also from those who left",
        arguments: [64, 4096]
    )
    func holdsSenders(laneCapacity: Int) async throws {
        var limits = RouterLimits()
        limits.laneCapacity = laneCapacity
        try await LineRelay.with(limits: limits) { relay in
            let sink = try relay.sink.accepted()
            let senders = try (0..<Self.senders).map { sender in
                let socket = try TestSocket.connected(to: relay.port, sendBytes: LineRelay.smallBuffer)
                return Sender(socket: socket, lines: Self.lines(of: sender)[...])
            }
            let left = await withTaskGroup(of: (Int, ArraySlice<UInt8>).self) { group in
                for (index, sender) in senders.enumerated() {
                    group.addTask { (index, await onThread { sender.send(waitingMs: 500) }) }
                }
                return await group.reduce(into: [Int: ArraySlice<UInt8>]()) { $0[$1.0] = $1.1 }
            }
            #expect(left.count == Self.senders && left.values.allSatisfy { !$0.isEmpty }, "a sender was not held")
            // In the lane, and offered or taken out of it: nothing else holds an envelope.
            #expect(relay.router.core.pools.outstanding <= laneCapacity + 2 * InstanceRuntime.batchMax)

            async let received = onThread { Received(from: sink, lines: Self.senders * Self.linesEach) }
            await withTaskGroup(of: Void.self) { group in
                for (index, sender) in senders.enumerated() {
                    let rest = left[index] ?? []
                    group.addTask {
                        await onThread {
                            _ = Sender(socket: sender.socket, lines: rest).send(waitingMs: 30_000)
                            sender.socket.finish()
                        }
                    }
                }
            }
            let all = await received
            #expect(all.count == Self.senders * Self.linesEach)
            #expect(all.firstMistake == nil)
        }
    }

    /// What came out, checked.
    private struct Received {
        var count = 0
        /// A line that is not the next of its sender.
        var firstMistake: String?

        init(from socket: TestSocket, lines: Int) {
            var next: [Substring: Int] = [:]
            var buffer: [UInt8] = []
            while count < lines {
                let bytes = socket.receive()
                guard !bytes.isEmpty else { return }
                buffer += bytes
                var start = 0
                while let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
                    let line = String(decoding: buffer[start..<end], as: UTF8.self)
                    let words = line.split(separator: " ")
                    let expected = next[words[0], default: 0]
                    if words.count != 3 || Int(words[1]) != expected || words[2].utf8.count != 300 {
                        firstMistake = firstMistake ?? line
                    }
                    next[words[0]] = expected + 1
                    count += 1
                    start = end + 1
                }
                buffer.removeFirst(start)
            }
        }
    }
}

/// Runs blocking work on a thread of its own.
private func onThread<T: Sendable>(_ work: @escaping @Sendable () -> T) async -> T {
    await withCheckedContinuation { continuation in
        Thread { continuation.resume(returning: work()) }.start()
    }
}
