import CPlugboard
import ProviderKit

/// A network in memory, with a time that passes only where a test says so.
///
/// Every call into a provider is an event of its own, as with a real host: none happens inside another.
final class FakeWorld {
    /// One end of a connection that is being listened for.
    struct FakeListener {
        let host: FakeHost
        let handle: UInt64
        let user: UnsafeMutableRawPointer?
        let tls: FakeTLS?
    }

    private struct Event {
        let at: UInt64
        let order: UInt64
        let body: () -> Void
    }

    /// In ms since the world began, which is 2 000 000 000 s after 1970.
    private(set) var nowMs: UInt64 = 0
    private var events: [Event] = []
    private var lastOrder: UInt64 = 0
    var lastHandle: UInt64 = 0
    /// By address and port, such as `192.0.2.1:5269`.
    var listeners: [String: FakeListener] = [:]
    /// Addresses by host name.
    var addresses: [String: String] = [:]
    /// SRV records by full name; nil where the answer never comes as anything but an error.
    var services: [String: [DNSRecord]?] = [:]
    /// Identities whose certificates everybody trusts.
    var trusted: Set<String> = []
    /// Names that the certificate of an identity has, besides its own.
    var names: [String: [String]] = [:]

    static let epochMs: Int64 = 2_000_000_000_000

    func handle() -> UInt64 {
        self.lastHandle += 1
        return self.lastHandle
    }

    /// Has `body` run after a time; all that is due at the same moment runs in the order of posting.
    func post(after ms: UInt64 = 0, _ body: @escaping () -> Void) {
        self.lastOrder += 1
        let event = Event(at: self.nowMs + ms, order: self.lastOrder, body: body)
        let index = self.events.firstIndex { ($0.at, $0.order) > (event.at, event.order) } ?? self.events.endIndex
        self.events.insert(event, at: index)
    }

    /// Lets time pass, and with it all that is due.
    func run(forMs ms: UInt64 = 100) {
        let end = self.nowMs + ms
        while let next = self.events.first, next.at <= end {
            self.events.removeFirst()
            self.nowMs = max(self.nowMs, next.at)
            next.body()
        }
        self.nowMs = end
    }

    /// The listener at a host and port; nil if nobody listens there.
    func listener(host: String, port: UInt16) -> FakeListener? {
        self.listeners["\(self.addresses[host] ?? host):\(port)"]
    }
}

/// What a host does with TLS, in a world where nobody cheats.
struct FakeTLS {
    var identity: String
    var peerName: String
    var alpn: [String]

    init(_ options: plugboard_tls_options_t) {
        self.identity = text(options.identity)
        self.peerName = text(options.peer_name)
        self.alpn = UnsafeBufferPointer(start: options.alpn, count: options.alpn_count).map(text)
    }
}

/// A copy of borrowed bytes, as text.
func text(_ bytes: plugboard_bytes_t) -> String {
    String(decoding: UnsafeBufferPointer(start: bytes.start, count: bytes.count), as: UTF8.self)
}

/// Lends a string's bytes.
func lend<R>(_ string: String, _ body: (plugboard_bytes_t) -> R) -> R {
    var string = string
    return string.withUTF8 { body(plugboard_bytes_t(start: $0.baseAddress, count: $0.count)) }
}
