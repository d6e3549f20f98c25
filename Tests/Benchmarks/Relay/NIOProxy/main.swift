import NIOCore
import NIOPosix

// The plain proxy: what one writes with swift-nio when nothing else is asked for.
//
//   NIOProxy LISTEN-HOST LISTEN-PORT SINKS-HOST FIRST-SINK-PORT SINKS
//
// A decoder makes lines of the stream, a handler looks the address up in a dictionary and writes the body to the sink's
// channel; what a read brought is flushed when it is complete. One event loop.

/// "ADDRESS BODY\n" as its two parts; the body with its line end.
struct Line {
    var address: String
    var body: ByteBuffer
}

/// Makes lines of bytes.
struct LineDecoder: ByteToMessageDecoder {
    typealias InboundOut = Line

    /// A peer sent a line without an address.
    struct Malformed: Error {}

    mutating func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
        let bytes = buffer.readableBytesView
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else { return .needMoreData }
        guard let space = bytes[..<end].firstIndex(of: UInt8(ascii: " ")),
            let address = buffer.readString(length: space - bytes.startIndex)
        else { throw Malformed() }
        buffer.moveReaderIndex(forwardBy: 1)
        guard let body = buffer.readSlice(length: end - space) else { throw Malformed() }
        context.fireChannelRead(wrapInboundOut(Line(address: address, body: body)))
        return .continue
    }
}

/// The sinks, and the sources that wait while one of them is full.
///
/// Safe to share: everything is on one event loop.
final class Sinks: @unchecked Sendable {
    private var sinks: [String: any Channel] = [:]
    private var sources: [ObjectIdentifier: any Channel] = [:]

    func add(_ address: String, _ channel: any Channel) { sinks[address] = channel }

    func add(source: any Channel) { sources[ObjectIdentifier(source)] = source }

    func remove(source: any Channel) { sources[ObjectIdentifier(source)] = nil }

    func write(_ line: Line) { sinks[line.address]?.write(line.body, promise: nil) }

    func flush() {
        for sink in sinks.values { sink.flush() }
        setReading()
    }

    /// Back-pressure: no source is read while a sink is full.
    func setReading() {
        let isReading = sinks.values.allSatisfy(\.isWritable)
        for source in sources.values { try? source.syncOptions?.setOption(.autoRead, value: isReading) }
    }
}

/// A source's end of the pipeline.
final class SourceHandler: ChannelInboundHandler {
    typealias InboundIn = Line

    private let sinks: Sinks

    init(_ sinks: Sinks) { self.sinks = sinks }

    func channelActive(context: ChannelHandlerContext) { sinks.add(source: context.channel) }

    func channelInactive(context: ChannelHandlerContext) { sinks.remove(source: context.channel) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { sinks.write(unwrapInboundIn(data)) }

    func channelReadComplete(context: ChannelHandlerContext) { sinks.flush() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// A sink's end of the pipeline.
final class SinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let sinks: Sinks

    init(_ sinks: Sinks) { self.sinks = sinks }

    func channelWritabilityChanged(context: ChannelHandlerContext) { sinks.setReading() }
}

let arguments = CommandLine.arguments
guard arguments.count == 6, let port = Int(arguments[2]), let firstSink = Int(arguments[4]),
    let count = Int(arguments[5])
else { fatalError("usage: NIOProxy LISTEN-HOST LISTEN-PORT SINKS-HOST FIRST-SINK-PORT SINKS") }

let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let sinks = Sinks()
for index in 0..<count {
    let sink = try await ClientBootstrap(group: group)
        .channelOption(.tcpOption(.tcp_nodelay), value: 1)
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHandler(SinkHandler(sinks))
            }
        }
        .connect(host: arguments[3], port: firstSink + index)
        .get()
    try await sink.eventLoop.submit { sinks.add("sink\(index)@home.test", sink) }.get()
}
let listener = try await ServerBootstrap(group: group)
    .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
    .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(ByteToMessageHandler(LineDecoder()))
            try channel.pipeline.syncOperations.addHandler(SourceHandler(sinks))
        }
    }
    .bind(host: arguments[1], port: port)
    .get()
try await listener.closeFuture.get()
