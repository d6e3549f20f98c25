import NIOCore
import Testing

@testable import HostServices

@Suite("What a closed stream leaves behind", .timeLimit(.minutes(1)))
struct LifetimeTests {
    // Safe: used on the worker's loop alone.
    private final class Watched: @unchecked Sendable {
        weak var stream: Stream?
        weak var channel: (any Channel)?

        init(_ side: Side, _ handle: StreamHandle) {
            stream = side.service.streams[handle]
            channel = stream?.channel
        }

        var isGone: Bool { stream == nil && channel == nil }
    }

    @Test("nothing, plain or with TLS, finished or aborted", arguments: [true, false], [true, false])
    func nothing(isSecure: Bool, isAborted: Bool) async throws {
        let leaf = try Certificates.leaf(by: try Certificates.trusted.get())
        try await Rig.with(
            serverTLS: try Certificates.identities(leaf),
            clientTLS: try Certificates.identities()
        ) { rig in
            let server = TLSOptions(side: .server, verification: .none)
            let client = TLSOptions(side: .client, serverName: "a.test", verification: .required(name: nil))
            let port = try await rig.server.listen(tls: isSecure ? server : nil)
            let stream = try await rig.client.connect(port, tls: isSecure ? client : nil)
            let accepted = try await rig.server.accepted()
            _ = try await rig.client.opened(stream)
            let ours = try await rig.client.on { Watched($0, stream) }
            let theirs = try await rig.server.on { Watched($0, accepted) }
            #expect(try await rig.worker.call { !ours.isGone && !theirs.isGone })
            try await rig.client.on { side in
                try side.put(stream, "x")
                if isAborted { try side.service.abort(stream) } else { try side.service.finish(stream) }
            }
            _ = try await rig.client.closed(stream)
            _ = try await rig.server.closed(accepted)
            // The library lets go of a closed channel in a later task of its own.
            for _ in 0..<3 { try await rig.worker.call {} }
            #expect(try await rig.worker.call { ours.isGone && theirs.isGone })
        }
    }
}
