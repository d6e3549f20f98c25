import ProviderKit

/// One connection to the control port: orders in, answers out, a line each.
final class ControlSession: StreamSession {
    private unowned let provider: LoadProvider
    private var stream: Stream?

    /// The longest line that is an order.
    private static let lineBytesMax = 256

    init(_ provider: LoadProvider) {
        self.provider = provider
    }

    func accepted(_ stream: Stream) { self.stream = stream }

    func opened(_ stream: Stream, tls: TLSInfo?) {}

    func received(_ input: inout ByteReader, on stream: Stream) {
        while let line = input.readBytes(through: UInt8(ascii: "\n")) {
            self.provider.obey(String(decoding: line, as: UTF8.self)) { [weak self] in self?.answer($0) }
        }
        if input.remaining > Self.lineBytesMax { stream.abort() }
    }

    func closed(_ stream: Stream, reason: CloseReason) { self.stream = nil }

    private func answer(_ line: String) {
        do throws(HostError) {
            try self.stream?.write(Array("\(line)\n".utf8))
        } catch {
            self.stream?.abort()
        }
    }
}
