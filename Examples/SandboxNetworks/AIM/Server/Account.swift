package import OSCARWire

/// An account of the sandbox, with what the server keeps for it while nobody is signed on.
package struct Account: Sendable {
    /// The name, in its registered form.
    package let name: ScreenName
    /// In clear: a sandbox has no secrets.
    package let password: String
    /// Whether logins are refused as suspended.
    package let isSuspended: Bool

    /// What is digested before the password; always the same one for an account.
    let key: [UInt8]
    /// The stored list, by group and number.
    var items: [ItemID: FeedbagItem] = [:]
    /// When the list was last changed, seconds since 1970; 0: never.
    var listChangedAt: UInt32 = 0
    /// Messages that wait.
    var stored: [StoredMessage] = []

    /// Describes an account.
    package init(name: ScreenName, password: String, isSuspended: Bool = false) {
        self.name = name
        self.password = password
        self.isSuspended = isSuspended
        self.key = Array("key of \(name.normal)".utf8)
    }

    /// What identifies an item of a list.
    struct ItemID: Hashable, Sendable {
        let group: UInt16
        let item: UInt16
    }

    /// A message that waits for its recipient.
    struct StoredMessage: Sendable {
        let sender: ScreenName
        let message: SendMessage
        let sentAt: UInt32
    }

    /// The screen names of all items of a class.
    func names(of itemClass: FeedbagItem.Class) -> Set<ScreenName> {
        Set(self.items.values.filter { $0.itemClass == itemClass }.compactMap(\.screenName))
    }

    /// Who may see and write, by the stored list; everybody without an item that says it.
    var privacyMode: FeedbagItem.PrivacyMode {
        self.items.values.lazy.filter { $0.itemClass == .privacy }.compactMap(\.privacyMode).first ?? .everybody
    }

    /// Whether somebody may neither see nor write to this account.
    ///
    /// A deny list counts in its mode only.
    func blocks(_ other: ScreenName) -> Bool {
        guard other != self.name else { return false }
        return switch self.privacyMode {
        case .everybody: false
        case .nobody: true
        case .permittedOnly: !self.names(of: .permit).contains(other)
        case .allButDenied: self.names(of: .deny).contains(other)
        case .buddiesOnly: !self.names(of: .buddy).contains(other)
        }
    }

    /// Whether others may see that this user types, by the preferences in the list.
    var showsTyping: Bool {
        self.items.values.contains { item in
            guard item.itemClass == .preferences,
                let bits: UInt32 = try? item.attributes.integer(FeedbagItem.Attribute.preferenceBits),
                let mask: UInt32 = try? item.attributes.integer(FeedbagItem.Attribute.preferenceMask)
            else { return false }
            return bits & mask & FeedbagItem.showsTyping != 0
        }
    }
}
