internal import Dispatch
internal import Foundation

/// The lines that a person types.
enum StandardInput {
    /// The longest line that a terminal hands out, with its end, in bytes (termios(3), "Canonical mode").
    private static let lineBytesMax = 4096

    /// Lines until Ctrl-D, or until nobody wants them any more.
    ///
    /// Only for a terminal, which hands out a line at each read.
    static func lines() -> AsyncStream<String> {
        AsyncStream { continuation in
            // Safe to share: it is only cancelled elsewhere, which any thread may do.
            nonisolated(unsafe) let source = DispatchSource.makeReadSource(
                fileDescriptor: STDIN_FILENO,
                queue: .global()
            )
            source.setEventHandler {
                var bytes = [UInt8](repeating: 0, count: lineBytesMax)
                let count = read(STDIN_FILENO, &bytes, bytes.count)
                guard count > 0 else { return continuation.finish() }
                let line = String(decoding: bytes[..<count], as: UTF8.self)
                continuation.yield(line.trimmingCharacters(in: .whitespacesAndNewlines))
            }
            continuation.onTermination = { _ in source.cancel() }
            source.resume()
        }
    }
}

/// Turns signals into calls.
struct Signals {
    private let sources: [any DispatchSourceSignal]

    /// - Parameter body: called on a thread of Dispatch's, each time.
    init(_ numbers: [Int32], _ body: @escaping @Sendable () -> Void) {
        sources = numbers.map { number in
            // Else the signal would end the process before Dispatch sees it.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler(handler: body)
            source.resume()
            return source
        }
    }
}
