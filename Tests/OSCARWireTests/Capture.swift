/// A file of network packets for tools such as tshark: one TCP connection to port 5190, one packet a frame.
///
/// Source: the format of libpcap's savefiles, version 2.4; link type 101 is bare IP.
struct Capture {
    private(set) var bytes: [UInt8] = []
    private var sent: [UInt32] = [1, 1]
    private var packets: UInt32 = 0

    init() {
        // Magic number, version 2.4, two zeros, longest packet, link type.
        self.bytes = []
        for number in [0xA1B2_C3D4, 0x0002_0004, 0, 0, 0xFFFF, 101] as [UInt32] { self.append(number) }
    }

    /// Adds a packet with these bytes.
    mutating func add(_ payload: [UInt8], fromClient: Bool) {
        let length = UInt32(40 + payload.count)
        for number in [self.packets, 0, length, length] { self.append(number) }
        self.packets += 1
        // IP: version 4, 20 bytes, protocol TCP, 127.0.0.1 to 127.0.0.1; no checksum.
        for number in [0x4500_0000 | length, 0, 0x4006_0000, 0x7F00_0001, 0x7F00_0001] { self.append(number) }
        // TCP: ports, numbers, 20 bytes with ACK and PSH, window.
        let side = fromClient ? 0 : 1
        self.append(fromClient ? 40_000 << 16 | 5_190 : 5_190 << 16 | 40_000)
        self.append(self.sent[side])
        self.append(self.sent[1 - side])
        self.append(0x5018_FFFF)
        self.append(0)
        self.bytes += payload
        self.sent[side] += UInt32(payload.count)
    }

    private mutating func append(_ number: UInt32) {
        self.bytes += [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: number >> $0) }
    }
}
