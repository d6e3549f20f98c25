package import IMModel
package import XMPPWire

/// How a gateway's JIDs stand for the addresses of a network (XEP-0106 §4, XEP-0100 §4.2).
///
/// With a network, `screenname@aim.example.org` is `screenname@aol.com`. Without, the whole address is the local part:
/// `screenname\40aol.com@im.example.org`.
package struct GatewayNames: Hashable, Sendable {
    /// The component's own domain, such as `aim.example.org`.
    package let domain: String
    /// The network's domain, such as `aol.com`; nil: any.
    package let network: String?

    /// Names of a gateway; both domains are prepared.
    package init(domain: String, network: String?) {
        self.domain = domain
        self.network = network
    }

    /// Whether the gateway stands for addresses of a domain.
    package func covers(_ domain: String) -> Bool { self.network == nil || self.network == domain }

    /// The network's address that a JID stands for; nil if it stands for none.
    package func address(of jid: JID) -> Address? {
        guard jid.domain == self.domain, let local = jid.local else { return nil }
        return self.address(of: LocalPartEscaping.unescape(local))
    }

    /// The network's address that a name stands for; nil if it stands for none.
    ///
    /// - Parameter name: what people write, `screenname` or `screenname@aol.com`.
    package func address(of name: String) -> Address? {
        guard !name.isEmpty else { return nil }
        guard name.utf8.contains(UInt8(ascii: "@")) else {
            return self.network.flatMap { Address(user: name, domain: $0) }
        }
        guard let address = Address(name), self.covers(address.domain) else { return nil }
        return address
    }

    /// The name under the gateway's own domain, not escaped; nil for an address of another network.
    package func address(standingFor address: Address) -> Address? {
        guard !address.user.isEmpty, self.covers(address.domain) else { return nil }
        return Address(user: self.network == nil ? address.description : address.user, domain: self.domain)
    }

    /// The JID that stands for an address; nil for an address of another network, or one that no JID can stand for.
    package func jid(of address: Address) -> JID? {
        guard let standing = self.address(standingFor: address) else { return nil }
        return try? JID(local: LocalPartEscaping.escape(standing.user), domain: standing.domain)
    }
}
