import NIOConcurrencyHelpers
import NIOCore
import NIOPosix

/// A DNS server on loopback, of which a test says what it answers.
final class TinyDNS: Sendable {
    /// One record's data.
    enum Record: Sendable {
        case a([UInt8])
        case aaaa([UInt8])
        case srv(priority: UInt16, weight: UInt16, port: UInt16, target: String)
        case txt([String])

        var type: UInt16 {
            switch self {
            case .a: 1
            case .txt: 16
            case .aaaa: 28
            case .srv: 33
            }
        }
    }

    /// What becomes of a question.
    enum Reply: Sendable {
        /// Records of the type asked for are picked out; none make "no data".
        case records([Record])
        /// An error, such as 3 for NXDOMAIN.
        case code(UInt8)
        /// Nothing at all.
        case silence
        /// Bytes that are no answer, behind the header.
        case garbage
    }

    private let channel: any Channel
    private let group: MultiThreadedEventLoopGroup
    private let asked: Asked
    let server: String

    /// The names asked for, in order.
    fileprivate final class Asked: Sendable {
        let names = NIOLockedValueBox<[String]>([])
    }

    init(_ replies: [String: Reply]) async throws {
        self.group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let asked = Asked()
        self.asked = asked
        self.channel = try await DatagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Answerer(replies, asked))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        self.server = "127.0.0.1:\(channel.localAddress?.port ?? 0)"
    }

    var names: [String] { asked.names.withLockedValue { $0 } }

    func stop() async throws {
        try await group.shutdownGracefully()
    }

    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = AddressedEnvelope<ByteBuffer>
        typealias OutboundOut = AddressedEnvelope<ByteBuffer>

        private let replies: [String: Reply]
        private let asked: Asked

        init(_ replies: [String: Reply], _ asked: Asked) {
            self.replies = replies
            self.asked = asked
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let envelope = unwrapInboundIn(data)
            guard let answer = answer(envelope.data) else { return }
            let reply = AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: answer)
            context.writeAndFlush(wrapOutboundOut(reply), promise: nil)
        }

        /// Source: RFC 1035 §4.1.
        private func answer(_ query: ByteBuffer) -> ByteBuffer? {
            var query = query
            guard let id = query.readInteger(as: UInt16.self), query.readBytes(length: 10) != nil else { return nil }
            var labels: [String] = []
            while let count = query.readInteger(as: UInt8.self), count > 0 {
                labels.append(query.readString(length: Int(count)) ?? "")
            }
            guard let type = query.readInteger(as: UInt16.self) else { return nil }
            let name = labels.joined(separator: ".")
            asked.names.withLockedValue { $0.append(name) }
            var answer = ByteBuffer()
            func header(_ code: UInt8, _ count: Int) {
                answer.writeMultipleIntegers(
                    id,
                    UInt16(0x8180) | UInt16(code),
                    UInt16(1),
                    UInt16(count),
                    UInt16(0),
                    UInt16(0)
                )
                answer.writeBytes(Self.encoded(name))
                answer.writeMultipleIntegers(type, UInt16(1))
            }
            switch replies[name.lowercased()] ?? .code(3) {
            case .silence: return nil
            case .code(let code): header(code, 0)
            case .garbage:
                header(0, 3)
                answer.writeBytes([0xC0, 0xFF, 1, 2, 3])
            case .records(let records):
                let fitting = records.filter { $0.type == type }
                header(0, fitting.count)
                for record in fitting {
                    let data = Self.data(record)
                    answer.writeMultipleIntegers(UInt16(0xC00C), type, UInt16(1), UInt32(60), UInt16(data.count))
                    answer.writeBytes(data)
                }
            }
            return answer
        }

        private static func data(_ record: Record) -> [UInt8] {
            switch record {
            case .a(let bytes), .aaaa(let bytes): return bytes
            case .txt(let parts): return parts.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
            case .srv(let priority, let weight, let port, let target):
                return [priority, weight, port].flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] } + encoded(target)
            }
        }

        private static func encoded(_ name: String) -> [UInt8] {
            name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
        }
    }
}
