/// 13/02: asks for the limits of the stored list.
package struct FeedbagRightsRequest: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x02)
    package init() {}
}

/// 13/03: the limits of the stored list.
///
///     TLVs: 0x04 the most items of each class, 16 bits each, from class 0 on
package struct FeedbagRights: TLVMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x03)
    package var tlvs: TLVBlock
    package init(tlvs: TLVBlock) { self.tlvs = tlvs }

    /// Says the limits.
    package init(itemsMax: [UInt16]) {
        var writer = WireWriter()
        writer.numbers(itemsMax)
        self.init(tlvs: TLVBlock([TLV(0x04, writer.bytes)]))
    }

    /// The most items of a class; nil if it is not said.
    package func itemsMax(_ itemClass: FeedbagItem.Class) throws(OSCARWireError) -> UInt16? {
        guard let value = self.tlvs[0x04] else { return nil }
        var reader = WireReader(value)
        let numbers = try reader.numbers("the limits of the stored list")
        let index = Int(itemClass.rawValue)
        return index < numbers.count ? numbers[index] : nil
    }
}

/// 13/04: asks for the list.
package struct FeedbagRequest: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x04)
    package init() {}
}

/// 13/05: asks for the list if it was changed.
///
///     4 time of the last change that is known, 2 number of items that are known
package struct FeedbagCheck: SNACMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x05)
    package var changedAt: UInt32
    package var count: UInt16
    package init(changedAt: UInt32, count: UInt16) {
        self.changedAt = changedAt
        self.count = count
    }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.changedAt = try reader.integer("the time of the list")
        self.count = try reader.integer("the number of items")
    }
    package func write(to writer: inout WireWriter) {
        writer.integer(self.changedAt)
        writer.integer(self.count)
    }
}

/// 13/06: the list, or a part of it if the SNAC's flags say that more follows.
///
///     1 version 0, 2 number of items, items, 4 time of the last change
package struct FeedbagReply: SNACMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x06)
    package var items: [FeedbagItem]
    package var changedAt: UInt32

    package init(items: [FeedbagItem], changedAt: UInt32) {
        self.items = items
        self.changedAt = changedAt
    }

    package init(from reader: inout WireReader) throws(OSCARWireError) {
        let _: UInt8 = try reader.integer("the version of the list")
        let count: UInt16 = try reader.integer("the number of items")
        self.items = []
        for _ in 0..<count { self.items.append(try FeedbagItem(from: &reader)) }
        self.changedAt = try reader.integer("the time of the list")
    }

    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        writer.integer(UInt8(0))
        writer.integer(try WireWriter.count16(self.items.count, "the number of items"))
        for item in self.items { try item.write(to: &writer) }
        writer.integer(self.changedAt)
    }
}

/// 13/07: the session uses the list: from now on its contacts are watched.
package struct FeedbagActivate: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x07)
    package init() {}
}

/// 13/0F: the list is as it is known to the client.
///
///     4 time of the last change, 1 or 2 number of items
package struct FeedbagUnchanged: SNACMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x0F)
    package var changedAt: UInt32
    package var count: UInt16
    package init(changedAt: UInt32, count: UInt16) {
        self.changedAt = changedAt
        self.count = count
    }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.changedAt = try reader.integer("the time of the list")
        self.count =
            if reader.remaining == 1 {
                UInt16(try reader.integer("the number of items", as: UInt8.self))
            } else {
                try reader.integer("the number of items")
            }
    }
    package func write(to writer: inout WireWriter) {
        writer.integer(self.changedAt)
        writer.integer(self.count)
    }
}

/// 13/11: changes follow that belong together.
package struct FeedbagBegin: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x11)
    package init() {}
}

/// 13/12: those were all of them.
package struct FeedbagEnd: EmptyMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x12)
    package init() {}
}
