import OSCARWire
import Testing

@Suite struct FLAPFrameTests {
    private func read(_ bytes: [UInt8], max: Int = FLAPFrame.payloadBytesMax) throws -> (FLAPFrame, Int)? {
        try bytes.withUnsafeBytes { bytes in
            try FLAPFrame.read(bytes, payloadBytesMax: max).map { ($0.frame, $0.byteCount) }
        }
    }

    @Test func aFrameIsReadAndWhatFollowsIsLeft() throws {
        let (frame, count) = try #require(try self.read(bytes("2A 02 1234 0003 010203 2A")))
        #expect(frame == FLAPFrame(.data, sequence: 0x1234, payload: [1, 2, 3]))
        #expect(count == 9)
    }

    @Test(arguments: FLAPFrame.Channel.allCases)
    func aFrameOfEachChannelIsWrittenAsItIsRead(_ channel: FLAPFrame.Channel) throws {
        let frame = FLAPFrame(channel, sequence: 0xFFFF, payload: [0x2A, 0])
        var writer = WireWriter()
        try frame.write(to: &writer)
        #expect(writer.bytes == [0x2A, channel.rawValue, 0xFF, 0xFF, 0, 2, 0x2A, 0])
        let (again, count) = try #require(try self.read(writer.bytes))
        #expect(again == frame)
        #expect(count == writer.bytes.count)
    }

    @Test func eachBeginningOfAFrameIsIncomplete() throws {
        let whole = bytes("2A 02 0064 0004 DEADBEEF")
        for count in 0..<whole.count { #expect(try self.read(Array(whole.prefix(count))) == nil) }
    }

    @Test func anotherMarkerIsRefusedAtOnce() {
        #expect(throws: OSCARWireError.badMarker(0x47)) { try self.read(bytes("\"G\"")) }
    }

    @Test(arguments: [0, 6, 255] as [UInt8])
    func anUnknownChannelIsRefusedBeforeTheLength(_ channel: UInt8) {
        #expect(throws: OSCARWireError.unknownChannel(channel)) { try self.read([0x2A, channel]) }
    }

    @Test func thePayloadHasALimit() throws {
        #expect(try self.read(bytes("2A 02 0000 0003 010203"), max: 3) != nil)
        #expect(throws: OSCARWireError.tooLong(field: "a frame's payload", bytes: 4, max: 3)) {
            try self.read(bytes("2A 02 0000 0004"), max: 3)
        }
    }

    @Test func theLongestPayloadIsWrittenAndOneByteMoreIsNot() throws {
        var writer = WireWriter()
        let longest = [UInt8](repeating: 7, count: FLAPFrame.payloadBytesMax)
        try FLAPFrame(.data, sequence: 1, payload: longest).write(to: &writer)
        #expect(try self.read(writer.bytes)?.0.payload == longest)
        #expect(throws: OSCARWireError.tooLong(field: "a frame's payload", bytes: 65_536, max: 65_535)) {
            var writer = WireWriter()
            try FLAPFrame(.data, sequence: 1, payload: longest + [7]).write(to: &writer)
        }
    }

    @Test func theSignOffWithoutLengthIsKnownByWhatIsLeft() {
        func ending(_ text: String) -> FLAPFrame.Ending {
            bytes(text).withUnsafeBytes { FLAPFrame.Ending(rest: $0) }
        }
        #expect(ending("2A 04 0077") == .bareSignOff)
        #expect(ending("") == .clean)
        #expect(ending("2A 04 00") == .truncated(byteCount: 3))
        #expect(ending("2A 02 0077") == .truncated(byteCount: 4))
        #expect(ending("2A 04 0077 00") == .truncated(byteCount: 5))
    }
}
