package import OSCARWire

/// Numbers the frames and the requests of one connection.
package struct FrameCounter: Hashable, Sendable {
    private var sequence: UInt16 = 0
    private var requestID: UInt32 = 0

    /// For a new connection.
    package init() {}

    /// The bytes of the next frame.
    package mutating func frame(_ channel: FLAPFrame.Channel, _ payload: [UInt8]) throws(OSCARWireError) -> [UInt8] {
        var writer = WireWriter()
        try FLAPFrame(channel, sequence: self.sequence, payload: payload).write(to: &writer)
        self.sequence &+= 1
        return writer.bytes
    }

    /// The bytes of a message's frame, and the id that its answer will have.
    ///
    /// Ids are 1 to 0x7FFFFFFF, then 1 again: those with the highest bit are the server's own.
    package mutating func request(_ message: some SNACMessage) throws(OSCARWireError) -> (bytes: [UInt8], id: UInt32) {
        let id = self.requestID == 0x7FFF_FFFF ? 1 : self.requestID + 1
        let bytes = try self.frame(.data, SNAC(message, requestID: id).encoded())
        self.requestID = id
        return (bytes, id)
    }
}
