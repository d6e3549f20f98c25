import Foundation
import Synchronization
import Testing

/// A peer of a ``LineProvider`` on a socket of the system's, with a thread that reads.
final class LineClient: Sendable {
    private let descriptor: Int32
    /// Lines that came, in order; `END` when the stream has ended.
    let lines = Recorder<String>()

    /// Connects to a port of this machine.
    ///
    /// - Parameter took: hears of each line on the reading thread.
    init(port: UInt16, took: (@Sendable (LineClient, String) -> Void)? = nil) throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.descriptor = descriptor
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
        }
        try #require(result == 0, "port \(port) does not answer: \(String(cString: strerror(errno)))")
        Thread { [self] in read(took) }.start()
    }

    deinit { Foundation.close(descriptor) }

    func send(_ line: String) {
        var rest = ArraySlice("\(line)\n".utf8)
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Sends nothing more.
    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    private func read(_ took: (@Sendable (LineClient, String) -> Void)?) {
        var buffer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &chunk, chunk.count, 0)
            guard count > 0 else { break }
            buffer += chunk[..<count]
            while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: buffer[..<end], as: UTF8.self)
                buffer.removeFirst(end + 1)
                lines.append(line)
                took?(self, line)
            }
        }
        lines.append("END")
        took?(self, "END")
    }
}
