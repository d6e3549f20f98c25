/// 04/0C: the server has taken a message, for the recipient or for its store.
///
///     8 cookie, 2 channel, recipient as the sender typed it
package struct MessageAck: SNACMessage {
    package static let kind = SNACKind(FoodGroup.messages, 0x0C)
    package var cookie: UInt64
    package var channel: UInt16
    package var recipient: ScreenName
    package init(cookie: UInt64, channel: UInt16, recipient: ScreenName) {
        self.cookie = cookie
        self.channel = channel
        self.recipient = recipient
    }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.cookie = try reader.integer("an acknowledgement's cookie")
        self.channel = try reader.integer("an acknowledgement's channel")
        self.recipient = try reader.name()
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(self.cookie)
        writer.integer(self.channel)
        try writer.name(self.recipient)
    }
}

/// 04/0A: messages that the server did not pass on.
///
///     2 channel, user info of the sender, 2 how many, 2 why; again and again
package struct MissedMessages: SNACMessage {
    package static let kind = SNACKind(FoodGroup.messages, 0x0A)
    /// The most entries.
    package static let entriesMax = 256

    /// The messages of one sender.
    package struct Entry: Hashable, Sendable {
        package var channel: UInt16
        package var sender: UserInfo
        package var count: UInt16
        /// 0 invalid, 1 too large, 2 too fast, 3 the sender was warned too often, 4 the recipient was.
        package var reason: UInt16
        package init(channel: UInt16, sender: UserInfo, count: UInt16, reason: UInt16) {
            self.channel = channel
            self.sender = sender
            self.count = count
            self.reason = reason
        }
    }

    package var entries: [Entry]
    package init(entries: [Entry]) { self.entries = entries }

    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.entries = []
        while !reader.isAtEnd {
            guard self.entries.count < MissedMessages.entriesMax else {
                throw .tooMany(
                    list: "missed messages",
                    count: self.entries.count + 1,
                    max: MissedMessages.entriesMax
                )
            }
            self.entries.append(
                Entry(
                    channel: try reader.integer("a missed message's channel"),
                    sender: try UserInfo(from: &reader),
                    count: try reader.integer("the number of missed messages"),
                    reason: try reader.integer("the reason of missed messages")
                )
            )
        }
    }

    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        for entry in self.entries {
            writer.integer(entry.channel)
            try entry.sender.write(to: &writer)
            writer.integer(entry.count)
            writer.integer(entry.reason)
        }
    }
}

/// 04/0B: the recipient's client cannot do anything with a message.
///
///     8 cookie, 2 channel, screen name of the other user, 2 reason, more
package struct MessageRefusal: SNACMessage {
    package static let kind = SNACKind(FoodGroup.messages, 0x0B)

    /// Why not.
    package enum Reason: UInt16, CaseIterable, Sendable {
        /// Nothing is done on this channel.
        case unsupportedChannel = 1
        /// It could not be read.
        case bustedPayload = 2
        /// What follows says it.
        case channelSpecific = 3
    }

    package var cookie: UInt64
    package var channel: UInt16
    package var name: ScreenName
    /// See ``reason``.
    package var code: UInt16
    /// Depends on the channel.
    package var details: [UInt8]

    package init(cookie: UInt64, channel: UInt16, name: ScreenName, _ reason: Reason, details: [UInt8] = []) {
        self.cookie = cookie
        self.channel = channel
        self.name = name
        self.code = reason.rawValue
        self.details = details
    }

    /// Why not; nil if the code is an unknown one.
    package var reason: Reason? { Reason(rawValue: self.code) }

    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.cookie = try reader.integer("a refusal's cookie")
        self.channel = try reader.integer("a refusal's channel")
        self.name = try reader.name()
        self.code = try reader.integer("a refusal's reason")
        self.details = reader.rest()
    }

    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(self.cookie)
        writer.integer(self.channel)
        try writer.name(self.name)
        writer.integer(self.code)
        writer.append(self.details)
    }
}

/// 04/10: asks for the stored messages.
///
/// They come as 04/07, and the server forgets them at once.
package struct StoredMessagesRequest: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.messages, 0x10)
    package init() {}
}

/// 04/17: the answer to 04/10; the stored messages may come before or after it.
package struct StoredMessagesReply: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.messages, 0x17)
    package init() {}
}
