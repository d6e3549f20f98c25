import NIOCore
import Testing

@testable import HostServices

@Suite("Errors in words")
struct ChannelTextTests {
    @Test("what the TLS library says loses its numbers and places")
    func library() {
        let text = "sslError([Error: 268435612 error:1000009c:SSL routines:OPENSSL_internal:HTTP_REQUEST at /a/b.cc:4])"
        #expect(ChannelText.libraryReason(text) == "http request")
        #expect(ChannelText.libraryReason("eof during handshake") == "eof during handshake")
    }

    @Test("addresses have a port, and brackets if they need them")
    func addresses() throws {
        #expect(ChannelText.address(try SocketAddress(ipAddress: "192.0.2.1", port: 5)) == "192.0.2.1:5")
        #expect(ChannelText.address(try SocketAddress(ipAddress: "2001:db8::1", port: 5)) == "[2001:db8::1]:5")
        #expect(ChannelText.address(nil) == "unknown")
    }
}
