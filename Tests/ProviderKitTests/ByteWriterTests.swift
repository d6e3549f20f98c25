import ProviderKit
import Testing

@Suite("Writing bytes")
struct ByteWriterTests {
    @Test("integers are written in network order unless asked otherwise")
    func order() {
        var writer = ByteWriter(capacity: 16)
        writer.writeInteger(UInt32(0x0102_0304))
        writer.writeLittleEndian(UInt32(0x0102_0304))
        #expect(writer.bytes == [1, 2, 3, 4, 4, 3, 2, 1])
        #expect(writer.count == 8)
    }

    @Test("a length is filled in when it is known")
    func overwriting() {
        var writer = ByteWriter()
        writer.writeInteger(UInt16(0))
        writer.writeString("abc")
        writer.overwriteInteger(UInt16(3), at: 0)
        #expect(writer.bytes == [0, 3, 97, 98, 99])
        writer.overwriteInteger(UInt8(0x7A), at: 4)
        #expect(writer.bytes == [0, 3, 97, 98, 0x7A])
    }

    @Test("nothing is written over the end")
    func overwritingTheEnd() async {
        await #expect(processExitsWith: .failure) {
            var writer = ByteWriter()
            writer.writeInteger(UInt16(0))
            writer.overwriteInteger(UInt16(1), at: 1)
        }
    }

    @Test("nothing is written before the start")
    func overwritingBeforeTheStart() async {
        await #expect(processExitsWith: .failure) {
            var writer = ByteWriter()
            writer.writeInteger(UInt32(0))
            writer.overwriteInteger(UInt8(1), at: -1)
        }
    }

    @Test("a writer is used again")
    func usingAgain() {
        var writer = ByteWriter()
        writer.writeBytes([1, 2])
        writer.removeAll()
        #expect(writer.count == 0)
        writer.writeBytes([3])
        #expect(writer.bytes == [3])
    }
}
