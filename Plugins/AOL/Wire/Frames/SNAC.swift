/// One SNAC: the payload of a data frame.
///
///     offset  size  field
///     0       2     food group
///     2       2     subtype
///     4       2     flags
///     6       4     request id: a reply has its request's
///     10      n     body
///
/// With the flag 0x8000, the body begins with a block of TLVs that is not the message's: its length in 16 bits, and the
/// TLVs.
package struct SNAC: Hashable, Sendable {
    /// Further parts of the same answer follow.
    package static let moreFollows: UInt16 = 0x0001
    /// A block of TLVs comes before the body.
    package static let hasPreamble: UInt16 = 0x8000
    /// The request id of what a server sends on its own.
    package static let serverStarted: UInt32 = 0x8000_0000

    /// Which message it is.
    package var kind: SNACKind
    /// Without ``hasPreamble``, which follows from ``preamble``.
    package var flags: UInt16
    /// Not unique: typing states are passed on with their sender's.
    package var requestID: UInt32
    /// The TLVs before the body; nil if there is no such block.
    package var preamble: TLVBlock?
    /// The message.
    package var body: [UInt8]

    /// Puts one together from bytes.
    package init(
        _ kind: SNACKind,
        flags: UInt16 = 0,
        requestID: UInt32,
        preamble: TLVBlock? = nil,
        body: [UInt8] = []
    ) {
        self.kind = kind
        self.flags = flags & ~SNAC.hasPreamble
        self.requestID = requestID
        self.preamble = preamble
        self.body = body
    }

    /// Puts one together from a message.
    package init<Message: SNACMessage>(
        _ message: Message,
        flags: UInt16 = 0,
        requestID: UInt32,
        preamble: TLVBlock? = nil
    ) throws(OSCARWireError) {
        var writer = WireWriter()
        try message.write(to: &writer)
        self.init(Message.kind, flags: flags, requestID: requestID, preamble: preamble, body: writer.bytes)
    }

    /// Reads the payload of a data frame.
    package init(payload: [UInt8]) throws(OSCARWireError) {
        var reader = WireReader(payload)
        let family: UInt16 = try reader.integer("a SNAC's food group")
        let subtype: UInt16 = try reader.integer("a SNAC's subtype")
        let flags: UInt16 = try reader.integer("a SNAC's flags")
        let requestID: UInt32 = try reader.integer("a SNAC's request id")
        var preamble: TLVBlock?
        if flags & SNAC.hasPreamble != 0 {
            let count: UInt16 = try reader.integer("the length of a SNAC's first TLVs")
            var part = try reader.part(Int(count), "a SNAC's first TLVs")
            preamble = try TLVBlock(from: &part)
        }
        self.init(
            SNACKind(family, subtype),
            flags: flags,
            requestID: requestID,
            preamble: preamble,
            body: reader.rest()
        )
    }

    /// Writes the payload of a data frame.
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(self.kind.family)
        writer.integer(self.kind.subtype)
        writer.integer(self.preamble == nil ? self.flags : self.flags | SNAC.hasPreamble)
        writer.integer(self.requestID)
        if let preamble = self.preamble { try writer.lp16(preamble.encoded(), "a SNAC's first TLVs") }
        writer.append(self.body)
    }

    /// The payload of a data frame.
    package func encoded() throws(OSCARWireError) -> [UInt8] {
        var writer = WireWriter()
        try self.write(to: &writer)
        return writer.bytes
    }

    /// Reads the message.
    ///
    /// What follows it, in a newer version of the message, is left alone.
    package func message<Message: SNACMessage>(_ type: Message.Type = Message.self) throws(OSCARWireError) -> Message {
        guard self.kind == Message.kind else {
            throw .unexpectedMessage(expected: Message.kind, actual: self.kind)
        }
        var reader = WireReader(self.body)
        return try Message(from: &reader)
    }
}

/// The body of one kind of SNAC.
///
/// Reading what was written gives the value again.
package protocol SNACMessage: Hashable, Sendable {
    /// Its food group and subtype.
    static var kind: SNACKind { get }
    /// Reads the body.
    init(from reader: inout WireReader) throws(OSCARWireError)
    /// Writes the body.
    func write(to writer: inout WireWriter) throws(OSCARWireError)
}

/// A SNAC without a body, or with one that says nothing.
package protocol EmptyMessage: SNACMessage {
    /// The one value.
    init()
}

extension EmptyMessage {
    package init(from reader: inout WireReader) throws(OSCARWireError) { self.init() }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {}
}

/// A SNAC whose body is TLVs and nothing else.
package protocol TLVMessage: SNACMessage {
    /// The TLVs.
    var tlvs: TLVBlock { get }
    /// Puts it together.
    init(tlvs: TLVBlock)
}

extension TLVMessage {
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.init(tlvs: try TLVBlock(from: &reader))
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try self.tlvs.write(to: &writer) }
}
