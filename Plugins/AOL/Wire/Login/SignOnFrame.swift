/// The payload of the first frame of each side of a connection.
///
///     size  field
///     4     version, 1
///     n     TLVs
///
/// The server sends none. A client sends none to log in by digest; its name (0x01), roasted password (0x02) and client
/// (0x03) to log in at once; and the cookie (0x06) on a connection that it was sent to.
package struct SignOnFrame: Hashable, Sendable {
    /// The one version there is.
    package static let version: UInt32 = 1

    /// What follows the version.
    package var tlvs: TLVBlock

    /// Without TLVs, or with those.
    package init(tlvs: TLVBlock = TLVBlock()) {
        self.tlvs = tlvs
    }

    /// Presents the cookie that a server gave for this connection.
    package init(cookie: [UInt8]) {
        self.init(tlvs: TLVBlock([TLV(0x06, cookie)]))
    }

    /// Logs in without a digest: the password is disguised, and anybody can undo that.
    package init(name: ScreenName, password: [UInt8], client: ClientIdentity) {
        var tlvs = TLVBlock([TLV(0x01, text: name.display), TLV(0x02, RoastedPassword.roast(password))])
        tlvs.entries += client.tlvs
        self.init(tlvs: tlvs)
    }

    /// The cookie, if one is presented.
    package var cookie: [UInt8]? { self.tlvs[0x06] }
    /// The password of a login without a digest.
    package var password: [UInt8]? { self.tlvs[0x02].map(RoastedPassword.roast) }

    /// The name of a login without a digest; nil if there is none.
    package func name() throws(OSCARWireError) -> ScreenName? {
        guard let bytes = self.tlvs[0x01] else { return nil }
        return try ScreenName(bytes: bytes)
    }

    /// Reads the payload.
    package init(payload: [UInt8]) throws(OSCARWireError) {
        var reader = WireReader(payload)
        let version: UInt32 = try reader.integer("a FLAP version")
        guard version == SignOnFrame.version else { throw .unknownVersion(version) }
        self.tlvs = try TLVBlock(from: &reader)
    }

    /// The payload.
    package func encoded() throws(OSCARWireError) -> [UInt8] {
        var writer = WireWriter()
        writer.integer(SignOnFrame.version)
        try self.tlvs.write(to: &writer)
        return writer.bytes
    }
}

/// The password of a login on channel 1: combined with a known series of bytes.
package enum RoastedPassword {
    private static let series: [UInt8] = [
        0xF3, 0x26, 0x81, 0xC4, 0x39, 0x86, 0xDB, 0x92, 0x71, 0xA3, 0xB9, 0xE6, 0x53, 0x7A, 0x95, 0x7C,
    ]

    /// Disguises a password, or takes the disguise off.
    package static func roast(_ password: [UInt8]) -> [UInt8] {
        password.enumerated().map { index, byte in byte ^ RoastedPassword.series[index % RoastedPassword.series.count] }
    }
}
