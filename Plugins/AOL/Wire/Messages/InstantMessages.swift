/// The tags of messages' TLVs.
package enum MessageTag {
    /// The text of channel 1.
    package static let text: UInt16 = 0x02
    /// The server shall acknowledge with 04/0C.
    package static let wantsAck: UInt16 = 0x03
    /// Nobody wrote it.
    package static let automatic: UInt16 = 0x04
    /// What channel 2 carries.
    package static let rendezvous: UInt16 = 0x05
    /// The server shall keep it if the recipient is not there.
    package static let store: UInt16 = 0x06
    /// The sender likes to see whether the recipient types.
    package static let wantsTyping: UInt16 = 0x0B
    /// When a stored one was sent, seconds since 1970.
    package static let sentAt: UInt16 = 0x16
}

/// 04/06: sends a message.
///
///     size  field
///     8     cookie, which the recipient gets, too
///     2     channel: 1 text, 2 rendezvous
///     1+n   recipient
///     n     TLVs (``MessageTag``)
package struct SendMessage: SNACMessage {
    package static let kind = SNACKind(FoodGroup.messages, 0x06)
    package var cookie: UInt64
    package var channel: UInt16
    package var recipient: ScreenName
    package var tlvs: TLVBlock

    /// As it came.
    package init(cookie: UInt64, channel: UInt16, recipient: ScreenName, tlvs: TLVBlock) {
        self.cookie = cookie
        self.channel = channel
        self.recipient = recipient
        self.tlvs = tlvs
    }

    /// Sends a text.
    ///
    /// - Parameters:
    ///   - wantsAck: the server shall say that it has taken it.
    ///   - isAutomatic: nobody wrote it.
    ///   - store: the server shall keep it if the recipient is not there.
    package init(
        cookie: UInt64,
        to recipient: ScreenName,
        text: InstantText,
        wantsAck: Bool = true,
        isAutomatic: Bool = false,
        store: Bool = false
    ) throws(OSCARWireError) {
        var tlvs = TLVBlock([TLV(MessageTag.text, try text.encoded())])
        if wantsAck { tlvs.append(TLV(MessageTag.wantsAck)) }
        if isAutomatic { tlvs.append(TLV(MessageTag.automatic)) }
        if store { tlvs.append(TLV(MessageTag.store)) }
        self.init(cookie: cookie, channel: 1, recipient: recipient, tlvs: tlvs)
    }

    /// The text; nil if there is none.
    package func text() throws(OSCARWireError) -> InstantText? {
        guard let value = self.tlvs[MessageTag.text] else { return nil }
        return try InstantText(value: value)
    }

    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.cookie = try reader.integer("a message's cookie")
        self.channel = try reader.integer("a message's channel")
        self.recipient = try reader.name("a message's recipient")
        self.tlvs = try TLVBlock(from: &reader)
    }

    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(self.cookie)
        writer.integer(self.channel)
        try writer.name(self.recipient)
        try self.tlvs.write(to: &writer)
    }
}

/// 04/07: a message came.
///
///     size  field
///     8     cookie, the sender's
///     2     channel: 1 text, 2 rendezvous
///     n     sender, as a user info
///     n     TLVs (``MessageTag``)
package struct IncomingMessage: SNACMessage {
    package static let kind = SNACKind(FoodGroup.messages, 0x07)
    package var cookie: UInt64
    package var channel: UInt16
    package var sender: UserInfo
    package var tlvs: TLVBlock

    /// Puts one together.
    package init(cookie: UInt64, channel: UInt16, sender: UserInfo, tlvs: TLVBlock) {
        self.cookie = cookie
        self.channel = channel
        self.sender = sender
        self.tlvs = tlvs
    }

    /// The text; nil if there is none.
    package func text() throws(OSCARWireError) -> InstantText? {
        guard let value = self.tlvs[MessageTag.text] else { return nil }
        return try InstantText(value: value)
    }

    /// The rendezvous; nil if there is none.
    package func rendezvous() throws(OSCARWireError) -> Rendezvous? {
        guard let value = self.tlvs[MessageTag.rendezvous] else { return nil }
        var reader = WireReader(value)
        return try Rendezvous(from: &reader)
    }

    /// Whether nobody wrote it.
    package var isAutomatic: Bool { self.tlvs.contains(MessageTag.automatic) }
    /// Whether the sender likes to see that the recipient types.
    package var wantsTyping: Bool { self.tlvs.contains(MessageTag.wantsTyping) }
    /// When it was sent, if it was stored: seconds since 1970.
    package func sentAt() throws(OSCARWireError) -> UInt32? { try self.tlvs.integer(MessageTag.sentAt) }

    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.cookie = try reader.integer("a message's cookie")
        self.channel = try reader.integer("a message's channel")
        self.sender = try UserInfo(from: &reader)
        self.tlvs = try TLVBlock(from: &reader)
    }

    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(self.cookie)
        writer.integer(self.channel)
        try self.sender.write(to: &writer)
        try self.tlvs.write(to: &writer)
    }
}

/// What a message on channel 2 carries: the value of its TLV 0x05.
///
///     size  field
///     2     0 request, 1 cancel, 2 accept
///     8     cookie
///     16    what it is about
///     n     TLVs
package struct Rendezvous: Hashable, Sendable {
    /// What the sender does.
    package enum Kind: UInt16, CaseIterable, Sendable {
        case request = 0
        case cancel = 1
        case accept = 2
    }

    /// See ``kind``.
    package var code: UInt16
    package var cookie: UInt64
    package var capability: Capability
    package var tlvs: TLVBlock

    /// Puts one together.
    package init(_ kind: Kind, cookie: UInt64, capability: Capability, tlvs: TLVBlock = TLVBlock()) {
        self.code = kind.rawValue
        self.cookie = cookie
        self.capability = capability
        self.tlvs = tlvs
    }

    /// What the sender does; nil if the code is an unknown one.
    package var kind: Kind? { Kind(rawValue: self.code) }

    /// Reads the value of the TLV.
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.code = try reader.integer("a rendezvous")
        self.cookie = try reader.integer("a rendezvous")
        self.capability = try Capability(from: &reader)
        self.tlvs = try TLVBlock(from: &reader)
    }

    /// Writes the value of the TLV.
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(self.code)
        writer.integer(self.cookie)
        self.capability.write(to: &writer)
        try self.tlvs.write(to: &writer)
    }
}

/// 04/14: what a user does with the text that they have not sent.
///
///     8 cookie, 2 channel, screen name of the other user, 2 state
///
/// To a server it has the recipient's name, from a server the sender's, and the sender's request id.
package struct TypingNotice: SNACMessage {
    package static let kind = SNACKind(FoodGroup.messages, 0x14)

    /// What they do.
    package enum State: UInt16, CaseIterable, Sendable {
        /// There is no text.
        case nothing = 0
        /// There is text, and nobody types.
        case paused = 1
        /// They type.
        case typing = 2
        /// They closed the conversation.
        case closed = 0x0F
    }

    package var cookie: UInt64
    package var channel: UInt16
    package var name: ScreenName
    /// See ``state``.
    package var code: UInt16

    package init(cookie: UInt64 = 0, channel: UInt16 = 1, name: ScreenName, _ state: State) {
        self.cookie = cookie
        self.channel = channel
        self.name = name
        self.code = state.rawValue
    }

    /// What they do; nil if the code is an unknown one.
    package var state: State? { State(rawValue: self.code) }

    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.cookie = try reader.integer("a typing state's cookie")
        self.channel = try reader.integer("a typing state's channel")
        self.name = try reader.name()
        self.code = try reader.integer("a typing state")
    }

    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(self.cookie)
        writer.integer(self.channel)
        try writer.name(self.name)
        writer.integer(self.code)
    }
}
