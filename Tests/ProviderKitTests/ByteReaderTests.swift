import ProviderKit
import Testing

@Suite("Reading bytes")
struct ByteReaderTests {
    @Test("what a writer wrote, a reader reads")
    func roundTrip() {
        var writer = ByteWriter()
        writer.writeInteger(UInt8(0x2A))
        writer.writeInteger(UInt16(0x0102))
        writer.writeInteger(Int32(-2))
        writer.writeInteger(UInt64.max - 1)
        writer.writeLittleEndian(UInt32(0x0102_0304))
        writer.writeString("grüße")
        writer.writeBytes([1, 2, 3])
        #expect(writer.bytes.prefix(3) == [0x2A, 1, 2])
        reading(writer.bytes) { reader in
            #expect(reader.readInteger(as: UInt8.self) == 0x2A)
            #expect(reader.readInteger() == UInt16(0x0102))
            #expect(reader.readInteger() == Int32(-2))
            #expect(reader.readInteger() == UInt64.max - 1)
            #expect(reader.readLittleEndian() == UInt32(0x0102_0304))
            #expect(reader.readString(7) == "grüße")
            #expect(reader.rest.elementsEqual([1, 2, 3]))
            #expect(reader.readBytes(3)?.elementsEqual([1, 2, 3]) == true)
            #expect(reader.remaining == 0)
        }
    }

    @Test("a read of more than there is leaves the position alone")
    func shortReads() {
        reading([1, 2, 3]) { reader in
            #expect(reader.skip(1) == true)
            #expect(reader.readInteger(as: UInt32.self) == nil)
            #expect(reader.readLittleEndian(as: UInt64.self) == nil)
            #expect(reader.readBytes(3) == nil)
            #expect(reader.readString(3) == nil)
            #expect(reader.skip(3) == false)
            #expect(reader.readBytes(through: 9) == nil)
            #expect((reader.position, reader.remaining) == (1, 2))
            #expect(reader.readInteger() == UInt16(0x0203))
            #expect(reader.readInteger(as: UInt8.self) == nil)
        }
    }

    @Test("a negative count reads nothing")
    func negativeCounts() {
        reading([1, 2, 3]) { reader in
            #expect(reader.readBytes(-1) == nil)
            #expect(reader.readString(-1) == nil)
            #expect(reader.skip(-1) == false)
            #expect(reader.position == 0)
        }
    }

    @Test("bytes that are no UTF-8 are no text, and stay unread")
    func badText() {
        reading([0x61, 0xC3, 0x28]) { reader in
            #expect(reader.readString(3) == nil)
            #expect(reader.readString(2) == nil)
            #expect(reader.position == 0)
            #expect(reader.readString(1) == "a")
        }
    }

    @Test("a delimiter is read over and not part of what was read")
    func delimiters() {
        reading(Array("one\ntwo\n\nrest".utf8)) { reader in
            #expect(reader.readBytes(through: 10)?.elementsEqual("one".utf8) == true)
            #expect(reader.readBytes(through: 10)?.elementsEqual("two".utf8) == true)
            #expect(reader.readBytes(through: 10)?.isEmpty == true)
            #expect(reader.readBytes(through: 10) == nil)
            #expect(reader.rest.elementsEqual("rest".utf8))
        }
    }

    @Test("no bytes at all are fine")
    func nothing() {
        var reader = ByteReader(UnsafeRawBufferPointer(start: nil, count: 0))
        #expect(reader.remaining == 0)
        #expect(reader.rest.isEmpty)
        #expect(reader.readBytes(0)?.isEmpty == true)
        #expect(reader.readString(0) == "")
        #expect(reader.readInteger(as: UInt8.self) == nil)
        #expect(reader.readBytes(through: 0) == nil)
    }

    @Test("a reader goes back to where it was")
    func rewinding() {
        reading([1, 2, 3]) { reader in
            #expect(reader.skip(2) == true)
            reader.rewind(to: 2)
            reader.rewind(to: 1)
            #expect(reader.readInteger(as: UInt8.self) == 2)
            reader.rewind(to: 0)
            #expect(reader.remaining == 3)
        }
    }

    @Test("a reader is not rewound forwards")
    func rewindingForwards() async {
        await #expect(processExitsWith: .failure) {
            reading([1, 2, 3]) { $0.rewind(to: 1) }
        }
    }

    @Test("a reader is not rewound before its start")
    func rewindingTooFar() async {
        await #expect(processExitsWith: .failure) {
            reading([1, 2, 3]) { $0.rewind(to: -1) }
        }
    }
}

/// Lends a reader of `bytes`.
func reading(_ bytes: [UInt8], _ body: (inout ByteReader) -> Void) {
    bytes.withUnsafeBytes { buffer in
        var reader = ByteReader(buffer)
        body(&reader)
    }
}
