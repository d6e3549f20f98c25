/// The name of an AIM user, or an ICQ user's number.
///
/// Servers write a name now as its user typed it, now as it is registered, now in the normal form. Two are equal if their
/// normal forms are.
package struct ScreenName: Sendable {
    /// The most bytes of a name: its length is one byte on the wire.
    package static let bytesMax = 255

    /// As it was typed or sent.
    package let display: String
    /// Without spaces (U+0020), and in lower case: what identifies a user.
    package let normal: String

    /// Takes a name as somebody typed it.
    ///
    /// - Throws: ``OSCARWireError/emptyName``, or ``OSCARWireError/tooLong(field:bytes:max:)``.
    package init(_ display: String) throws(OSCARWireError) {
        guard display.utf8.count <= ScreenName.bytesMax else {
            throw .tooLong(field: "a screen name", bytes: display.utf8.count, max: ScreenName.bytesMax)
        }
        // The common case, a name that is in the normal form already, shares the storage.
        let isNormal = display.utf8.allSatisfy { $0 != 0x20 && $0 < 0x80 && !(0x41...0x5A).contains($0) }
        let normal = isNormal ? display : display.filter { $0 != " " }.lowercased()
        guard !normal.isEmpty else { throw .emptyName }
        self.display = display
        self.normal = normal
    }

    /// Takes a name off the wire.
    package init(bytes: [UInt8]) throws(OSCARWireError) {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .notUTF8(field: "a screen name") }
        try self.init(text)
    }

    /// Whether it is an ICQ user's number.
    package var isNumber: Bool { self.normal.utf8.allSatisfy { (0x30...0x39).contains($0) } }
}

extension ScreenName: Hashable, CustomStringConvertible {
    package static func == (left: ScreenName, right: ScreenName) -> Bool { left.normal == right.normal }
    package func hash(into hasher: inout Hasher) { hasher.combine(self.normal) }
    package var description: String { self.display }
}
