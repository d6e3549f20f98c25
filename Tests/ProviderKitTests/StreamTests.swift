import CPlugboard
import Testing

@testable import ProviderKit

@Suite("Streams of a provider")
struct StreamTests {
    @Test("a stream is opened, read in parts, and its session freed when it closes")
    func life() throws {
        let lab = Lab()
        weak var session: Ear?
        var events: [String] = []
        do {
            let ear = Ear()
            session = ear
            let stream = try lab.host.connect(to: "chat.example", port: 5222, timeout: 9, inputMax: 10, session: ear)
            #expect(lab.fake.calls == ["connect chat.example 5222 9 10"])
            #expect(lab.fake.tlsOptions.isEmpty)
            lab.fake.tellOpened(1)
            #expect(ear.stream === stream)
            #expect(ear.tls == nil)
            ear.appetite = 3
            #expect(lab.fake.tellReceived(1, "hello") == 3)
            ear.appetite = 0
            #expect(lab.fake.tellReceived(1, "lo") == 0)
            ear.appetite = .max
            #expect(lab.fake.tellReceived(1, "lo you") == 6)
            lab.fake.calling.writable(lab.fake.instance, 1, lab.fake.users[1])
            lab.fake.tellClosed(1, PLUGBOARD_CLOSED_TIMEOUT, "too slow")
            events = ear.events
        }
        #expect(
            events == ["opened", "received hel", "received ", "received lo you", "writable", "closed timeout too slow"]
        )
        #expect(session == nil)
    }

    @Test("a connect that is refused throws and frees the session")
    func refusedConnect() {
        let lab = Lab()
        lab.fake.status = PLUGBOARD_E_UNSUPPORTED
        weak var session: Ear?
        do {
            let ear = Ear()
            session = ear
            #expect(throws: HostError.unsupported) {
                try lab.host.connect(to: "chat.example", port: 1, session: ear)
            }
        }
        #expect(session == nil)
    }

    @Test("a connect that fails later frees the session too")
    func failedConnect() throws {
        let lab = Lab()
        weak var session: Ear?
        do {
            let ear = Ear()
            session = ear
            _ = try lab.host.connect(to: "chat.example", port: 1, session: ear)
            lab.fake.tellClosed(1, PLUGBOARD_CLOSED_NAME_FAILED, "no such name")
            #expect(ear.events == ["closed nameFailed no such name"])
        }
        #expect(session == nil)
    }

    @Test(
        "each cause of an end is told as it is, and an unknown one as an error",
        arguments: [
            (UInt32(1), CloseReason.Cause.byPeer), (2, .byUs), (3, .connectFailed), (4, .nameFailed), (5, .timeout),
            (6, .tls), (7, .protocolViolation), (8, .error), (0, .error), (99, .error),
        ]
    )
    func causes(number: UInt32, cause: CloseReason.Cause) throws {
        let lab = Lab()
        let ear = Ear()
        _ = try lab.host.connect(to: "chat.example", port: 1, session: ear)
        lab.fake.tellClosed(1, number)
        #expect(ear.events == ["closed \(cause) gone"])
    }

    @Test("connections that come in get a session, or are turned away")
    func accepting() throws {
        let lab = Lab()
        var next: Ear? = Ear()
        var peers: [String] = []
        let listener = try lab.host.listen(address: "127.0.0.1", port: 0, streamsMax: 5, inputMax: 6) { incoming in
            peers.append(incoming.peerAddress)
            return next
        }
        #expect(listener.port == 4242)
        #expect(lab.fake.calls == ["listen 127.0.0.1 0 5 6"])
        weak let session = next
        let stream = try #require(lab.fake.tellAccepted(by: 1))
        next = nil
        #expect(lab.fake.tellAccepted(by: 1) == nil)
        #expect(peers == ["192.0.2.1:5269", "192.0.2.1:5269"])
        #expect(lab.fake.tellReceived(stream, "hi") == 2)
        #expect(session?.events == ["received hi"])
        lab.fake.tellClosed(stream)
        #expect(session == nil)
    }

    @Test("a listener that is closed accepts nothing more and frees its closure")
    func closingAListener() throws {
        final class Token {}
        let lab = Lab()
        weak var token: Token?
        do {
            let strong = Token()
            token = strong
            let listener = try lab.host.listen(address: "", port: 5269) { _ in
                _ = strong
                return nil
            }
            listener.close()
        }
        #expect(lab.fake.calls == ["listen  5269 0 0", "close_listener 1"])
        #expect(token == nil)
    }

    @Test("a listen that is refused throws and frees its closure")
    func refusedListen() {
        final class Token {}
        let lab = Lab()
        lab.fake.status = PLUGBOARD_E_SYSTEM
        weak var token: Token?
        do {
            let strong = Token()
            token = strong
            #expect(throws: HostError.system) {
                try lab.host.listen(address: "", port: 1) { _ in
                    _ = strong
                    return nil
                }
            }
        }
        #expect(token == nil)
    }

    @Test("what is asked of a stream reaches the host under its handle")
    func use() throws {
        let lab = Lab()
        let stream = try lab.host.connect(to: "h", port: 1, session: Ear())
        #expect(try stream.write(Array("one".utf8)) == .ok)
        #expect(try stream.write([]) == .ok)
        lab.fake.status = PLUGBOARD_HIGH
        #expect(try stream.write(Array("two".utf8)) == .high)
        #expect(stream.certificateMatches(domain: "example.org", service: "_xmpp-server"))
        lab.fake.status = PLUGBOARD_OK
        #expect(!stream.certificateMatches(domain: "example.org"))
        stream.setReading(false)
        stream.setReading(true)
        stream.finish()
        stream.abort()
        #expect(stream.peerAddress == "192.0.2.1:5269")
        #expect(
            lab.fake.calls.dropFirst() == [
                "write 1 one", "write 1 ", "write 1 two", "certificate_matches 1 example.org _xmpp-server",
                "certificate_matches 1 example.org ", "set_reading 1 0", "set_reading 1 1", "finish 1", "abort 1",
            ]
        )
    }

    @Test("a stream that is gone says so")
    func gone() throws {
        let lab = Lab()
        let stream = try lab.host.connect(to: "h", port: 1, session: Ear())
        lab.fake.status = PLUGBOARD_E_HANDLE
        #expect(throws: HostError.unknownHandle) { try stream.write([1]) }
        #expect(throws: HostError.unknownHandle) { try stream.startTLS(TLSOptions()) }
        #expect(!stream.certificateMatches(domain: "example.org"))
        #expect(stream.peerAddress == "")
    }

    @Test("TLS options cross whole, with connect, listen and STARTTLS")
    func tlsOptions() throws {
        let lab = Lab()
        let options = TLSOptions(verification: .record, identity: "main", peerName: "chat.example", alpn: ["a/1", "b"])
        let stream = try lab.host.connect(to: "h", port: 1, tls: options, session: Ear())
        _ = try lab.host.listen(address: "", port: 0, tls: TLSOptions()) { _ in nil }
        try stream.startTLS(options)
        let seen = lab.fake.tlsOptions
        try #require(seen.count == 3)
        #expect(seen[0].verification == PLUGBOARD_TLS_VERIFY_RECORD)
        #expect((seen[0].identity, seen[0].peerName) == ("main", "chat.example"))
        #expect(seen[0].alpn == ["a/1", "b"])
        #expect(seen[1].verification == PLUGBOARD_TLS_VERIFY_REQUIRED)
        #expect((seen[1].identity, seen[1].peerName, seen[1].alpn) == ("", "", []))
        #expect(seen[2] == seen[0])
    }

    @Test("what TLS brought out is told with the opening")
    func tlsInfo() throws {
        let lab = Lab()
        let ear = Ear()
        _ = try lab.host.connect(to: "h", port: 1, tls: TLSOptions(), session: ear)
        withBytes("TLSv1.3") { version in
            withBytes("unknown root") { reason in
                var info = plugboard_tls_info_t()
                info.struct_size = structSize(plugboard_tls_info_t.self)
                info.flags = PLUGBOARD_TLS_HAS_CERTIFICATE
                info.version = version
                info.untrusted_reason = reason
                lab.fake.tellOpened(1, tls: &info)
            }
        }
        let expected = TLSInfo(
            version: "TLSv1.3",
            alpn: "",
            hasCertificate: true,
            isTrusted: false,
            untrustedReason: "unknown root"
        )
        #expect(ear.tls == expected)
    }

    @Test("a call about a stream that carries nothing is taken and dropped")
    func withoutUser() {
        let lab = Lab()
        lab.fake.tellOpened(9)
        #expect(lab.fake.tellReceived(9, "abc") == 3)
        lab.fake.calling.writable(lab.fake.instance, 9, nil)
        lab.fake.tellClosed(9)
        var user: UnsafeMutableRawPointer?
        #expect(lab.fake.calling.accepted(lab.fake.instance, 9, nil, &user) == 0)
        #expect(user == nil)
    }
}
