import AIMSandbox
import NIOCore
import NIOPosix
import OSCARWire
import Testing

@Suite(.timeLimit(.minutes(1))) struct SocketTests {
    @Test func aLoginGoesOverASocket() async throws {
        let account = Account(name: try ScreenName("Alice Test"), password: "alicepw")
        let server = try await SandboxServer.start(accounts: [account])
        let group = MultiThreadedEventLoopGroup.singleton
        let client = try await ClientBootstrap(group: group).connect(host: "127.0.0.1", port: server.port) { channel in
            channel.eventLoop.makeCompletedFuture {
                try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
            }
        }
        let roasted = zip(Array("alicepw".utf8), bytes("F32681C43986DB")).map { $0 ^ $1 }
        let received = try await client.executeThenClose { input, output in
            try await output.write(
                ByteBuffer(bytes: frame(1, bytes("00000001 0001 000A\"Alice Test\" 0002 0007") + roasted))
            )
            var received: [UInt8] = []
            for try await buffer in input { received += Array(buffer.readableBytesView) }
            return received
        }
        #expect(received.starts(with: bytes("2A 01 0064 0004 00000001 2A 04 0065")))
        var reader = WireReader(Array(received.dropFirst(16)))
        guard case .redirected(let host, _) = try LoginReply(from: &reader).result() else {
            Issue.record("refused")
            return
        }
        #expect(host == "127.0.0.1:\(server.port)")
        try await server.stop()
    }
}
