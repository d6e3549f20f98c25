/// 01/02: the client is ready; only now its user is there for others.
///
///     for each food group: 2 food group, 2 version, 2 tool, 2 version of the tool
package struct ClientReady: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x02)

    /// A food group that the client speaks.
    package struct Group: Hashable, Sendable {
        package var family: UInt16
        package var version: UInt16
        package var tool: UInt16
        package var toolVersion: UInt16

        /// Describes one.
        package init(family: UInt16, version: UInt16, tool: UInt16, toolVersion: UInt16) {
            self.family = family
            self.version = version
            self.tool = tool
            self.toolVersion = toolVersion
        }
    }

    /// What the client speaks.
    package var groups: [Group]
    package init(groups: [Group]) { self.groups = groups }

    package init(from reader: inout WireReader) throws(OSCARWireError) {
        let numbers = try reader.numbers("the client's food groups")
        guard numbers.count.isMultiple(of: 4) else {
            throw .unevenList(list: "the client's food groups", bytes: numbers.count * 2, entryBytes: 8)
        }
        self.groups = stride(from: 0, to: numbers.count, by: 4).map { index in
            Group(
                family: numbers[index],
                version: numbers[index + 1],
                tool: numbers[index + 2],
                toolVersion: numbers[index + 3]
            )
        }
    }

    package func write(to writer: inout WireWriter) {
        for group in self.groups {
            writer.numbers([group.family, group.version, group.tool, group.toolVersion])
        }
    }
}

/// 01/03: what the server speaks, in no order.
///
///     2 food group, each
package struct HostOnline: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x03)
    /// Its food groups.
    package var families: [UInt16]
    package init(families: [UInt16]) { self.families = families }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.families = try reader.numbers("the server's food groups")
    }
    package func write(to writer: inout WireWriter) { writer.numbers(self.families) }
}

/// 01/04: asks where a food group is to be had.
///
///     2 food group, TLVs
package struct ServiceRequest: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x04)
    package var family: UInt16
    package var tlvs: TLVBlock
    package init(family: UInt16, tlvs: TLVBlock = TLVBlock()) {
        self.family = family
        self.tlvs = tlvs
    }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.family = try reader.integer("a food group")
        self.tlvs = try TLVBlock(from: &reader)
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(self.family)
        try self.tlvs.write(to: &writer)
    }
}

/// 01/05: a food group is to be had there.
///
///     TLVs: 0x0D food group, 0x05 host:port, 0x06 cookie
package struct ServiceRedirect: TLVMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x05)
    package var tlvs: TLVBlock
    package init(tlvs: TLVBlock) { self.tlvs = tlvs }

    /// Sends a client there.
    package init(family: UInt16, host: String, cookie: [UInt8]) {
        self.init(tlvs: TLVBlock([TLV(0x0D, integer: family), TLV(0x05, text: host), TLV(0x06, cookie)]))
    }

    /// The food group; nil if it is not said.
    package func family() throws(OSCARWireError) -> UInt16? { try self.tlvs.integer(0x0D) }
    /// The address, `host:port` or a host alone; nil if it is not said.
    package func host() throws(OSCARWireError) -> String? { try self.tlvs.text(0x05, "the address of a service") }
    /// For the first frame there.
    package var cookie: [UInt8]? { self.tlvs[0x06] }
}

/// 01/0B: the client should send nothing for a while.
package struct Pause: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x0B)
    package init() {}
}

/// 01/0C: the client sends nothing more, and can do without these food groups.
///
///     2 food group, each
package struct PauseAcknowledgement: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x0C)
    package var families: [UInt16]
    package init(families: [UInt16]) { self.families = families }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.families = try reader.numbers("paused food groups")
    }
    package func write(to writer: inout WireWriter) { writer.numbers(self.families) }
}

/// 01/0D: the client may send again.
package struct Resume: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x0D)
    package init() {}
}

/// 01/12: the session goes on at another server.
///
///     2 number of food groups, 2 food group each, TLVs: 0x05 host:port, 0x06 cookie
package struct Migration: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x12)
    /// Which food groups move; none: all.
    package var families: [UInt16]
    package var tlvs: TLVBlock

    /// Sends a client there.
    package init(families: [UInt16] = [], host: String, cookie: [UInt8]) {
        self.families = families
        self.tlvs = TLVBlock([TLV(0x05, text: host), TLV(0x06, cookie)])
    }

    package init(from reader: inout WireReader) throws(OSCARWireError) {
        let count: UInt16 = try reader.integer("the number of food groups that move")
        var part = try reader.part(Int(count) * 2, "the food groups that move")
        self.families = try part.numbers("the food groups that move")
        self.tlvs = try TLVBlock(from: &reader)
    }

    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(try WireWriter.count16(self.families.count, "the number of food groups that move"))
        writer.numbers(self.families)
        try self.tlvs.write(to: &writer)
    }

    /// The address, `host:port` or a host alone; nil if it is not said.
    package func host() throws(OSCARWireError) -> String? { try self.tlvs.text(0x05, "the address of a server") }
    /// For the first frame there.
    package var cookie: [UInt8]? { self.tlvs[0x06] }
}

/// 01/0E: asks what others see of the user.
package struct SelfInfoRequest: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x0E)
    package init() {}
}

/// 01/0F: what others see of the user, then what they see of each session.
///
///     user info, once or more
package struct SelfInfo: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x0F)
    /// The most blocks: a user and many sessions.
    package static let blocksMax = 64
    /// The first is the user's.
    package var blocks: [UserInfo]
    package init(blocks: [UserInfo]) { self.blocks = blocks }

    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.blocks = []
        repeat {
            guard self.blocks.count < SelfInfo.blocksMax else {
                throw .tooMany(list: "the sessions of 01/0F", count: self.blocks.count + 1, max: SelfInfo.blocksMax)
            }
            self.blocks.append(try UserInfo(from: &reader))
        } while !reader.isAtEnd
    }

    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        for block in self.blocks { try block.write(to: &writer) }
    }
}

/// 01/10: somebody warned the user.
///
///     2 the new level, then the warner's name, 2 level, TLVs with their number; or nothing: an unknown one
package struct Warned: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x10)
    /// 0 to 1000.
    package var level: UInt16
    /// Who did it; nil: they do not want to be known.
    package var warner: UserInfo?
    package init(level: UInt16, warner: UserInfo? = nil) {
        self.level = level
        self.warner = warner
    }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.level = try reader.integer("a warning level")
        self.warner = reader.isAtEnd ? nil : try UserInfo(from: &reader)
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(self.level)
        try self.warner?.write(to: &writer)
    }
}

/// 01/11: for how many seconds the user did nothing; 0: they are back.
///
///     4 seconds
package struct IdleTime: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x11)
    package var seconds: UInt32
    package init(seconds: UInt32) { self.seconds = seconds }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.seconds = try reader.integer("an idle time")
    }
    package func write(to writer: inout WireWriter) { writer.integer(self.seconds) }
}

/// 01/13: a word from the server.
///
///     2 type, TLVs: 0x0B text
package struct MessageOfTheDay: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x13)
    /// 4: for information.
    package var type: UInt16
    package var tlvs: TLVBlock
    package init(type: UInt16 = 4, text: String) {
        self.type = type
        self.tlvs = TLVBlock([TLV(0x0B, text: text)])
    }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.type = try reader.integer("a type of word")
        self.tlvs = try TLVBlock(from: &reader)
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(self.type)
        try self.tlvs.write(to: &writer)
    }
}

/// 01/14: which of the user's times others may see.
///
///     4 bits: 1 idle time, 2 member since
package struct PrivacyFlags: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x14)
    package var flags: UInt32
    package init(flags: UInt32) { self.flags = flags }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.flags = try reader.integer("privacy flags")
    }
    package func write(to writer: inout WireWriter) { writer.integer(self.flags) }
}

/// 01/16: nothing, so that the connection is not idle.
package struct Nothing: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x16)
    package init() {}
}

/// 01/1E: sets the user's status.
///
///     TLVs: 0x06 status, 32 bits
package struct SetStatus: TLVMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x1E)
    package var tlvs: TLVBlock
    package init(tlvs: TLVBlock) { self.tlvs = tlvs }
    /// Sets this status.
    package init(_ status: UserInfo.Status) {
        self.init(tlvs: TLVBlock([TLV(0x06, integer: status.rawValue)]))
    }
    /// The status; nil if it is not set.
    package func status() throws(OSCARWireError) -> UserInfo.Status? {
        try self.tlvs.integer(0x06).map(UserInfo.Status.init(rawValue:))
    }
}
