internal import Crypto
internal import Foundation
internal import SwiftASN1
internal import X509

/// An authority that lives as long as this program: both routers trust it, and nobody else does.
struct CertificateAuthority {
    private let key: Certificate.PrivateKey
    private let certificate: Certificate

    /// A certificate and its private key, both PEM.
    struct Identity {
        let certificate: String
        let key: String
    }

    /// How long certificates are valid, in seconds: a day.
    private static let lifetime: TimeInterval = 24 * 3600
    /// How far back they are valid, in seconds: for clocks that were just set.
    private static let leeway: TimeInterval = 3600

    /// Makes a key and a certificate that it signs itself.
    init(name: String) throws {
        let key = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let subject = try DistinguishedName { CommonName(name) }
        certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: key.publicKey,
            notValidBefore: Date(timeIntervalSinceNow: -Self.leeway),
            notValidAfter: Date(timeIntervalSinceNow: Self.lifetime),
            issuer: subject,
            subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true))
                SubjectKeyIdentifier(hash: key.publicKey)
            },
            issuerPrivateKey: key
        )
        self.key = key
    }

    /// What those who are to trust it need, in PEM.
    var pem: String {
        get throws { try certificate.serializeAsPEM().pemString }
    }

    /// A new key, and a certificate that says whose it is.
    ///
    /// The name stands among the alternative ones (RFC 6125 §6.4); servers use one certificate both when they are
    /// called and when they call (XEP-0178), so it is for both purposes.
    func issue(domain: String) throws -> Identity {
        let own = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let issued = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: own.publicKey,
            notValidBefore: certificate.notValidBefore,
            notValidAfter: certificate.notValidAfter,
            issuer: certificate.subject,
            subject: try DistinguishedName { CommonName(domain) },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth, .clientAuth])
                SubjectAlternativeNames([.dnsName(domain)])
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: key.publicKey).keyIdentifier)
            },
            issuerPrivateKey: key
        )
        return Identity(
            certificate: try issued.serializeAsPEM().pemString,
            key: try own.serializeAsPEM().pemString
        )
    }
}
