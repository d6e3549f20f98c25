/// A request was refused: subtype 01 of every food group, with the request's id.
///
///     size  field
///     2     code
///     n     TLVs; 0x0008: a second code, 16 bits
///
/// It does not say which message it is about; the request id has to.
package struct SNACError: Hashable, Sendable {
    /// Why, in general.
    package var code: Code
    /// Why, within the food group: for messages, 0x000F says that the recipient's store is full.
    package var subcode: UInt16?

    /// Puts one together.
    package init(_ code: Code, subcode: UInt16? = nil) {
        self.code = code
        self.subcode = subcode
    }

    /// Reads the body.
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.code = Code(rawValue: try reader.integer("an error's code"))
        self.subcode = try TLVBlock(from: &reader).integer(0x0008)
    }

    /// The whole SNAC.
    package func snac(family: UInt16, requestID: UInt32) throws(OSCARWireError) -> SNAC {
        var writer = WireWriter()
        writer.integer(self.code.rawValue)
        if let subcode = self.subcode { try TLVBlock([TLV(0x0008, integer: subcode)]).write(to: &writer) }
        return SNAC(SNACKind(family, SNACError.subtype), requestID: requestID, body: writer.bytes)
    }

    /// In every food group.
    package static let subtype: UInt16 = 0x01
}

extension SNACError {
    /// Why a request was refused.
    ///
    /// Servers may invent more.
    package struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        package var rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// The server knows no such message.
        package static let invalid = Code(rawValue: 0x01)
        /// Sent too fast.
        package static let rateToHost = Code(rawValue: 0x02)
        /// The other user is not there, unknown, or does not want it.
        package static let notLoggedOn = Code(rawValue: 0x04)
        /// The service is not to be had.
        package static let unavailable = Code(rawValue: 0x05)
        /// The server does not do that.
        package static let notSupported = Code(rawValue: 0x08)
        /// The request may not be made now.
        package static let denied = Code(rawValue: 0x0D)
        /// The body could not be understood.
        package static let bustedPayload = Code(rawValue: 0x0E)
        /// This user may not do that.
        package static let insufficientRights = Code(rawValue: 0x0F)
        /// One's own list forbids it.
        package static let blockedByOwnList = Code(rawValue: 0x10)
        /// Warned too often.
        package static let senderTooEvil = Code(rawValue: 0x11)
        /// The recipient was warned too often.
        package static let recipientTooEvil = Code(rawValue: 0x12)
        /// A list is full.
        package static let listOverflow = Code(rawValue: 0x15)
        /// The queue is full.
        package static let queueFull = Code(rawValue: 0x17)

        package var description: String {
            switch self {
            case .invalid: "the server does not know this request"
            case .rateToHost: "too many requests in a short time"
            case Code(rawValue: 0x03): "the recipient is sent too much in a short time"
            case .notLoggedOn: "the recipient is not signed on, does not exist or does not want it"
            case .unavailable: "the service is not available"
            case Code(rawValue: 0x06): "the service is not defined"
            case Code(rawValue: 0x07): "the request is of an old version"
            case .notSupported: "the server does not support this request"
            case Code(rawValue: 0x09): "the recipient's client does not support it"
            case Code(rawValue: 0x0A): "the recipient's client refused it"
            case Code(rawValue: 0x0B): "the answer would be too large"
            case Code(rawValue: 0x0C): "answers were lost"
            case .denied: "the request is not allowed now"
            case .bustedPayload: "the server could not read the request"
            case .insufficientRights: "the account may not do this"
            case .blockedByOwnList: "the recipient is on the account's own block list"
            case .senderTooEvil: "the account was warned too often"
            case .recipientTooEvil: "the recipient was warned too often"
            case Code(rawValue: 0x13): "the recipient is not available for a while"
            case Code(rawValue: 0x14): "nothing was found"
            case .listOverflow: "a list is full"
            case Code(rawValue: 0x16): "the request has more than one meaning"
            case .queueFull: "the server's queue is full"
            case Code(rawValue: 0x18): "not possible while signed on to AOL"
            default: "error 0x\(hex(self.rawValue))"
            }
        }
    }
}
