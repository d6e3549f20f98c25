/// A user and a text for, or from, them: the body of four messages.
///
///     screen name, 2+n text in UTF-8, 2 zero
package struct AuthorizationText: Hashable, Sendable {
    package var name: ScreenName
    package var text: String

    /// Puts one together.
    package init(name: ScreenName, text: String) {
        self.name = name
        self.text = text
    }

    init(from reader: inout WireReader) throws(OSCARWireError) {
        self.name = try reader.name()
        self.text = Charset.ascii.decode(try reader.lp16("a text about authorization"))
        // What follows is zero, and some leave it out.
        _ = reader.rest()
    }

    func write(to writer: inout WireWriter) throws(OSCARWireError) {
        try writer.name(self.name)
        try writer.lp16(Array(self.text.utf8), "a text about authorization")
        writer.integer(UInt16(0))
    }
}

/// 13/14: allows a user to have this one in their list, before they ask.
package struct GrantAuthorization: SNACMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x14)
    package var content: AuthorizationText
    package init(_ content: AuthorizationText) { self.content = content }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.content = try AuthorizationText(from: &reader)
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try self.content.write(to: &writer) }
}

/// 13/15: a user allows to be in the list.
package struct AuthorizationGranted: SNACMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x15)
    package var content: AuthorizationText
    package init(_ content: AuthorizationText) { self.content = content }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.content = try AuthorizationText(from: &reader)
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try self.content.write(to: &writer) }
}

/// 13/18: asks a user to be allowed to have them in the list.
package struct RequestAuthorization: SNACMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x18)
    package var content: AuthorizationText
    package init(_ content: AuthorizationText) { self.content = content }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.content = try AuthorizationText(from: &reader)
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try self.content.write(to: &writer) }
}

/// 13/19: a user asks to have this one in their list.
package struct AuthorizationRequested: SNACMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x19)
    package var content: AuthorizationText
    package init(_ content: AuthorizationText) { self.content = content }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.content = try AuthorizationText(from: &reader)
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try self.content.write(to: &writer) }
}

/// An answer to a user who asked: the body of two messages.
///
///     screen name, 1 whether it is allowed, 2+n text in UTF-8
package struct AuthorizationAnswer: Hashable, Sendable {
    package var name: ScreenName
    package var isAllowed: Bool
    package var text: String

    /// Puts one together.
    package init(name: ScreenName, isAllowed: Bool, text: String) {
        self.name = name
        self.isAllowed = isAllowed
        self.text = text
    }

    init(from reader: inout WireReader) throws(OSCARWireError) {
        self.name = try reader.name()
        self.isAllowed = try reader.integer("whether it is allowed", as: UInt8.self) != 0
        self.text = Charset.ascii.decode(try reader.lp16("a text about authorization"))
    }

    func write(to writer: inout WireWriter) throws(OSCARWireError) {
        try writer.name(self.name)
        writer.integer(self.isAllowed ? UInt8(1) : 0)
        try writer.lp16(Array(self.text.utf8), "a text about authorization")
    }
}

/// 13/1A: answers a user who asked.
package struct AnswerAuthorization: SNACMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x1A)
    package var content: AuthorizationAnswer
    package init(_ content: AuthorizationAnswer) { self.content = content }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.content = try AuthorizationAnswer(from: &reader)
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try self.content.write(to: &writer) }
}

/// 13/1B: the user who was asked has answered.
package struct AuthorizationAnswered: SNACMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x1B)
    package var content: AuthorizationAnswer
    package init(_ content: AuthorizationAnswer) { self.content = content }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.content = try AuthorizationAnswer(from: &reader)
    }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try self.content.write(to: &writer) }
}

/// 13/1C: a user has this one in their list now.
///
///     screen name
package struct AddedByUser: SNACMessage {
    package static let kind = SNACKind(FoodGroup.feedbag, 0x1C)
    package var name: ScreenName
    package init(name: ScreenName) { self.name = name }
    package init(from reader: inout WireReader) throws(OSCARWireError) { self.name = try reader.name() }
    package func write(to writer: inout WireWriter) throws(OSCARWireError) { try writer.name(self.name) }
}
