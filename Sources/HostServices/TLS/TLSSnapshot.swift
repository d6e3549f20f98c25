import NIOSSL
import SwiftASN1
import X509

/// Everything read from certificate and key files at one moment.
struct TLSSnapshot: Sendable {
    /// One identity, ready to use.
    struct Identity: Sendable {
        var chain: [NIOSSLCertificateSource]
        var key: NIOSSLPrivateKeySource
        var dnsNames: [String]

        func install(_ configuration: inout TLSConfiguration) {
            configuration.certificateChain = chain
            configuration.privateKey = key
        }
    }

    private var identities: [String: Identity] = [:]
    /// Names in the order configured: the first that fits a server name is used.
    private var order: [String] = []
    private var defaultName: String?
    private(set) var trust = CertificateStore.systemTrustRoots

    /// Nothing of our own, the system's authorities.
    init() {}

    init(identities sources: [TLSIdentitySource], defaultName: String?, trust: TrustSource) throws(TLSIdentityError) {
        for source in sources {
            guard identities[source.name] == nil else { throw .duplicateName(source.name) }
            identities[source.name] = try Self.load(source)
            order.append(source.name)
        }
        if let defaultName, identities[defaultName] == nil { throw .unknownDefault(defaultName) }
        self.defaultName = defaultName ?? order.first
        if case .pem(let sources) = trust {
            var roots: [Certificate] = []
            for source in sources { roots += try Self.roots(source) }
            self.trust = CertificateStore(roots)
        }
    }

    /// How many identities there are.
    var count: Int { order.count }

    /// The identity called `name`.
    func identity(_ name: String) throws(ServiceError) -> Identity {
        guard let identity = identities[name] else { throw .unknownIdentity(name) }
        return identity
    }

    /// The identity called `name`, or the default for nil.
    func serverIdentity(_ name: String?) throws(ServiceError) -> Identity {
        guard let name = name ?? defaultName else {
            throw .tlsUnusable("a server needs an identity, and none is configured")
        }
        return try identity(name)
    }

    /// What to show a client that asked for `serverName`: an identity of that name, else one whose certificate names it,
    /// else the default.
    func override(forServerName serverName: String?) -> NIOSSLContextConfigurationOverride {
        guard let serverName = serverName?.lowercased(), let identity = identities[serverName] ?? covering(serverName)
        else { return .noChanges }
        var override = NIOSSLContextConfigurationOverride()
        override.certificateChain = identity.chain
        override.privateKey = identity.key
        return override
    }

    private func covering(_ serverName: String) -> Identity? {
        order.lazy.compactMap { identities[$0] }.first { identity in
            identity.dnsNames.contains { PeerCertificate.dnsName($0, covers: serverName) }
        }
    }

    // MARK: - Reading

    private static func load(_ source: TLSIdentitySource) throws(TLSIdentityError) -> Identity {
        let chainBytes = try read(source.certificateChain)
        let keyBytes = try read(source.key)
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMBytes(chainBytes)
        } catch {
            throw .badCertificate(source.certificateChain.name, reason: "\(error)")
        }
        guard let leaf = chain.first else {
            throw .badCertificate(source.certificateChain.name, reason: "it holds no certificate")
        }
        let key: NIOSSLPrivateKey
        do {
            key = try NIOSSLPrivateKey(bytes: keyBytes, format: .pem)
        } catch {
            // The library's error may quote the file: a key is no matter for a log.
            throw .badKey(source.key.name)
        }
        let identity = Identity(
            chain: chain.map { .certificate($0) },
            key: .privateKey(key),
            dnsNames: (try? PeerVerifier.names(der: leaf.toDERBytes()))?.dns ?? []
        )
        do {
            _ = try NIOSSLContext(
                configuration: .makeServerConfiguration(certificateChain: identity.chain, privateKey: identity.key)
            )
        } catch {
            throw .keyMismatch(identity: source.name)
        }
        return identity
    }

    private static func roots(_ source: PEMSource) throws(TLSIdentityError) -> [Certificate] {
        let bytes = try read(source)
        do {
            return try NIOSSLCertificate.fromPEMBytes(bytes).map { try Certificate(derEncoded: $0.toDERBytes()) }
        } catch {
            throw .badCertificate(source.name, reason: "\(error)")
        }
    }

    private static func read(_ source: PEMSource) throws(TLSIdentityError) -> [UInt8] {
        switch source {
        case .bytes(let bytes): return bytes
        case .file(let path):
            do throws(FileBytes.Unreadable) {
                return try FileBytes.read(path)
            } catch {
                throw .unreadable(path: path, reason: error.reason)
            }
        }
    }
}

extension PEMSource {
    /// For messages.
    fileprivate var name: String {
        switch self {
        case .file(let path): path
        case .bytes: "the given text"
        }
    }
}

/// What is wrong with a configured certificate or key.
package enum TLSIdentityError: Error, Hashable, Sendable {
    case unreadable(path: String, reason: String)
    case badCertificate(String, reason: String)
    case badKey(String)
    case keyMismatch(identity: String)
    case duplicateName(String)
    case unknownDefault(String)
}

extension TLSIdentityError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let path, let reason):
            "\(path) cannot be read: \(reason)"
        case .badCertificate(let file, let reason):
            "\(file) is no PEM certificate chain: \(reason)"
        case .badKey(let file):
            "\(file) is no PEM private key, or is protected by a passphrase: store it without one, readable by us alone"
        case .keyMismatch(let identity):
            "the key of TLS identity \"\(identity)\" does not belong to the first certificate of its chain"
        case .duplicateName(let name):
            "two TLS identities are called \"\(name)\""
        case .unknownDefault(let name):
            "the default TLS identity \"\(name)\" is not configured"
        }
    }
}
