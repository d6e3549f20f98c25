import NIOCore
import Testing

@testable import HostServices

@Suite("What a stream keeps between two ticks")
struct StreamBufferTests {
    private func buffer(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    /// Shows input to a delegate that takes `count` bytes; what it saw.
    private func offer(_ input: inout InputBuffer, _ data: ByteBuffer?, taking count: Int) -> String {
        var scratch = ByteBuffer()
        let offer = input.beginOffer(data, scratch: &scratch)
        let seen = String(buffer: offer.buffer)
        input.endOffer(offer, .consumed(count))
        return seen
    }

    private func expect(_ seen: String, _ expected: String, at place: SourceLocation = #_sourceLocation) {
        #expect(seen == expected, sourceLocation: place)
    }

    private func prefix(_ input: inout InputBuffer) throws -> ByteBuffer {
        let prefix = input.prefixForRead()
        return try #require(prefix)
    }

    @Test("a read behind a partial frame is offered with it, once")
    func joinedByRead() throws {
        var input = InputBuffer()
        expect(offer(&input, buffer("one\ntw"), taking: 4), "one\ntw")
        var read = try prefix(&input)
        read.writeString("o\nth")
        expect(offer(&input, read, taking: 4), "two\nth")
        var last = try prefix(&input)
        last.writeString("ree\n")
        expect(offer(&input, last, taking: 6), "three\n")
        let none = input.prefixForRead()
        #expect(none == nil)
        #expect(input.kept.capacity == 0, "a stream without a partial frame owns no memory")
    }

    @Test("a read that brings nothing leaves the partial frame where it was")
    func emptyRead() throws {
        var input = InputBuffer()
        _ = offer(&input, buffer("tw"), taking: 0)
        _ = try prefix(&input)
        #expect(String(buffer: input.kept) == "tw")
        expect(offer(&input, nil, taking: 0), "tw")
        expect(offer(&input, buffer("o"), taking: 3), "two")
    }

    @Test("a read behind a partial frame that has to be held is held once")
    func heldRead() throws {
        var input = InputBuffer()
        _ = offer(&input, buffer("tw"), taking: 0)
        var read = try prefix(&input)
        read.writeString("o")
        input.hold(read)
        expect(offer(&input, nil, taking: 3), "two")
    }

    @Test("reads stand behind partial frames up to the limit, not behind a byte more, nor behind refused input")
    func limits() {
        var input = InputBuffer()
        _ = offer(&input, buffer(String(repeating: "x", count: InputBuffer.joinMax)), taking: 0)
        let longest = input.prefixForRead()
        #expect(longest?.readableBytes == InputBuffer.joinMax)
        var long = InputBuffer()
        _ = offer(&long, buffer(String(repeating: "x", count: InputBuffer.joinMax + 1)), taking: 0)
        let tooLong = long.prefixForRead()
        #expect(tooLong == nil)
        var refused = InputBuffer()
        var scratch = ByteBuffer()
        refused.endOffer(refused.beginOffer(buffer("x"), scratch: &scratch), .refused(0))
        let unwanted = refused.prefixForRead()
        #expect(unwanted == nil)
    }

    @Test("what the kernel does not take stays, in order; what it takes gives the memory back")
    func partialSend() throws {
        var output = OutputBuffer()
        let limits = ServiceLimits()
        for text in ["ab", "cd"] {
            _ = try Array(text.utf8).withUnsafeBytes { try output.append($0, limits) { ByteBuffer() } }
        }
        let afterError = output.sendGathered { _ in -1 }
        let afterPart = output.sendGathered { $0.count - 1 }
        #expect(afterError == nil && afterPart == nil)
        #expect(output.unsent == 1 && output.hasGathered)
        var last = ""
        let memory = output.sendGathered { bytes in
            last = String(decoding: bytes, as: UTF8.self)
            return bytes.count
        }
        #expect(last == "d")
        #expect(memory != nil && output.unsent == 0 && !output.hasGathered)
    }

    @Test("an output past its high-water mark that the kernel takes at once is drained, and says so")
    func drainedAtOnce() throws {
        var output = OutputBuffer()
        var limits = ServiceLimits()
        limits.writeHighWater = 4
        let bytes = [UInt8]("abcd".utf8)
        let result = try bytes.withUnsafeBytes { try output.append($0, limits) { ByteBuffer() } }
        #expect(result == .high)
        _ = output.sendGathered { $0.count }
        let drained = [output.sent(0, limits), output.sent(0, limits)]
        #expect(drained == [true, false])
    }

    @Test("much output is sent early, from the limit on, unless the kernel has no room")
    func earlySend() throws {
        var output = OutputBuffer()
        func append(_ count: Int) throws -> Bool {
            let bytes = [UInt8](repeating: 0x78, count: count)
            _ = try bytes.withUnsafeBytes { try output.append($0, ServiceLimits()) { ByteBuffer() } }
            return output.isEarlySendDue
        }
        #expect(try append(OutputBuffer.earlySendMin - 1) == false)
        #expect(try append(1) == true)
        _ = output.sendGathered { _ in 1 }
        #expect(try append(1) == false, "the kernel had no room")
        _ = output.take()
        #expect(try append(OutputBuffer.earlySendMin) == false, "what the channel has goes first")
    }
}
