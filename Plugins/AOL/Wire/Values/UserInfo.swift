/// What a server says about a user who is there.
///
///     size  field
///     1+n   screen name
///     2     warning level, in tenths of a percent
///     2     number of TLVs
///     n     TLVs, in any order; a tag may come twice
///
/// | TLV | value |
/// | --- | --- |
/// | 0x01 | flags, 16 bits (``Flags``) |
/// | 0x03 | when the user signed on, seconds since 1970, 32 bits |
/// | 0x04 | idle minutes, 16 bits; only while idle |
/// | 0x05 | member since, seconds since 1970, 32 bits |
/// | 0x06 | status, 32 bits (``Status``) |
/// | 0x0D | capabilities, 16 bytes each |
/// | 0x0F | length of the session, seconds, 32 bits |
/// | 0x14 | number of the session among the user's, 8 bits |
package struct UserInfo: Hashable, Sendable {
    /// Who it is.
    package var name: ScreenName
    /// 0 to 1000.
    package var warning: UInt16
    /// All that is said.
    package var tlvs: TLVBlock

    /// Puts one together.
    package init(name: ScreenName, warning: UInt16 = 0, tlvs: TLVBlock = TLVBlock()) {
        self.name = name
        self.warning = warning
        self.tlvs = tlvs
    }

    /// Reads one.
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.name = try reader.name()
        self.warning = try reader.integer("a warning level")
        self.tlvs = try TLVBlock(countedFrom: &reader)
    }

    /// Writes it.
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        try writer.name(self.name)
        writer.integer(self.warning)
        try self.tlvs.writeCounted(to: &writer)
    }

    /// The user's flags; none if they are not given or too short.
    package var flags: Flags { Flags(rawValue: self.number(0x01, as: UInt16.self) ?? 0) }
    /// The user's status; nothing special if it is not given.
    package var status: Status { Status(rawValue: self.number(0x06, as: UInt32.self) ?? 0) }
    /// Since when the user does nothing, in minutes; nil: not idle.
    package var idleMinutes: UInt16? { self.number(0x04, as: UInt16.self) }
    /// Seconds since 1970.
    package var signedOnAt: UInt32? { self.number(0x03, as: UInt32.self) }
    /// What the user's client can do; nothing if the list is damaged.
    package var capabilities: [Capability] {
        guard let value = self.tlvs[0x0D] else { return [] }
        var reader = WireReader(value)
        return (try? Capability.readAll(from: &reader)) ?? []
    }

    // A number that is damaged says nothing about the rest of the block, so it counts as absent.
    private func number<T: FixedWidthInteger & UnsignedInteger>(_ tag: UInt16, as type: T.Type) -> T? {
        (try? self.tlvs.integer(tag, as: type)) ?? nil
    }
}

extension UserInfo {
    /// What kind of user it is, and whether they are away.
    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// The account is not confirmed.
        package static let unconfirmed = Flags(rawValue: 0x0001)
        /// A user of AIM, and not of AOL.
        package static let free = Flags(rawValue: 0x0010)
        /// The user has set an away text.
        package static let away = Flags(rawValue: 0x0020)
        /// A user of ICQ.
        package static let icq = Flags(rawValue: 0x0040)
        /// On a mobile device.
        package static let wireless = Flags(rawValue: 0x0080)
        /// A program.
        package static let bot = Flags(rawValue: 0x0400)
    }

    /// What a user has chosen to be seen as.
    package struct Status: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32
        package init(rawValue: UInt32) { self.rawValue = rawValue }

        /// Away.
        package static let away = Status(rawValue: 0x0001)
        /// Not to be disturbed.
        package static let doNotDisturb = Status(rawValue: 0x0002)
        /// Not available.
        package static let notAvailable = Status(rawValue: 0x0004)
        /// Busy.
        package static let busy = Status(rawValue: 0x0010)
        /// Glad to talk.
        package static let freeForChat = Status(rawValue: 0x0020)
        /// There, and not shown to others.
        package static let invisible = Status(rawValue: 0x0100)
    }
}
