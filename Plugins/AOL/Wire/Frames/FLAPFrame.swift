/// One FLAP frame: the outermost unit of an OSCAR connection.
///
///     offset  size  field
///     0       1     marker, always 0x2A
///     1       1     channel
///     2       2     sequence number: one count for each direction, wraps
///     4       2     bytes of payload
///     6       n     payload
///
/// A server's sign-off to an old client is cut off after the sequence number; see ``Ending``.
package struct FLAPFrame: Hashable, Sendable {
    /// What a frame is for.
    package enum Channel: UInt8, CaseIterable, Sendable {
        /// The first frame of each side, and the roasted login.
        case signOn = 1
        /// SNACs.
        case data = 2
        /// An error of the connection; nobody sends it.
        case error = 3
        /// The end, with a reason perhaps.
        case signOff = 4
        /// Nothing, so that the connection is not idle.
        case keepAlive = 5
    }

    /// The first byte of each frame.
    package static let marker: UInt8 = 0x2A
    /// Bytes before the payload.
    package static let headerBytes = 6
    /// The most that the length field can say.
    package static let payloadBytesMax = 65_535

    /// What it is for.
    package var channel: Channel
    /// Of the sender's frames on this connection.
    package var sequence: UInt16
    /// At most ``payloadBytesMax`` bytes.
    package var payload: [UInt8]

    /// Puts a frame together.
    package init(_ channel: Channel, sequence: UInt16, payload: [UInt8] = []) {
        self.channel = channel
        self.sequence = sequence
        self.payload = payload
    }

    /// Reads the frame at the beginning of `bytes`.
    ///
    /// - Parameter payloadBytesMax: the longest payload to wait for.
    /// - Returns: the frame and the bytes that it took, or nil while it is incomplete.
    /// - Throws: what is wrong with the header, as soon as the wrong byte is there. The connection is beyond repair then.
    package static func read(
        _ bytes: UnsafeRawBufferPointer,
        payloadBytesMax: Int = FLAPFrame.payloadBytesMax
    ) throws(OSCARWireError) -> (frame: FLAPFrame, byteCount: Int)? {
        guard let first = bytes.first else { return nil }
        guard first == FLAPFrame.marker else { throw .badMarker(first) }
        guard bytes.count > 1 else { return nil }
        guard let channel = Channel(rawValue: bytes[1]) else { throw .unknownChannel(bytes[1]) }
        guard bytes.count >= FLAPFrame.headerBytes else { return nil }
        let length = Int(bytes[4]) << 8 | Int(bytes[5])
        guard length <= payloadBytesMax else {
            throw .tooLong(field: "a frame's payload", bytes: length, max: payloadBytesMax)
        }
        let byteCount = FLAPFrame.headerBytes + length
        guard bytes.count >= byteCount else { return nil }
        let sequence = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        let payload = Array(bytes[FLAPFrame.headerBytes..<byteCount])
        return (FLAPFrame(channel, sequence: sequence, payload: payload), byteCount)
    }

    /// Writes the frame.
    ///
    /// - Throws: ``OSCARWireError/tooLong(field:bytes:max:)`` for a payload above ``payloadBytesMax``.
    package func write(to writer: inout WireWriter) throws(OSCARWireError) {
        let length = try WireWriter.count16(self.payload.count, "a frame's payload")
        writer.integer(FLAPFrame.marker)
        writer.integer(self.channel.rawValue)
        writer.integer(self.sequence)
        writer.integer(length)
        writer.append(self.payload)
    }
}

extension FLAPFrame {
    /// What the other side left unfinished when it closed the connection.
    package enum Ending: Hashable, Sendable {
        /// Nothing: the connection ended between two frames.
        case clean
        /// The sign-off without a length that servers send to clients which did not say whether they may sign on twice.
        case bareSignOff
        /// A part of a frame.
        case truncated(byteCount: Int)

        /// Judges the bytes after the last whole frame.
        package init(rest: UnsafeRawBufferPointer) {
            if rest.isEmpty {
                self = .clean
            } else if rest.count == 4, rest[0] == FLAPFrame.marker, rest[1] == Channel.signOff.rawValue {
                self = .bareSignOff
            } else {
                self = .truncated(byteCount: rest.count)
            }
        }
    }
}
