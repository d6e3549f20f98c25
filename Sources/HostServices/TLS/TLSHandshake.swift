import NIOCore
import NIOSSL

/// One TLS handshake: makes the handler, collects the verdict on the peer's certificate.
///
/// Loop only.
final class TLSHandshake {
    /// What was found out about the peer's certificate, once it is known.
    private(set) var peer: PeerCertificate?
    /// Why the certificate was refused.
    private(set) var refusal: String?
    /// The handler to put first in the pipeline.
    private(set) var handler: NIOSSLHandler?

    private var presentedChain: [[UInt8]] = []
    private let options: TLSOptions
    private let identities: TLSIdentities
    private let eventLoop: any EventLoop

    /// - Throws: ``ServiceError/tlsUnusable(_:)``, ``ServiceError/unknownIdentity(_:)``,
    ///   ``ServiceError/invalidArgument(_:)``.
    init(_ options: TLSOptions, _ identities: TLSIdentities, _ eventLoop: any EventLoop) throws(ServiceError) {
        try Self.check(options)
        self.options = options
        self.identities = identities
        self.eventLoop = eventLoop
        let context = try identities.context(for: options)
        let verify: NIOSSLCustomVerificationCallback = { [weak self] chain, promise in
            guard let self else { return promise.succeed(.failed) }
            self.presented(chain, promise)
        }
        switch options.side {
        case .server:
            self.handler = NIOSSLServerHandler(context: context, customVerificationCallback: verify)
        case .client:
            let name = options.serverName.flatMap { IPAddress($0) == nil ? $0 : nil }
            do {
                self.handler = try NIOSSLClientHandler(
                    context: context,
                    serverHostname: name,
                    customVerificationCallback: verify
                )
            } catch {
                throw .tlsUnusable("server name \"\(name ?? "")\": \(error)")
            }
        }
    }

    /// Refuses options that make no sense, or that no handshake could satisfy.
    static func check(_ options: TLSOptions) throws(ServiceError) {
        if case .client = options.side, case .required(nil) = options.verification, options.serverName == nil {
            throw .invalidArgument("a client that requires a valid certificate must say for which name")
        }
        for name in options.alpn where !(1...255).contains(name.utf8.count) {
            throw .invalidArgument("an ALPN protocol name has 1 to 255 bytes, not \(name.utf8.count)")
        }
    }

    /// To be called when the handshake is complete: `done` gets what it established, or why the peer is refused after all.
    ///
    /// A resumed session does not show the certificate again; it is then judged here.
    func conclude(alpn: String?, _ done: @escaping (Result<TLSInfo, TLSRefusal>) -> Void) {
        guard peer == nil, asksForCertificate, let der = try? handler?.peerCertificate?.toDERBytes() else {
            return finish(alpn, done)
        }
        let bound = NIOLoopBound((self, done), eventLoop: eventLoop)
        examine(identities.chain(of: der)) {
            let (handshake, done) = bound.value
            handshake.finish(alpn, done)
        }
    }

    private func finish(_ alpn: String?, _ done: (Result<TLSInfo, TLSRefusal>) -> Void) {
        if let refusal { return done(.failure(TLSRefusal(reason: refusal))) }
        if case .required = options.verification, peer == nil {
            return done(.failure(TLSRefusal(reason: "the peer showed no certificate")))
        }
        if case .server = options.side { identities.remember(presentedChain) }
        let version = handler?.tlsVersion.map { $0 == .tlsv13 ? "TLSv1.3" : "TLSv1.2" }
        done(.success(TLSInfo(version: version ?? "unknown", alpn: alpn, peer: peer)))
    }

    private var asksForCertificate: Bool {
        if case .server = options.side, case .none = options.verification { return false }
        return true
    }

    private func presented(_ chain: [NIOSSLCertificate], _ promise: EventLoopPromise<NIOSSLVerificationResult>) {
        presentedChain = chain.prefix(PeerVerifier.chainMax + 1).compactMap { try? $0.toDERBytes() }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        examine(presentedChain) {
            promise.succeed(bound.value.refusal == nil ? .certificateVerified : .failed)
        }
    }

    /// Judges off the loop, then notes the verdict and runs `done` on it.
    private func examine(_ chain: [[UInt8]], _ done: @escaping @Sendable () -> Void) {
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let (trust, loop) = (identities.trust, eventLoop)
        Task {
            let peer = await PeerVerifier.examine(chain, trust: trust)
            loop.execute {
                bound.value.note(peer)
                done()
            }
        }
    }

    private func note(_ peer: PeerCertificate) {
        self.peer = peer
        guard case .required(let name) = options.verification else { return }
        if let distrust = peer.distrust {
            refusal = "the peer's certificate is not trusted: \(distrust)"
        } else if let name = name ?? (options.side == .client ? options.serverName : nil), !peer.matches(domain: name) {
            refusal = "the peer's certificate is not for \(name)"
        }
    }
}

/// Why a peer is refused after its handshake.
struct TLSRefusal: Error {
    let reason: String
}
