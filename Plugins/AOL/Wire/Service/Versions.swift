/// A food group and its version.
package struct FoodGroupVersion: Hashable, Sendable {
    package var family: UInt16
    package var version: UInt16

    /// Puts the two together.
    package init(_ family: UInt16, _ version: UInt16) {
        self.family = family
        self.version = version
    }

    static func readAll(from reader: inout WireReader) throws(OSCARWireError) -> [FoodGroupVersion] {
        let numbers = try reader.numbers("versions of food groups")
        guard numbers.count.isMultiple(of: 2) else {
            throw .unevenList(list: "versions of food groups", bytes: numbers.count * 2, entryBytes: 4)
        }
        return stride(from: 0, to: numbers.count, by: 2).map { FoodGroupVersion(numbers[$0], numbers[$0 + 1]) }
    }
}

/// 01/17: which versions of the food groups the client speaks.
///
/// The server's answers are shaped by them.
///
///     2 food group, 2 version, each
package struct ClientVersions: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x17)
    package var versions: [FoodGroupVersion]
    package init(versions: [FoodGroupVersion]) { self.versions = versions }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.versions = try FoodGroupVersion.readAll(from: &reader)
    }
    package func write(to writer: inout WireWriter) {
        for version in self.versions { writer.numbers([version.family, version.version]) }
    }
}

/// 01/18: the server's versions; some repeat what the client said.
///
///     2 food group, 2 version, each
package struct HostVersions: SNACMessage {
    package static let kind = SNACKind(FoodGroup.service, 0x18)
    package var versions: [FoodGroupVersion]
    package init(versions: [FoodGroupVersion]) { self.versions = versions }
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        self.versions = try FoodGroupVersion.readAll(from: &reader)
    }
    package func write(to writer: inout WireWriter) {
        for version in self.versions { writer.numbers([version.family, version.version]) }
    }
}
