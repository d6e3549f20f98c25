/// 13/08: new items; from a server: another session of the user made them.
///
///     items
package struct FeedbagInsert: SNACMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x08)
    package var items: [FeedbagItem]
    package init(items: [FeedbagItem]) { self.items = items }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.items = try FeedbagItem.readAll(from: &reader)
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        for item in self.items { try item.write(to: &writer) }
    }
}

/// 13/09: changed items; from a server: another session of the user changed them.
///
///     items
package struct FeedbagUpdate: SNACMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x09)
    package var items: [FeedbagItem]
    package init(items: [FeedbagItem]) { self.items = items }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.items = try FeedbagItem.readAll(from: &reader)
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        for item in self.items { try item.write(to: &writer) }
    }
}

/// 13/0A: items that shall go; from a server: another session of the user took them away.
///
///     items
package struct FeedbagDelete: SNACMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x0A)
    package var items: [FeedbagItem]
    package init(items: [FeedbagItem]) { self.items = items }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.items = try FeedbagItem.readAll(from: &reader)
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        for item in self.items { try item.write(to: &writer) }
    }
}

/// 13/0E: what became of 13/08, 13/09 or 13/0A.
///
///     2 result, for each item
package struct FeedbagStatus: SNACMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x0E)

    /// What became of an item.
    ///
    /// Servers may invent more.
    package struct Result: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        package var rawValue: UInt16
        package init(rawValue: UInt16) { self.rawValue = rawValue }

        /// It is done.
        package static let done = Result(rawValue: 0x00)
        /// There is no such item.
        package static let notFound = Result(rawValue: 0x02)
        /// There is such an item already.
        package static let exists = Result(rawValue: 0x03)
        /// Something in it is not allowed.
        package static let invalid = Result(rawValue: 0x0A)
        /// There are too many items of the class.
        package static let full = Result(rawValue: 0x0C)
        /// The contact has to agree first.
        package static let needsAuthorization = Result(rawValue: 0x0E)

        package var description: String {
            switch self {
            case .done: "done"
            case .notFound: "there is no such item"
            case .exists: "there is such an item already"
            case .invalid: "the item is not valid"
            case .full: "there are too many items of this class"
            case .needsAuthorization: "the contact has to agree first"
            default: "error 0x\(hex(self.rawValue))"
            }
        }
    }

    /// In the order of the items.
    package var results: [Result]
    package init(results: [Result]) { self.results = results }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.results = try reader.numbers("the results of a change").map(Result.init(rawValue:))
    }
    package func write(to writer: inout WireWriter) { writer.numbers(self.results.map(\.rawValue)) }
}
