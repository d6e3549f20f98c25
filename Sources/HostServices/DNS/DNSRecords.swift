/// What can be asked of DNS.
package enum DNSQuestion: Hashable, Sendable {
    /// A and AAAA records of a host.
    case addresses(String)
    /// SRV records of a full name, such as "_xmpp-server._tcp.example.org" (RFC 2782).
    case services(String)
    /// TXT records.
    case texts(String)

    /// The name asked for.
    package var name: String {
        switch self {
        case .addresses(let name), .services(let name), .texts(let name): name
        }
    }
}

/// An address of a host, in text form.
package enum IPAddress: Hashable, Sendable, CustomStringConvertible {
    case v4(String)
    case v6(String)

    package var description: String {
        switch self {
        case .v4(let text), .v6(let text): text
        }
    }
}

/// One SRV record.
package struct ServiceRecord: Hashable, Sendable {
    package var priority: UInt16
    package var weight: UInt16
    package var port: UInt16
    /// The target host, without the final dot; empty means "not offered here" (RFC 2782, target ".").
    package var target: String

    package init(priority: UInt16, weight: UInt16, port: UInt16, target: String) {
        self.priority = priority
        self.weight = weight
        self.port = port
        self.target = target
    }
}

/// A good answer; never empty.
package enum DNSAnswer: Hashable, Sendable {
    /// IPv6 and IPv4 alternating, IPv6 first.
    case addresses([IPAddress])
    /// In the order in which to try them.
    case services([ServiceRecord])
    /// Each record's strings joined.
    case texts([[UInt8]])
}

/// Why there is no answer.
package enum ResolveError: Error, Hashable, Sendable {
    /// The name, or this kind of record for it, does not exist.
    case notFound
    /// Servers failed or did not answer: ask again later.
    case temporary(String)
    /// This is not a name.
    case invalidName
    /// The answer cannot be understood or has no usable record.
    case badAnswer
    /// The question was withdrawn, or the resolver is shut down.
    case cancelled
}

extension ResolveError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notFound: "no such name or record"
        case .temporary(let reason): "no answer now (\(reason))"
        case .invalidName: "not a valid name"
        case .badAnswer: "the answer is unusable"
        case .cancelled: "cancelled"
        }
    }
}
