/// What a client can do: a UUID.
package struct Capability: Hashable, Sendable, CustomStringConvertible {
    /// Bytes of one.
    package static let byteCount = 16

    /// Its 16 bytes, the first eight and the last eight.
    package let high: UInt64
    package let low: UInt64

    /// Takes the two halves.
    package init(_ high: UInt64, _ low: UInt64) {
        self.high = high
        self.low = low
    }

    /// The common capabilities of AOL's clients differ in two bytes only: 0946xxxx-4C7F-11D1-8222-444553540000.
    package init(short: UInt16) {
        self.init(0x0946_0000_4C7F_11D1 | UInt64(short) << 32, 0x8222_4445_5354_0000)
    }

    /// Direct connections.
    package static let directIM = Capability(short: 0x1345)
    /// Buddy icons.
    package static let buddyIcon = Capability(short: 0x1346)
    /// Files.
    package static let fileTransfer = Capability(short: 0x1343)
    /// Messages to and from ICQ users as they are: without it, servers take an ICQ sender's HTML away.
    package static let icqInterop = Capability(short: 0x134D)
    /// UTF-8 in channel 2.
    package static let utf8 = Capability(short: 0x134E)
    /// HTML may be sent to a user of this client.
    package static let html = Capability(short: 0x0002)

    package var description: String {
        let text = hex(self.high) + hex(self.low)
        var parts: [Substring] = []
        var start = text.startIndex
        for count in [8, 4, 4, 4, 12] {
            let end = text.index(start, offsetBy: count)
            parts.append(text[start..<end])
            start = end
        }
        return parts.joined(separator: "-")
    }

    /// Reads UUIDs to the end.
    package static func readAll(from reader: inout WireReader) throws(OSCARWireError) -> [Capability] {
        guard reader.remaining.isMultiple(of: Capability.byteCount) else {
            throw .unevenList(list: "the capabilities", bytes: reader.remaining, entryBytes: Capability.byteCount)
        }
        var all: [Capability] = []
        all.reserveCapacity(reader.remaining / Capability.byteCount)
        while !reader.isAtEnd { all.append(try Capability(from: &reader)) }
        return all
    }

    /// Reads one UUID.
    package init(from reader: inout WireReader) throws(OSCARWireError) {
        let high: UInt64 = try reader.integer("a capability")
        let low: UInt64 = try reader.integer("a capability")
        self.init(high, low)
    }

    /// Writes the UUID.
    package func write(to writer: inout WireWriter) {
        writer.integer(self.high)
        writer.integer(self.low)
    }
}
