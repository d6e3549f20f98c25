/// One entry of the contact list that the server stores.
///
///     size  field
///     2+n   name
///     2     group
///     2     number within the group, or a group's 0
///     2     class
///     2     bytes of attributes
///     n     attributes, as TLVs
package struct FeedbagItem: Hashable, Sendable {
    /// What an entry is.
    package struct Class: RawRepresentable, Hashable, Sendable {
        package var rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// A contact; its name is the screen name.
        package static let buddy = Class(rawValue: 0x00)
        /// A group of contacts, or the root (group 0), which lists the groups.
        package static let group = Class(rawValue: 0x01)
        /// A user who may see and write.
        package static let permit = Class(rawValue: 0x02)
        /// A user who may not.
        package static let deny = Class(rawValue: 0x03)
        /// Which of the two lists is in force.
        package static let privacy = Class(rawValue: 0x04)
        /// The user's choices.
        package static let preferences = Class(rawValue: 0x05)
        /// The user's picture.
        package static let icon = Class(rawValue: 0x14)
    }

    /// The tags of attributes.
    package enum Attribute {
        /// The contact has not agreed yet.
        package static let awaitsAuthorization: UInt16 = 0x66
        /// Numbers of a group's contacts, or of the root's groups, in order.
        package static let order: UInt16 = 0xC8
        /// Choices, as bits.
        package static let preferenceBits: UInt16 = 0xC9
        /// Which of the two lists is in force (``PrivacyMode``).
        package static let privacyMode: UInt16 = 0xCA
        /// Which bits of the choices are chosen at all.
        package static let preferenceMask: UInt16 = 0xD6
        /// The user's own name for the contact, in UTF-8.
        package static let alias: UInt16 = 0x131
        /// A note about the contact, in UTF-8.
        package static let note: UInt16 = 0x13C
    }

    /// Who may see and write (attribute 0xCA).
    package enum PrivacyMode: UInt8, CaseIterable, Sendable {
        case everybody = 1
        case nobody = 2
        case permittedOnly = 3
        case allButDenied = 4
        case buddiesOnly = 5
    }

    /// A bit of the choices: others may see that the user types.
    package static let showsTyping: UInt32 = 0x0040_0000

    /// In UTF-8, as a rule.
    package var nameBytes: [UInt8]
    package var groupID: UInt16
    package var itemID: UInt16
    package var itemClass: Class
    package var attributes: TLVBlock

    /// Puts one together.
    package init(
        _ itemClass: Class,
        name: String,
        groupID: UInt16,
        itemID: UInt16,
        attributes: TLVBlock = TLVBlock()
    ) {
        self.nameBytes = Array(name.utf8)
        self.groupID = groupID
        self.itemID = itemID
        self.itemClass = itemClass
        self.attributes = attributes
    }

    /// The name as text; what is not UTF-8 in it is read as Windows-1252.
    package var name: String { Charset.ascii.decode(self.nameBytes) }

    /// The name as a screen name; nil if it cannot be one.
    package var screenName: ScreenName? { try? ScreenName(bytes: self.nameBytes) }

    /// The numbers of ``Attribute/order``; nil if it is absent or damaged.
    package var order: [UInt16]? {
        guard let value = self.attributes[Attribute.order] else { return nil }
        var reader = WireReader(value)
        return try? reader.numbers("the order of a group")
    }

    /// The user's own name for the contact; nil if there is none.
    package var alias: String? {
        guard let value = self.attributes[Attribute.alias], !value.isEmpty else { return nil }
        return Charset.ascii.decode(value)
    }

    /// Whether the contact has not agreed yet.
    package var awaitsAuthorization: Bool { self.attributes.contains(Attribute.awaitsAuthorization) }

    /// Who may see and write; nil if it is absent or unknown.
    package var privacyMode: PrivacyMode? {
        self.attributes[Attribute.privacyMode].flatMap(\.first).flatMap(PrivacyMode.init(rawValue:))
    }

    /// An attribute for ``order``.
    package static func order(_ numbers: [UInt16]) -> TLV {
        var writer = WireWriter()
        writer.numbers(numbers)
        return TLV(Attribute.order, writer.bytes)
    }

    /// Reads one.
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.nameBytes = try reader.lp16("an item's name")
        self.groupID = try reader.integer("an item's group")
        self.itemID = try reader.integer("an item's number")
        self.itemClass = Class(rawValue: try reader.integer("an item's class"))
        let length: UInt16 = try reader.integer("the length of an item's attributes")
        var part = try reader.part(Int(length), "an item's attributes")
        self.attributes = try TLVBlock(from: &part)
    }

    /// Writes it.
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        try writer.lp16(self.nameBytes, "an item's name")
        writer.integer(self.groupID)
        writer.integer(self.itemID)
        writer.integer(self.itemClass.rawValue)
        try writer.lp16(try self.attributes.encoded(), "an item's attributes")
    }

    static func readAll(from reader: inout WireReader) throws(OSCARWireError) -> [FeedbagItem] {
        var items: [FeedbagItem] = []
        while !reader.isAtEnd { items.append(try FeedbagItem(from: &reader)) }
        return items
    }
}
