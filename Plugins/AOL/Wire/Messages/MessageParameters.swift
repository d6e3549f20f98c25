/// The limits of messages on a channel.
///
///     size  field
///     4     flags: 1 messages, 2 missed ones are told, 8 typing states
///     2     bytes of a message
///     2     the highest warning level of a sender
///     2     the highest warning level of a recipient
///     4     milliseconds between two messages
package struct MessageLimits: Hashable, Sendable {
    package var flags: UInt32
    package var bytesMax: UInt16
    package var senderWarningMax: UInt16
    package var recipientWarningMax: UInt16
    package var intervalMs: UInt32

    package init(
        flags: UInt32,
        bytesMax: UInt16,
        senderWarningMax: UInt16 = 999,
        recipientWarningMax: UInt16 = 999,
        intervalMs: UInt32 = 0
    ) {
        self.flags = flags
        self.bytesMax = bytesMax
        self.senderWarningMax = senderWarningMax
        self.recipientWarningMax = recipientWarningMax
        self.intervalMs = intervalMs
    }

    init(from reader: inout WireReader) throws(OSCARWireError) {
        self.flags = try reader.integer("the flags of messages")
        self.bytesMax = try reader.integer("the limit of a message")
        self.senderWarningMax = try reader.integer("a warning level")
        self.recipientWarningMax = try reader.integer("a warning level")
        self.intervalMs = try reader.integer("the interval of messages")
    }

    func write(to writer: inout WireWriter) {
        writer.integer(self.flags)
        writer.integer(self.bytesMax)
        writer.integer(self.senderWarningMax)
        writer.integer(self.recipientWarningMax)
        writer.integer(self.intervalMs)
    }
}

/// 04/02: sets the limits of a channel for this session.
///
///     2 channel, 0: all; limits
package struct SetMessageLimits: SNACMessage {
    package static let kind = SNACKind(FoodGroup.messages, 0x02)
    package var channel: UInt16
    package var limits: MessageLimits
    package init(channel: UInt16 = 0, limits: MessageLimits) {
        self.channel = channel
        self.limits = limits
    }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.channel = try reader.integer("a channel")
        self.limits = try MessageLimits(from: &reader)
    }
    package func write(to writer: inout WireWriter) {
        writer.integer(self.channel)
        self.limits.write(to: &writer)
    }
}

/// 04/04: asks for the limits of messages.
package struct MessageLimitsRequest: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.messages, 0x04)
    package init() {}
}

/// 04/05: the limits of messages.
///
///     2 number of channels, limits
package struct MessageLimitsReply: SNACMessage {
    package static let kind = SNACKind(FoodGroup.messages, 0x05)
    package var channels: UInt16
    package var limits: MessageLimits
    package init(channels: UInt16, limits: MessageLimits) {
        self.channels = channels
        self.limits = limits
    }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.channels = try reader.integer("the number of channels")
        self.limits = try MessageLimits(from: &reader)
    }
    package func write(to writer: inout WireWriter) {
        writer.integer(self.channels)
        self.limits.write(to: &writer)
    }
}
