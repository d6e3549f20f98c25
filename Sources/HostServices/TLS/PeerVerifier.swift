import Crypto
import SwiftASN1
import X509

/// Judges certificate chains.
///
/// Pure but for the present time and the trusted authorities.
enum PeerVerifier {
    /// Certificates of a presented chain that are looked at; more only cost time.
    static let chainMax = 10
    /// Characters of a verdict.
    static let verdictMax = 300

    /// What is to be thought of the chain that a peer presented (DER, leaf first, not empty).
    static func examine(_ chain: [[UInt8]], trust: CertificateStore) async -> PeerCertificate {
        let der = chain.first ?? []
        var peer = PeerCertificate(
            distrust: nil,
            dnsNames: [],
            srvNames: [],
            subjectCommonName: nil,
            sha256: Array(SHA256.hash(data: der))
        )
        guard let leaf = try? Certificate(derEncoded: der) else {
            peer.distrust = "the certificate cannot be understood"
            return peer
        }
        let names = names(leaf)
        peer.dnsNames = names.dns
        peer.srvNames = names.srv
        peer.subjectCommonName = commonName(leaf)
        let intermediates = chain.dropFirst().prefix(chainMax).compactMap { try? Certificate(derEncoded: $0) }
        peer.distrust = await distrust(leaf, CertificateStore(intermediates), trust)
        return peer
    }

    /// The DNS and SRV names of a certificate in DER form.
    static func names(der: [UInt8]) throws -> (dns: [String], srv: [String]) {
        names(try Certificate(derEncoded: der))
    }

    private static func names(_ certificate: Certificate) -> (dns: [String], srv: [String]) {
        var dns: [String] = []
        var srv: [String] = []
        guard let alternatives = try? certificate.extensions.subjectAlternativeNames else { return (dns, srv) }
        for name in alternatives {
            switch name {
            case .dnsName(let text):
                dns.append(text.lowercased())
            case .otherName(let other) where other.typeID == serviceNameOID:
                guard let value = other.value, let text = try? ASN1IA5String(asn1Any: value) else { continue }
                srv.append(String(decoding: text.bytes, as: UTF8.self).lowercased())
            default:
                continue
            }
        }
        return (dns, srv)
    }

    /// The object identifier id-on-dnsSRV (RFC 4985 §2).
    private static let serviceNameOID: ASN1ObjectIdentifier = [1, 3, 6, 1, 5, 5, 7, 8, 7]

    private static func commonName(_ certificate: Certificate) -> String? {
        for part in certificate.subject.flatMap({ $0 }) where part.type == .RDNAttributeType.commonName {
            return String(describing: part.value)
        }
        return nil
    }

    private static func distrust(
        _ leaf: Certificate,
        _ intermediates: CertificateStore,
        _ trust: CertificateStore
    ) async -> String? {
        var verifier = Verifier(rootCertificates: trust) {
            RFC5280Policy()
            KeyPurposePolicy()
        }
        switch await verifier.validate(leaf: leaf, intermediates: intermediates) {
        case .validCertificate:
            return nil
        case .couldNotValidate(let failures):
            let reason =
                if let failure = failures.first {
                    String(describing: failure.policyFailureReason)
                } else if leaf.issuer == leaf.subject {
                    "self-signed, and not itself trusted"
                } else {
                    "no chain to a trusted authority; issued by \(leaf.issuer)"
                }
            return printable(reason)
        }
    }

    /// `text` fit for a log: parts of it come from the peer.
    private static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.prefix(verdictMax).map { $0.value < 0x20 ? " " : $0 }))
    }
}

/// Accepts certificates for TLS servers or clients, in whichever role the peer is: certificates of federated servers
/// often say serverAuth alone, and show themselves as clients too.
///
/// A certificate that says only other purposes is refused.
///
/// Source: RFC 5280 §4.2.1.12.
private struct KeyPurposePolicy: VerifierPolicy {
    let verifyingCriticalExtensions: [ASN1ObjectIdentifier] = [.X509ExtensionID.extendedKeyUsage]

    mutating func chainMeetsPolicyRequirements(chain: UnverifiedCertificateChain) async -> PolicyEvaluationResult {
        guard let leaf = chain.first, let purposes = try? leaf.extensions.extendedKeyUsage else { return .meetsPolicy }
        let isForTLS = purposes.contains { $0 == .serverAuth || $0 == .clientAuth || $0 == .any }
        return isForTLS ? .meetsPolicy : .failsToMeetPolicy(reason: "the certificate is not meant for TLS")
    }
}
