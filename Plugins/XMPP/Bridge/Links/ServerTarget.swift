package import ProviderKit
package import XMPPSession

/// A server of a partner, to connect to.
package struct ServerTarget: Hashable, Sendable, CustomStringConvertible {
    /// Name or IP literal.
    package var host: String
    package var port: UInt16
    /// TLS from the first byte (XEP-0368).
    package var isDirectTLS: Bool

    /// Makes a target.
    package init(host: String, port: UInt16, isDirectTLS: Bool) {
        self.host = host
        self.port = port
        self.isDirectTLS = isDirectTLS
    }

    package var description: String { "\(self.host):\(self.port)\(self.isDirectTLS ? " (direct TLS)" : "")" }
}

/// The servers of a partner, best first (RFC 6120 §3.2, XEP-0368 §3).
package enum ServerTargets {
    /// Most servers of a partner that are tried.
    package static let targetsMax = 16

    /// The service name for TLS from the first byte (XEP-0368 §3).
    package static let directTLSService = "_xmpps-server._tcp."
    /// The service name for STARTTLS (RFC 6120 §3.2.1).
    package static let startTLSService = "_xmpp-server._tcp."

    /// Where to connect to without asking DNS for services; nil: ask.
    package static func withoutDNS(_ policy: PartnerPolicy) -> [ServerTarget]? {
        guard let proxy = policy.proxy else { return nil }
        let isDirect = policy.directTLS == .required
        let port = proxy.port ?? (isDirect ? XMPPSettings.directTLSPort : XMPPSettings.port)
        return [ServerTarget(host: proxy.host, port: port, isDirectTLS: isDirect)]
    }

    /// The services to ask DNS for.
    package static func services(_ policy: PartnerPolicy) -> (directTLS: Bool, startTLS: Bool) {
        (Self.allowsDirectTLS(policy), policy.directTLS != .required)
    }

    /// The servers that DNS names; empty if it says that the domain has none.
    ///
    /// Records of both services are merged by priority; at the same priority TLS from the first byte goes first. A
    /// domain without records, or whose records could not be had, is asked itself at the standard port
    /// (RFC 6120 §3.2.2).
    ///
    /// - Parameters:
    ///   - directTLS: the answer for ``directTLSService``, in the order in which RFC 2782 wants it tried; nil if it was
    ///     not asked for, or did not come.
    ///   - startTLS: the same for ``startTLSService``.
    ///   - host: the domain as DNS writes it.
    package static func merged(
        directTLS: [DNSRecord]?,
        startTLS: [DNSRecord]?,
        host: String,
        policy: PartnerPolicy
    ) -> [ServerTarget] {
        let services = Self.services(policy)
        let direct = services.directTLS ? directTLS ?? [] : []
        let start = services.startTLS ? startTLS ?? [] : []
        let usable =
            direct.filter(Self.isUsable).map { ($0, true) } + start.filter(Self.isUsable).map { ($0, false) }
        guard !usable.isEmpty else {
            // A lone “.” says that the service is decidedly not offered (RFC 2782).
            let isDenied = services.startTLS ? !start.isEmpty : !direct.isEmpty
            return isDenied ? [] : [Self.fallback(host: host, policy)]
        }
        // A sort that keeps the order of equals: the index decides.
        let sorted = usable.enumerated().sorted {
            ($0.element.0.priority, $0.offset) < ($1.element.0.priority, $1.offset)
        }
        return sorted.prefix(Self.targetsMax).map { _, target in
            ServerTarget(host: target.0.value, port: target.0.port, isDirectTLS: target.1)
        }
    }

    private static func isUsable(_ record: DNSRecord) -> Bool {
        record.value != "." && !record.value.isEmpty && record.port > 0
    }

    private static func fallback(host: String, _ policy: PartnerPolicy) -> ServerTarget {
        policy.directTLS == .required
            ? ServerTarget(host: host, port: XMPPSettings.directTLSPort, isDirectTLS: true)
            : ServerTarget(host: host, port: XMPPSettings.port, isDirectTLS: false)
    }

    private static func allowsDirectTLS(_ policy: PartnerPolicy) -> Bool {
        policy.directTLS != .notSupported && policy.tls != .notSupported
    }
}
