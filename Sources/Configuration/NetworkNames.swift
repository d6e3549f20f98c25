internal import Glibc

/// A host and a port: `0.0.0.0:5269`, `[::1]:5060`, `proxy.a.test:8080`.
package struct HostPort: Hashable, Sendable, CustomStringConvertible {
    /// A domain name, or an IP address without brackets.
    package var host: String
    /// 0...65535; 0 lets the system choose where something listens.
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port`; an IPv6 address stands in brackets.
    ///
    /// - Parameter defaultPort: the port when none is written; without it the port is required.
    /// - Returns: `nil` when `text` is anything else.
    package init?(parsing text: String, defaultPort: UInt16? = nil) {
        if let defaultPort, NetworkNames.isIPAddress(text) {
            self.init(host: text, port: defaultPort)
            return
        }
        var host = Substring(text)
        var port = defaultPort
        if let colon = text.lastIndex(of: ":"), text.last != "]" {
            let digits = text[text.index(after: colon)...]
            guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt16(digits) else { return nil }
            host = text[..<colon]
            port = number
        }
        guard let port else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":"), NetworkNames.isIPAddress(String(host)) else { return nil }
        } else {
            guard NetworkNames.isIPv4Address(String(host)) || NetworkNames.isDomain(String(host)) else { return nil }
        }
        self.init(host: String(host), port: port)
    }

    package var description: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }
}

/// Rules for the names of hosts.
package enum NetworkNames {
    /// Longest domain name, in bytes (RFC 1035 §2.3.4, less the root label and first length).
    package static let domainLengthMax = 253
    /// Longest label of a domain name, in bytes (RFC 1035 §2.3.4).
    package static let labelLengthMax = 63

    package static func isIPv4Address(_ text: String) -> Bool {
        // A NUL would end the text for the C function, and hide what follows.
        guard !text.utf8.contains(0) else { return false }
        var address = in_addr()
        return inet_pton(AF_INET, text, &address) == 1
    }

    package static func isIPAddress(_ text: String) -> Bool {
        guard !text.utf8.contains(0) else { return false }
        var address = in6_addr()
        return Self.isIPv4Address(text) || inet_pton(AF_INET6, text, &address) == 1
    }

    /// Whether `text` is a domain name: labels of letters, digits and hyphens, not all digits at the end.
    ///
    /// Letters outside ASCII are allowed, for internationalised names as people write them.
    package static func isDomain(_ text: String) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.domainLengthMax, let last = labels.last else { return false }
        guard !last.allSatisfy({ $0.isASCII && $0.isNumber }) else { return false }
        return labels.allSatisfy { label in
            (1...Self.labelLengthMax).contains(label.utf8.count)
                && label.first != "-" && label.last != "-"
                && label.allSatisfy { $0.isLetter || ($0.isASCII && $0.isNumber) || $0 == "-" }
        }
    }
}
