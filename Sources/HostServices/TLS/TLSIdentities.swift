import NIOConcurrencyHelpers
import NIOCore
import NIOSSL
import X509

/// Where PEM text comes from.
package enum PEMSource: Hashable, Sendable {
    case file(String)
    case bytes([UInt8])
}

/// A certificate chain, leaf first, and its private key, under a name.
package struct TLSIdentitySource: Hashable, Sendable {
    package var name: String
    package var certificateChain: PEMSource
    package var key: PEMSource

    package init(name: String, certificateChain: PEMSource, key: PEMSource) {
        self.name = name
        self.certificateChain = certificateChain
        self.key = key
    }
}

/// Which authorities are trusted.
package enum TrustSource: Hashable, Sendable {
    /// The system's.
    case system
    /// These certificates alone.
    case pem([PEMSource])
}

/// Our certificates and the authorities we trust, shared by all workers.
///
/// Any thread.
///
/// Files are read when this is made and at ``reload(identities:defaultName:trust:)``, never on a worker.
package final class TLSIdentities: Sendable {
    /// TLS contexts kept ready; past it they are made anew.
    static let contextsMax = 256

    /// Chains remembered for resumed sessions; past it all are forgotten.
    static let chainsMax = 512

    private struct State {
        var snapshot: TLSSnapshot
        var chains: [[UInt8]: [[UInt8]]] = [:]
        var contexts: [ContextKey: NIOSSLContext] = [:]
    }

    /// What makes two streams share a context.
    private struct ContextKey: Hashable {
        var side: TLSOptions.Side
        var identity: String?
        var alpn: [String]
        var demand: Demand
    }

    /// How a context asks for the peer's certificate.
    private enum Demand: Hashable {
        case nothing
        case optional
        case certificate
    }

    private let state: NIOLockedValueBox<State>

    /// No identity of our own, and the system's authorities.
    package static let none = TLSIdentities(snapshot: TLSSnapshot())

    /// Reads everything.
    ///
    /// - Parameter defaultName: what a server shows when nothing else fits; nil takes the first identity.
    package init(
        identities: [TLSIdentitySource],
        defaultName: String? = nil,
        trust: TrustSource = .system
    ) throws(TLSIdentityError) {
        let snapshot = try TLSSnapshot(identities: identities, defaultName: defaultName, trust: trust)
        self.state = NIOLockedValueBox(State(snapshot: snapshot))
    }

    private init(snapshot: TLSSnapshot) {
        self.state = NIOLockedValueBox(State(snapshot: snapshot))
    }

    /// Reads everything again.
    ///
    /// New handshakes use it from now on; if this throws, the old goes on.
    package func reload(
        identities: [TLSIdentitySource],
        defaultName: String? = nil,
        trust: TrustSource = .system
    ) throws(TLSIdentityError) {
        let snapshot = try TLSSnapshot(identities: identities, defaultName: defaultName, trust: trust)
        state.withLockedValue { $0 = State(snapshot: snapshot) }
    }

    /// The authorities trusted now.
    var trust: CertificateStore { state.withLockedValue { $0.snapshot.trust } }

    /// Remembers the chain (DER, leaf first) of a peer that has proved to hold the leaf's key.
    ///
    /// A session that is resumed later brings the leaf alone.
    func remember(_ chain: [[UInt8]]) {
        guard chain.count > 1 else { return }
        state.withLockedValue { state in
            if state.chains.count >= Self.chainsMax { state.chains = [:] }
            state.chains[chain[0]] = chain
        }
    }

    /// The chain that was shown with `leaf` (DER) before, or the leaf alone.
    func chain(of leaf: [UInt8]) -> [[UInt8]] {
        state.withLockedValue { $0.chains[leaf] } ?? [leaf]
    }

    /// Whether an identity has this name.
    ///
    /// - Throws: ``ServiceError/unknownIdentity(_:)``.
    func check(_ name: String) throws(ServiceError) {
        _ = try state.withLockedValue { $0.snapshot }.identity(name)
    }

    /// The context for streams with these options.
    func context(for options: TLSOptions) throws(ServiceError) -> NIOSSLContext {
        let key = ContextKey(
            side: options.side,
            identity: options.identity,
            alpn: options.alpn,
            demand: Self.demand(options)
        )
        let (known, snapshot) = state.withLockedValue { ($0.contexts[key], $0.snapshot) }
        if let known { return known }
        let made = try Self.makeContext(key, snapshot)
        state.withLockedValue { state in
            if state.contexts.count >= Self.contextsMax { state.contexts = [:] }
            state.contexts[key] = made
        }
        return made
    }

    private static func demand(_ options: TLSOptions) -> Demand {
        switch (options.side, options.verification) {
        // A server always shows its certificate; we judge it ourselves.
        case (.client, _): .optional
        case (.server, .none): .nothing
        case (.server, .record): .optional
        case (.server, .required): .certificate
        }
    }

    private static func makeContext(_ key: ContextKey, _ snapshot: TLSSnapshot) throws(ServiceError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        switch key.side {
        case .client:
            if let name = key.identity { try snapshot.identity(name).install(&configuration) }
        case .server:
            let identity = try snapshot.serverIdentity(key.identity)
            configuration = .makeServerConfiguration(certificateChain: identity.chain, privateKey: identity.key)
            if key.identity == nil, snapshot.count > 1 {
                configuration.sslContextCallback = { hello, promise in
                    promise.succeed(snapshot.override(forServerName: hello.serverHostname))
                }
            }
        }
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = key.alpn
        // Chains are judged by PeerVerifier: the same rules for both sides, and a verdict instead of an alert.
        configuration.trustRoots = .certificates([])
        switch key.demand {
        case .nothing: configuration.certificateVerification = .none
        case .optional: configuration.certificateVerification = .optionalVerification
        case .certificate: configuration.certificateVerification = .noHostnameVerification
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw .tlsUnusable("\(error)")
        }
    }
}
