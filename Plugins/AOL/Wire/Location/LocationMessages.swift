/// 02/02: asks for the limits of profiles.
package struct LocationRightsRequest: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.location, 0x02)
    package init() {}
}

/// 02/03: the limits of profiles.
///
///     TLVs: 0x01 bytes of a profile, 0x02 capabilities, 16 bits each
package struct LocationRights: TLVMessage {
    package static let kind = SNACKind(FoodGroup.location, 0x03)
    package var tlvs: TLVBlock
    package init(tlvs: TLVBlock) { self.tlvs = tlvs }
    /// The most bytes of a profile; nil if it is not said.
    package func profileBytesMax() throws(OSCARWireError) -> UInt16? { try self.tlvs.integer(0x01) }
}

/// A text with its MIME type, as profiles and away texts are.
package struct MIMEText: Hashable, Sendable {
    /// Such as `text/aolrtf; charset="us-ascii"`.
    package var type: String
    package var bytes: [UInt8]

    /// As it came.
    package init(type: String, bytes: [UInt8]) {
        self.type = type
        self.bytes = bytes
    }

    /// Markup for a text, in ASCII or else UTF-16.
    package init(text: String) {
        let (charset, bytes) = Charset.encode(HTMLText.markup(for: text))
        let name = charset == .ascii ? "us-ascii" : "unicode-2-0"
        self.init(type: "text/aolrtf; charset=\"\(name)\"", bytes: bytes)
    }

    /// The text without its markup.
    ///
    /// The type is believed only where it can be true: some servers always say ASCII.
    package var text: String {
        let type = self.type.lowercased()
        // ASCII markup has no zero bytes, UTF-16 markup always has.
        let charset: Charset =
            if type.contains("unicode-2-0") || type.contains("utf-16") || self.bytes.contains(0) {
                .utf16
            } else if type.contains("8859-1") {
                .latin1
            } else {
                .ascii
            }
        return HTMLText.text(of: charset.decode(self.bytes))
    }
}

/// 02/04: sets the user's profile, away text and capabilities.
///
/// What is absent stays as it is.
///
///     TLVs: 0x01 MIME type and 0x02 text of the profile, 0x03 MIME type and 0x04 text of the away text (empty: back),
///     0x05 capabilities
package struct SetLocation: TLVMessage {
    package static let kind = SNACKind(FoodGroup.location, 0x04)
    package var tlvs: TLVBlock
    package init(tlvs: TLVBlock) { self.tlvs = tlvs }

    /// Says what the client can do.
    package init(capabilities: [Capability]) {
        var writer = WireWriter()
        for capability in capabilities { capability.write(to: &writer) }
        self.init(tlvs: TLVBlock([TLV(0x05, writer.bytes)]))
    }

    /// Sets the away text; nil: the user is back.
    package init(away: MIMEText?) {
        var tlvs = TLVBlock()
        if let away { tlvs.append(TLV(0x03, text: away.type)) }
        tlvs.append(TLV(0x04, away?.bytes ?? []))
        self.init(tlvs: tlvs)
    }

    /// What becomes of the away text.
    package enum Away: Hashable, Sendable {
        /// It stays as it is.
        case unchanged
        /// The user is back.
        case back
        /// The user is away.
        case away(MIMEText)
    }

    /// What becomes of the away text.
    package func away() throws(OSCARWireError) -> Away {
        guard let bytes = self.tlvs[0x04] else { return .unchanged }
        if bytes.isEmpty { return .back }
        return .away(MIMEText(type: try self.tlvs.text(0x03, "a MIME type") ?? "", bytes: bytes))
    }

    /// The capabilities; nil: they stay as they are.
    package func capabilities() throws(OSCARWireError) -> [Capability]? {
        guard let value = self.tlvs[0x05] else { return nil }
        var reader = WireReader(value)
        return try Capability.readAll(from: &reader)
    }
}

/// 02/05: asks for a user's profile or away text.
///
/// It counts with the messages against the server's limits.
///
///     2 bits: 1 profile, 2 away text; screen name
package struct UserInfoRequest: SNACMessage {
    package static let kind = SNACKind(FoodGroup.location, 0x05)
    package var mask: UInt16
    package var name: ScreenName
    package init(mask: UInt16, name: ScreenName) {
        self.mask = mask
        self.name = name
    }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.mask = try reader.integer("a mask")
        self.name = try reader.name()
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(self.mask)
        try writer.name(self.name)
    }
}

/// 02/15: asks for a user's profile or away text; cheaper than ``UserInfoRequest``.
///
///     4 bits: 1 profile, 2 away text; screen name
package struct UserInfoQuery: SNACMessage {
    package static let kind = SNACKind(FoodGroup.location, 0x15)
    /// The profile.
    package static let profile: UInt32 = 1
    /// The away text.
    package static let away: UInt32 = 2
    package var mask: UInt32
    package var name: ScreenName
    package init(mask: UInt32, name: ScreenName) {
        self.mask = mask
        self.name = name
    }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.mask = try reader.integer("a mask")
        self.name = try reader.name()
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(self.mask)
        try writer.name(self.name)
    }
}

/// 02/06: a user's profile or away text.
///
///     user info, TLVs: 0x01 to 0x04 as in 02/04
package struct UserInfoReply: SNACMessage {
    package static let kind = SNACKind(FoodGroup.location, 0x06)
    package var user: UserInfo
    package var tlvs: TLVBlock

    /// Puts one together.
    package init(user: UserInfo, profile: MIMEText? = nil, away: MIMEText? = nil) {
        self.user = user
        self.tlvs = TLVBlock()
        if let profile {
            self.tlvs.entries += [TLV(0x01, text: profile.type), TLV(0x02, profile.bytes)]
        }
        if let away { self.tlvs.entries += [TLV(0x03, text: away.type), TLV(0x04, away.bytes)] }
    }

    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.user = try UserInfo(from: &reader)
        self.tlvs = try TLVBlock(from: &reader)
    }

    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        try self.user.write(to: &writer)
        try self.tlvs.write(to: &writer)
    }

    /// The profile; nil if it was not asked for, or there is none.
    package func profile() throws(OSCARWireError) -> MIMEText? { try self.text(0x01) }
    /// The away text; nil if it was not asked for, or there is none.
    package func away() throws(OSCARWireError) -> MIMEText? { try self.text(0x03) }

    private func text(_ tag: UInt16) throws(OSCARWireError) -> MIMEText? {
        guard let bytes = self.tlvs[tag + 1], !bytes.isEmpty else { return nil }
        return MIMEText(type: try self.tlvs.text(tag, "a MIME type") ?? "", bytes: bytes)
    }
}
