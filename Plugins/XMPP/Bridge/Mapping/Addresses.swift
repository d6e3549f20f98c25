package import IMModel
package import XMPPWire

extension JID {
    /// The router's form of the bare address; nil if the router could not hold it.
    package var address: Address? { Address(user: self.local ?? "", domain: self.domain) }

    /// The same for a JID of a home domain, whose local part may stand for another network's name (XEP-0106 §4).
    package var homeAddress: Address? {
        Address(user: LocalPartEscaping.unescape(self.local ?? ""), domain: self.domain)
    }

    /// The JID of a router's address; a device that is no resource is left out.
    ///
    /// - Throws: ``BridgeError/badAddress(_:_:)``
    package init(_ address: Address, device: String = "") throws(BridgeError) {
        try self.init(address, user: address.user, device: device)
    }

    /// The JID of a home user's address, whose name need not be one of XMPP's (XEP-0106 §4).
    ///
    /// - Throws: ``BridgeError/badAddress(_:_:)``
    package init(home address: Address, device: String = "") throws(BridgeError) {
        try self.init(address, user: LocalPartEscaping.escape(address.user), device: device)
    }

    private init(_ address: Address, user: String, device: String) throws(BridgeError) {
        let bare: JID
        do throws(JIDError) {
            bare = try JID(local: user.isEmpty ? nil : user, domain: address.domain)
        } catch {
            throw .badAddress(address.description, error)
        }
        self = device.isEmpty ? bare : (try? bare.with(resource: device)) ?? bare
    }
}

extension Envelope {
    /// An envelope between the addresses of a stanza; nil if one is missing or the router could not hold it.
    init?(_ stanza: Stanza, id: String = "", content: Content) {
        guard let from = stanza.from, let to = stanza.to, let sender = from.address, let receiver = to.homeAddress
        else {
            return nil
        }
        self.init(from: sender, to: receiver, id: id, content: content)
        self.fromDevice = from.resource ?? ""
        self.toDevice = to.resource ?? ""
    }
}
