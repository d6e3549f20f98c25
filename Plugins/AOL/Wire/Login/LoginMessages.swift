/// 17/06: asks for the key of a login by digest.
///
///     TLVs: 0x01 screen name
package struct ChallengeRequest: TLVMessage {
    package static let kind = SNACKind(FoodGroup.login, 0x06)
    package var tlvs: TLVBlock

    /// Asks for a name's key.
    package init(name: ScreenName) { self.init(tlvs: TLVBlock([TLV(0x01, text: name.display)])) }
    package init(tlvs: TLVBlock) { self.tlvs = tlvs }

    /// Whose key is asked for.
    package func name() throws(OSCARWireError) -> ScreenName {
        guard let bytes = self.tlvs[0x01] else { throw .missingTLV(tag: 0x01, message: "17/06") }
        return try ScreenName(bytes: bytes)
    }
}

/// 17/07: the key of a login by digest.
///
///     size  field
///     2+n   key
package struct Challenge: SNACMessage {
    package static let kind = SNACKind(FoodGroup.login, 0x07)
    /// To be digested before the password.
    package var key: [UInt8]

    /// Gives a key.
    package init(key: [UInt8]) { self.key = key }
    package init(from reader: inout WireReader) throws(OSCARWireError) { self.key = try reader.lp16("a login key") }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try writer.lp16(self.key, "a login key") }
}

/// 17/02: logs in by digest.
///
///     TLVs: 0x01 screen name, 0x25 digest, 0x4C empty: the digest is the hashed one, 0x4A: may others be signed on, and
///     the client's
package struct LoginRequest: TLVMessage {
    package static let kind = SNACKind(FoodGroup.login, 0x02)
    package var tlvs: TLVBlock

    /// What becomes of other sessions of the account (TLV 0x4A).
    package enum Sessions: UInt8, Sendable {
        /// They are ended.
        case one = 0
        /// They stay.
        case several = 1
        /// They are ended, with a reason.
        case oneWithReason = 3
    }

    /// Logs in.
    package init(
        name: ScreenName,
        digest: [UInt8],
        style: PasswordDigest,
        client: ClientIdentity,
        sessions: Sessions?
    ) {
        var tlvs = TLVBlock([TLV(0x01, text: name.display), TLV(0x25, digest)])
        if style == .hashed { tlvs.append(TLV(0x4C)) }
        tlvs.entries += client.tlvs
        if let sessions { tlvs.append(TLV(0x4A, integer: sessions.rawValue)) }
        self.init(tlvs: tlvs)
    }
    package init(tlvs: TLVBlock) { self.tlvs = tlvs }

    /// Who logs in.
    package func name() throws(OSCARWireError) -> ScreenName {
        guard let bytes = self.tlvs[0x01] else { throw .missingTLV(tag: 0x01, message: "17/02") }
        return try ScreenName(bytes: bytes)
    }
    /// The digest; nil if there is none.
    package var digest: [UInt8]? { self.tlvs[0x25] }
    /// What TLV 0x4A says; nil if it is absent.
    package func sessions() throws(OSCARWireError) -> UInt8? { try self.tlvs.integer(0x4A) }
}

/// 17/03: the end of a login; also the payload of the frame on channel 4 that answers a login on channel 1.
///
///     TLVs: 0x01 name as typed, and 0x05 host:port, 0x06 cookie; or 0x08 why not, 16 bits, 0x04 an address to read more
package struct LoginReply: TLVMessage {
    package static let kind = SNACKind(FoodGroup.login, 0x03)
    package var tlvs: TLVBlock
    package init(tlvs: TLVBlock) { self.tlvs = tlvs }

    /// The account may sign on, there and with this cookie.
    package init(name: String, host: String, cookie: [UInt8]) {
        self.init(
            tlvs: TLVBlock([
                TLV(0x01, text: name), TLV(0x05, text: host), TLV(0x06, cookie), TLV(0x8E, integer: UInt8(0)),
            ])
        )
    }

    /// The account may not.
    package init(name: String?, failure: LoginFailure) {
        self.init(tlvs: TLVBlock(name.map { [TLV(0x01, text: $0)] } ?? []))
        self.tlvs.append(TLV(0x08, integer: failure.rawValue))
    }

    /// What a login comes to.
    package enum Result: Hashable, Sendable {
        /// Sign on at `host`, which is `host:port` or a host alone, with `cookie`.
        case redirected(host: String, cookie: [UInt8])
        /// The login is refused.
        case refused(LoginFailure)
    }

    /// What it came to.
    ///
    /// - Throws: ``OSCARWireError/missingTLV(tag:message:)`` if it says neither.
    package func result() throws(OSCARWireError) -> Result {
        if let failure: UInt16 = try self.tlvs.integer(0x08) { return .refused(LoginFailure(rawValue: failure)) }
        guard let host = try self.tlvs.text(0x05, "the address to sign on at") else {
            throw .missingTLV(tag: 0x05, message: "A login's reply")
        }
        guard let cookie = self.tlvs[0x06] else { throw .missingTLV(tag: 0x06, message: "A login's reply") }
        return .redirected(host: host, cookie: cookie)
    }
}

/// Why a login was refused (TLV 0x08).
///
/// Servers may invent more.
package struct LoginFailure: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package var rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// There is no such account.
    package static let unknownName = LoginFailure(rawValue: 0x01)
    /// The password is wrong.
    package static let wrongPassword = LoginFailure(rawValue: 0x05)
    /// The account was deleted.
    package static let deleted = LoginFailure(rawValue: 0x08)
    /// The account has expired.
    package static let expired = LoginFailure(rawValue: 0x09)
    /// The account is suspended.
    package static let suspended = LoginFailure(rawValue: 0x11)
    /// AOL's other number for ``tooFast``.
    package static let tooManyConnections = LoginFailure(rawValue: 0x18)
    /// Too many logins from this address in a short time.
    package static let tooFast = LoginFailure(rawValue: 0x1D)
    /// The account is suspended for its user's age.
    package static let suspendedForAge = LoginFailure(rawValue: 0x22)

    package var description: String {
        switch self {
        case .unknownName: "there is no account of this name"
        case LoginFailure(rawValue: 0x04), .wrongPassword: "the password is wrong"
        case .deleted: "the account was deleted, or never was"
        case .expired: "the account has expired"
        case .suspended: "the account is suspended"
        case .suspendedForAge: "the account is suspended for its user's age"
        case .tooManyConnections, .tooFast: "too many logins from this address in a short time"
        default: "error 0x\(hex(self.rawValue))"
        }
    }
}

/// The payload of a frame on channel 4 within a session: why it ends.
///
///     TLVs: 0x09 reason, 8 or 16 bits, 0x0B an address to read more; or none
package struct SignOff: Hashable, Sendable {
    /// What the server said.
    package var tlvs: TLVBlock

    /// Signed on elsewhere, sent too fast, or an administrator's wish: the number says no more.
    package static let kicked: UInt16 = 0x0001

    /// Puts one together.
    package init(tlvs: TLVBlock = TLVBlock()) { self.tlvs = tlvs }

    /// Reads the payload.
    package init(payload: [UInt8]) throws(OSCARWireError) {
        var reader = WireReader(payload)
        self.tlvs = try TLVBlock(from: &reader)
    }

    /// The reason; nil if none is given.
    package var reason: UInt16? {
        guard let value = self.tlvs[0x09], (1...2).contains(value.count) else { return nil }
        return value.reduce(0) { $0 << 8 | UInt16($1) }
    }
}
