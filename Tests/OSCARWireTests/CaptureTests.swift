import Foundation
import OSCARWire
import Testing

/// Where the packets go; nil: nobody wants them.
private let capturePath = ProcessInfo.processInfo.environment["OSCAR_CAPTURE"]

/// Writes all samples into a file of packets, for another program to read; Tests/OSCARCapture/run does that.
@Suite struct CaptureTests {
    @Test(.enabled(if: capturePath != nil)) func allMessagesAreWrittenForAnotherProgram() throws {
        var capture = Capture()
        var sequences: [UInt16] = [0, 100]
        func add(_ channel: FLAPFrame.Channel, _ payload: [UInt8], fromClient: Bool) throws {
            let side = fromClient ? 0 : 1
            var writer = WireWriter()
            try FLAPFrame(channel, sequence: sequences[side], payload: payload).write(to: &writer)
            sequences[side] += 1
            capture.add(writer.bytes, fromClient: fromClient)
        }
        try add(.signOn, try SignOnFrame().encoded(), fromClient: false)
        try add(.signOn, try SignOnFrame(cookie: [1, 2, 3]).encoded(), fromClient: true)
        // tshark 4.0 reads the name of 01/10 from the wrong place.
        let samples = Samples.all.filter { $0.snac.kind != Warned.kind }
        for sample in samples {
            try add(.data, try sample.snac.encoded(), fromClient: sample.side == .client)
        }
        for family in [1, 2, 3, 4, 9, 0x13, 0x17] as [UInt16] {
            let error = try SNACError(.notLoggedOn, subcode: 0x0F).snac(family: family, requestID: 7)
            try add(.data, try error.encoded(), fromClient: false)
        }
        try add(.keepAlive, [], fromClient: true)
        try add(.signOff, try TLVBlock([TLV(9, integer: SignOff.kicked)]).encoded(), fromClient: false)
        let path = try #require(capturePath)
        try Data(capture.bytes).write(to: URL(fileURLWithPath: path))
        try "\(samples.count + 11)\n".write(toFile: path + ".count", atomically: true, encoding: .utf8)
    }
}
