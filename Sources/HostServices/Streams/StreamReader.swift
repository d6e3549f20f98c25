import NIOCore

/// Gives a plain stream's channel the memory it reads into: the worker's one read buffer, with what the stream keeps of
/// a partial frame in front.
///
/// So the frame is whole when it is offered and nothing but the partial frame is ever copied, all streams of a worker
/// read into memory that the processor has at hand, and an idle stream owns none. A stream with TLS reads ciphertext,
/// which its TLS handler may keep: it has the library's own memory instead.
///
/// Safe to share: a channel asks for memory on its loop alone, which is the worker's.
struct StreamReader: RecvByteBufferAllocator, @unchecked Sendable {
    /// The first read of a channel: the library keeps its memory as long as the channel lives.
    static let firstReadBytes = 2048

    let worker: Worker
    unowned let stream: Stream

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer {
        guard stream.hasRead else {
            stream.hasRead = true
            return allocator.buffer(capacity: Self.firstReadBytes)
        }
        return worker.takeReadBuffer(behind: stream.input.prefixForRead())
    }

    /// None is known, so that the library asks for memory each time.
    func nextBufferSize() -> Int? { nil }

    /// It may grow each time, for the same reason.
    mutating func record(actualReadBytes: Int) -> Bool { true }
}

extension StreamReader {
    /// Makes a channel read through this reader, once whenever it is readable, as the reader's contract needs.
    func install(in channel: any Channel) throws {
        guard let options = channel.syncOptions else { return }
        try options.setOption(.maxMessagesPerRead, value: 1)
        try options.setOption(.recvAllocator, value: self)
    }

    /// Makes a channel read into memory of its own again.
    static func remove(from channel: any Channel) throws {
        guard let options = channel.syncOptions else { return }
        try options.setOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator())
        try options.setOption(.maxMessagesPerRead, value: 4)
    }
}
