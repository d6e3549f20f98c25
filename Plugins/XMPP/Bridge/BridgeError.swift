package import XMPPWire

/// Why the bridge cannot turn one thing into another.
package enum BridgeError: Error, Hashable, Sendable {
    /// The router's address has no XMPP form.
    case badAddress(String, JIDError)
    /// An envelope of a kind that federation does not carry; the kind's name.
    case unsupportedKind(String)
    /// A setting that is neither `host` nor `host:port` as its place demands.
    case badHostAndPort(String)
}

extension BridgeError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .badAddress(let address, let error): "\(address) is no XMPP address: \(error)"
        case .unsupportedKind(let kind): "XMPP federation does not carry envelopes of the kind \(kind)"
        case .badHostAndPort(let text):
            "\"\(text)\" is not a host and a port; write 192.0.2.1:5269, [2001:db8::1]:5269 or xmpp.example.org:5269"
        }
    }
}
