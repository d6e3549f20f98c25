/// 09/02: asks for the limits of permit and deny lists.
package struct PrivacyRightsRequest: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.privacy, 0x02)
    package init() {}
}

/// 09/03: the limits of permit and deny lists.
///
///     TLVs: 0x01 permitted users, 0x02 denied users, 16 bits each
package struct PrivacyRights: TLVMessage {
    package static let kind = SNACKind(FoodGroup.privacy, 0x03)
    package var tlvs: TLVBlock
    package init(tlvs: TLVBlock) { self.tlvs = tlvs }
    /// The most permitted users; nil if it is not said.
    package func permitMax() throws(OSCARWireError) -> UInt16? { try self.tlvs.integer(0x01) }
    /// The most denied users; nil if it is not said.
    package func denyMax() throws(OSCARWireError) -> UInt16? { try self.tlvs.integer(0x02) }
}

/// 09/04: which classes of users may see this session.
///
///     4 bits, as ``UserInfo/Flags``
package struct SetVisibleClasses: SNACMessage {
    package static let kind = SNACKind(FoodGroup.privacy, 0x04)
    package var mask: UInt32
    package init(mask: UInt32) { self.mask = mask }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.mask = try reader.integer("a mask of classes")
    }
    package func write(to writer: inout WireWriter) { writer.integer(self.mask) }
}

/// 09/05: permits users for this session.
///
///     screen names
package struct AddPermits: SNACMessage {
    package static let kind = SNACKind(FoodGroup.privacy, 0x05)
    package var names: [ScreenName]
    package init(names: [ScreenName]) { self.names = names }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.names = try reader.names("permitted users")
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try writer.names(self.names) }
}

/// 09/06: permits users no longer.
///
///     screen names
package struct RemovePermits: SNACMessage {
    package static let kind = SNACKind(FoodGroup.privacy, 0x06)
    package var names: [ScreenName]
    package init(names: [ScreenName]) { self.names = names }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.names = try reader.names("permitted users")
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try writer.names(self.names) }
}

/// 09/07: denies users for this session.
///
///     screen names
package struct AddDenies: SNACMessage {
    package static let kind = SNACKind(FoodGroup.privacy, 0x07)
    package var names: [ScreenName]
    package init(names: [ScreenName]) { self.names = names }
    package init(from reader: inout WireReader) throws(OSCARWireError) { self.names = try reader.names("denied users") }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try writer.names(self.names) }
}

/// 09/08: denies users no longer.
///
///     screen names
package struct RemoveDenies: SNACMessage {
    package static let kind = SNACKind(FoodGroup.privacy, 0x08)
    package var names: [ScreenName]
    package init(names: [ScreenName]) { self.names = names }
    package init(from reader: inout WireReader) throws(OSCARWireError) { self.names = try reader.names("denied users") }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try writer.names(self.names) }
}
