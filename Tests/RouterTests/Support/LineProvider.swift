import PluginHost
import ProviderKit
import Synchronization

@testable import Router

/// A small network with a real socket, for tests in which instances come and go.
///
/// It speaks lines. A peer hands a message in with `M id from to text` and is answered `A id` when the router has it, or
/// `R id reason`. The provider hands one out with `D number again to text`, and the peer answers `K number`. Before it
/// leaves it says `BYE`: the peer then hands nothing in on that stream any more, and closes it when all is answered.
final class LineProvider: Provider {
    static let descriptor = Descriptor(
        id: "org.example.line",
        name: "Lines",
        version: "1.0.0",
        vendor: "Tests",
        capabilities: [Capability("messages")],
        settings: [
            SettingSchema("domain", .string, isRequired: true, help: "The domain that it serves."),
            SettingSchema("port", .integer(0...65535), standard: "0", help: "Where it listens."),
            SettingSchema("mark", .string, standard: "", help: "Tells instances apart."),
            SettingSchema("failure", .string, standard: "", help: "Why it does not start."),
            SettingSchema("adapts", .boolean, standard: "false", help: "Goes on when the home domains change."),
            SettingSchema("secret", .secret, help: "Something that nobody may see."),
        ]
    )

    /// What happens in all instances.
    final class Book: Sendable {
        /// Ports that instances listen at, by mark.
        let ports = Recorder<(mark: String, port: UInt16)>()
        /// `start mark`, `drain mark`, `stop mark`.
        let life = Recorder<String>()
        /// Home domains that an instance was told later, behind its mark.
        let told = Recorder<[String]>()
        /// Messages that were handed to an instance.
        let offered = Recorder<(mark: String, text: String, isAgain: Bool)>()
        /// Nothing is handed out.
        let isHolding = Atomic<Bool>(false)

        func plugin() throws -> Plugin {
            let table = Entry.plugin(LineProvider.self) { [self] host, instance throws(ProviderError) in
                LineProvider(host: host, instance: instance, book: self)
            }
            return try Plugin(path: "linked lines", table: table)
        }

        /// The port of the instance with a mark.
        func port(_ mark: String) async throws -> UInt16 { try await ports.first { $0.mark == mark }.port }
    }

    let host: Host
    let book: Book
    let mark: String
    private let instance: InstanceInfo
    private var peers: [ObjectIdentifier: Peer] = [:]
    private var held: [UInt64: Delivery] = [:]
    private(set) var isDraining = false

    init(host: Host, instance: InstanceInfo, book: Book) {
        self.host = host
        self.instance = instance
        self.book = book
        self.mark = instance.settings["mark"] ?? ""
    }

    convenience init(host: Host, instance: InstanceInfo) throws(ProviderError) {
        throw ProviderError("a line provider needs its book")
    }

    func start() throws(ProviderError) {
        let failure = instance.settings["failure"] ?? ""
        do {
            try host.claim(domain: instance.settings["domain"] ?? "")
            let port = UInt16(instance.settings["port"] ?? "") ?? 0
            let listener = try host.listen(address: "127.0.0.1", port: port) { [weak self] _ in
                guard let self, !isDraining else { return nil }
                let peer = Peer(self)
                peers[ObjectIdentifier(peer)] = peer
                return peer
            }
            guard failure.isEmpty else { throw ProviderError(failure) }
            book.ports.append((mark, listener.port))
        } catch let error as ProviderError {
            throw error
        } catch {
            throw ProviderError("\(error)")
        }
        book.life.append("start \(mark)")
    }

    func deliver(_ delivery: Delivery) -> Bool {
        guard !book.isHolding.load(ordering: .acquiring), !isDraining,
            let peer = peers.values.first(where: { $0.isOpen })
        else { return false }
        let isAgain = delivery.envelope.isRedelivered
        book.offered.append((mark, delivery.envelope.text, isAgain))
        held[delivery.token] = delivery
        peer.write("D \(delivery.token) \(isAgain) \(delivery.envelope.to) \(delivery.envelope.text)")
        return true
    }

    func room() {
        for peer in peers.values { peer.goOn() }
    }

    func drain() {
        isDraining = true
        book.life.append("drain \(mark)")
        for peer in peers.values { peer.write("BYE") }
    }

    func homeDomainsChanged(to domains: [String]) -> Bool {
        book.told.append([mark] + domains)
        return instance.settings["adapts"] == "true"
    }

    func stop() {
        book.life.append("stop \(mark)")
        peers = [:]
        held = [:]
    }

    fileprivate func settle(_ token: UInt64) {
        held.removeValue(forKey: token)?.complete(.delivered)
    }

    fileprivate func opened() { host.ready() }

    fileprivate func closed(_ peer: Peer) { peers[ObjectIdentifier(peer)] = nil }

    /// One connection.
    final class Peer: StreamSession {
        private unowned let provider: LineProvider
        private var stream: ProviderKit.Stream?
        private(set) var isOpen = false

        init(_ provider: LineProvider) {
            self.provider = provider
        }

        func accepted(_ stream: ProviderKit.Stream) { self.stream = stream }

        func opened(_ stream: ProviderKit.Stream, tls: TLSInfo?) {
            isOpen = true
            write("HELLO \(provider.mark)")
            if provider.isDraining { write("BYE") }
            provider.opened()
        }

        func received(_ input: inout ByteReader, on stream: ProviderKit.Stream) {
            while true {
                var ahead = input
                guard let line = ahead.line() else { return }
                guard take(line.split(separator: " ", maxSplits: 4).map(String.init)) else { return }
                input = ahead
            }
        }

        func closed(_ stream: ProviderKit.Stream, reason: CloseReason) {
            isOpen = false
            provider.closed(self)
        }

        func goOn() {}

        func write(_ line: String) { _ = try? stream?.write(Array("\(line)\n".utf8)) }

        /// Carries a line out; false if there is no room for it.
        private func take(_ words: [String]) -> Bool {
            switch words.first {
            case "K":
                if let token = UInt64(words[1]) { provider.settle(token) }
            case "M":
                let envelope = Envelope.message(words[4], from: words[2], to: words[3], id: words[1])
                let submission = try? provider.host.submit(envelope) { [weak self] outcome in
                    self?.write(outcome == .accepted ? "A \(words[1])" : "R \(words[1]) \(outcome.sentence ?? "")")
                }
                guard submission == .taken else { return false }
            default:
                break
            }
            return true
        }
    }
}

extension ByteReader {
    /// The next line without its end; nil if it is not complete.
    mutating func line() -> String? {
        readBytes(through: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
    }
}
