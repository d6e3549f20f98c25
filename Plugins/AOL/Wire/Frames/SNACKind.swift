/// Which message a SNAC is: its food group and its number within that.
package struct SNACKind: Hashable, Sendable, CustomStringConvertible {
    /// The food group.
    package var family: UInt16
    /// The message within the food group.
    package var subtype: UInt16

    /// Names a message.
    package init(_ family: UInt16, _ subtype: UInt16) {
        self.family = family
        self.subtype = subtype
    }

    /// As the protocol's papers write it: `04/07`.
    package var description: String {
        let numbers = [self.family, self.subtype].map { number in
            number < 0x100 ? hex(UInt8(number)) : hex(number)
        }
        return numbers.joined(separator: "/")
    }
}

/// The food groups that are spoken here.
package enum FoodGroup {
    /// The connection itself: versions, rates, status.
    package static let service: UInt16 = 0x01
    /// Profiles and away texts.
    package static let location: UInt16 = 0x02
    /// Who is there.
    package static let buddy: UInt16 = 0x03
    /// Messages.
    package static let messages: UInt16 = 0x04
    /// Permit and deny lists of the session.
    package static let privacy: UInt16 = 0x09
    /// The contact list that the server stores.
    package static let feedbag: UInt16 = 0x13
    /// Login.
    package static let login: UInt16 = 0x17
}
