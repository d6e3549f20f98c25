/// A certificate, as far as a simulation needs one.
public struct SimulatedCertificate: Hashable, Sendable {
    /// The domains that it is valid for; a wildcard stands for the left-most label.
    public var domains: [String]
    /// Its SRVNames, such as `_xmpp-server.example.org`.
    public var services: [String]
    /// Whether its chain ends in a trusted root.
    public var isTrusted: Bool

    /// A certificate for some domains.
    public init(_ domains: String..., services: [String] = [], isTrusted: Bool = true) {
        self.domains = domains
        self.services = services
        self.isTrusted = isTrusted
    }

    /// Whether it is valid for a domain, or for a service of it (RFC 6125).
    func matches(_ domain: String, service: String) -> Bool {
        if !service.isEmpty, services.contains("\(service).\(domain)") { return true }
        return domains.contains { name in
            guard name.hasPrefix("*.") else { return name == domain }
            guard let dot = domain.firstIndex(of: ".") else { return false }
            return domain[dot...] == name.dropFirst()
        }
    }
}

/// One step of a TLS handshake on its way.
struct TLSHello {
    enum Step {
        case client
        case server
        case clientFinished
    }

    var step: Step
    var serverName = ""
    var alpn: [String] = []
    var certificate: SimulatedCertificate?

    /// What somebody reads who expects no TLS.
    static let bytes: [UInt8] = [0x16, 0x03, 0x01, 0x00, 0x05]
}

/// One side of a handshake.
///
/// Pure.
struct TLSSide {
    /// What a handshake brought out.
    struct Info {
        var alpn = ""
        var certificate: SimulatedCertificate?
    }

    /// What a step leads to.
    enum Action {
        /// Send this and wait.
        case reply(TLSHello)
        /// Send this, if anything: the handshake is done.
        case done(TLSHello?, Info)
        case failed(String)
    }

    let isServer: Bool
    var alpn: [String] = []
    /// As client: the server's name.
    var serverName = ""
    /// A peer that cannot prove who it is ends the handshake.
    var isVerified = false
    /// The certificate to present, by the name that the client asks for.
    var certificate: (String) -> SimulatedCertificate? = { _ in nil }
    private var info = Info()

    init(isServer: Bool) {
        self.isServer = isServer
    }

    /// What a client begins with.
    var first: TLSHello { TLSHello(step: .client, serverName: serverName, alpn: alpn) }

    mutating func received(_ hello: TLSHello) -> Action {
        switch hello.step {
        case .client where isServer:
            guard let own = certificate(hello.serverName) else {
                return .failed("no certificate for \(hello.serverName)")
            }
            info.alpn = alpn.first { hello.alpn.contains($0) } ?? ""
            return .reply(
                TLSHello(step: .server, alpn: info.alpn.isEmpty ? [] : [info.alpn], certificate: own)
            )
        case .server where !isServer:
            info = Info(alpn: hello.alpn.first ?? "", certificate: hello.certificate)
            if isVerified, let reason = distrust(hello.certificate) { return .failed(reason) }
            return .done(TLSHello(step: .clientFinished, certificate: certificate("")), info)
        case .clientFinished where isServer:
            info.certificate = hello.certificate
            if isVerified, let reason = distrust(hello.certificate) { return .failed(reason) }
            return .done(nil, info)
        case .client, .server, .clientFinished:
            return .failed("both ends of the connection play the same part")
        }
    }

    private func distrust(_ certificate: SimulatedCertificate?) -> String? {
        guard let certificate else { return "the peer presented no certificate" }
        guard certificate.isTrusted else { return "the certificate is not trusted" }
        guard serverName.isEmpty || isServer || certificate.matches(serverName, service: "") else {
            return "the certificate is not valid for \(serverName)"
        }
        return nil
    }
}
