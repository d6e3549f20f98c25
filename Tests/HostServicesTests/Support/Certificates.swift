import Crypto
import Foundation
import HostServices
import SwiftASN1
import X509

/// Certificates made for the tests, once a process.
enum Certificates {
    /// A certificate and its key.
    struct Issued {
        let certificate: Certificate
        let key: P256.Signing.PrivateKey

        var pem: PEMSource { .bytes(Array(((try? certificate.serializeAsPEM().pemString) ?? "").utf8)) }
        var keyPEM: PEMSource { .bytes(Array(key.pemRepresentation.utf8)) }

        func source(_ name: String) -> TLSIdentitySource {
            TLSIdentitySource(name: name, certificateChain: pem, key: keyPEM)
        }
    }

    /// What a leaf is like.
    struct Leaf {
        var dnsNames: [String] = ["a.test"]
        var services: [String] = []
        var commonName = "a leaf"
        var purposes: [ExtendedKeyUsage.Usage] = [.serverAuth]
        var isPurposeCritical = false
        var isExpired = false
    }

    static func authority(_ name: String) throws -> Issued {
        let key = P256.Signing.PrivateKey()
        let subject = try DistinguishedName { CommonName(name) }
        let certificate = try Certificate(
            version: .v3,
            serialNumber: .init(),
            publicKey: .init(key.publicKey),
            notValidBefore: Date().addingTimeInterval(-7200),
            notValidAfter: Date().addingTimeInterval(7200),
            issuer: subject,
            subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try .init {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                Critical(KeyUsage(keyCertSign: true))
            },
            issuerPrivateKey: .init(key)
        )
        return Issued(certificate: certificate, key: key)
    }

    /// A leaf of `authority`, or a self-signed one without.
    static func leaf(_ leaf: Leaf = Leaf(), by authority: Issued?) throws -> Issued {
        let key = P256.Signing.PrivateKey()
        let subject = try DistinguishedName { CommonName(leaf.commonName) }
        let names =
            leaf.dnsNames.map { GeneralName.dnsName($0) }
            + (try leaf.services.map { service in
                GeneralName.otherName(
                    .init(typeID: [1, 3, 6, 1, 5, 5, 7, 8, 7], value: try ASN1Any(erasing: ASN1IA5String(service)))
                )
            })
        let purposes = try ExtendedKeyUsage(leaf.purposes)
        let certificate = try Certificate(
            version: .v3,
            serialNumber: .init(),
            publicKey: .init(key.publicKey),
            notValidBefore: Date().addingTimeInterval(-7200),
            notValidAfter: Date().addingTimeInterval(leaf.isExpired ? -3600 : 3600),
            issuer: authority?.certificate.subject ?? subject,
            subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try .init {
                Critical(BasicConstraints.notCertificateAuthority)
                SubjectAlternativeNames(names)
                try Certificate.Extension(purposes, critical: leaf.isPurposeCritical)
            },
            issuerPrivateKey: .init(authority?.key ?? key)
        )
        return Issued(certificate: certificate, key: key)
    }

    /// The authority that the tests' instances trust, and another.
    static let trusted = Result { try authority("trusted authority") }
    static let other = Result { try authority("other authority") }

    /// Identities that trust the one authority, with `issued` as the default, if any.
    static func identities(_ issued: Issued? = nil) throws -> TLSIdentities {
        try TLSIdentities(
            identities: issued.map { [$0.source("default")] } ?? [],
            trust: .pem([try trusted.get().pem])
        )
    }
}

extension TLSInfo {
    /// Whether the peer proved to be `domain`: a trusted chain and a certificate for that name.
    func proves(domain: String) -> Bool { chainTrusted && (peer?.matches(domain: domain) ?? false) }
}
