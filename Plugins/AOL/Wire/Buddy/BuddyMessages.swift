/// 03/02: asks for the limits of watch lists.
package struct BuddyRightsRequest: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.buddy, 0x02)
    package init() {}
}

/// 03/03: the limits of watch lists.
///
///     TLVs: 0x01 users that may be watched, 0x02 users that may watch, 16 bits each
package struct BuddyRights: TLVMessage {
    package static let kind = SNACKind(FoodGroup.buddy, 0x03)
    package var tlvs: TLVBlock
    package init(tlvs: TLVBlock) { self.tlvs = tlvs }
    /// The most users that may be watched by this session; nil if it is not said.
    package func buddiesMax() throws(OSCARWireError) -> UInt16? { try self.tlvs.integer(0x01) }
}

/// 03/04: watches users for this session, beside those of the stored list.
///
///     screen names
package struct WatchBuddies: SNACMessage {
    package static let kind = SNACKind(FoodGroup.buddy, 0x04)
    package var names: [ScreenName]
    package init(names: [ScreenName]) { self.names = names }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.names = try reader.names("users to watch")
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try writer.names(self.names) }
}

/// 03/05: stops watching users.
///
///     screen names
package struct UnwatchBuddies: SNACMessage {
    package static let kind = SNACKind(FoodGroup.buddy, 0x05)
    package var names: [ScreenName]
    package init(names: [ScreenName]) { self.names = names }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.names = try reader.names("users not to watch")
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try writer.names(self.names) }
}

/// 03/0A: these users cannot be watched.
///
///     screen names
package struct WatchRefused: SNACMessage {
    package static let kind = SNACKind(FoodGroup.buddy, 0x0A)
    package var names: [ScreenName]
    package init(names: [ScreenName]) { self.names = names }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.names = try reader.names("users that cannot be watched")
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try writer.names(self.names) }
}

/// 03/0B: a user is there.
///
/// It is a state, not an event: it comes again with every change.
///
///     user info
package struct BuddyArrived: SNACMessage {
    package static let kind = SNACKind(FoodGroup.buddy, 0x0B)
    package var user: UserInfo
    package init(user: UserInfo) { self.user = user }
    package init(from reader: inout WireReader) throws(OSCARWireError) { self.user = try UserInfo(from: &reader) }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try self.user.write(to: &writer) }
}

/// 03/0C: a user is gone, or hides.
///
///     user info
package struct BuddyDeparted: SNACMessage {
    package static let kind = SNACKind(FoodGroup.buddy, 0x0C)
    package var user: UserInfo
    package init(user: UserInfo) { self.user = user }
    package init(from reader: inout WireReader) throws(OSCARWireError) { self.user = try UserInfo(from: &reader) }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try self.user.write(to: &writer) }
}
