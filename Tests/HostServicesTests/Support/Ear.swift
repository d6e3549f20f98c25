import HostServices

/// A stream delegate that remembers what it heard, and does what a test tells it to.
// Safe: used on its worker's loop alone.
final class Ear: StreamDelegate, @unchecked Sendable {
    /// One call, and its place in time.
    enum Event: Equatable {
        case accepted(StreamHandle, ListenerHandle)
        case opened(StreamHandle, tls: TLSInfo?)
        case received(StreamHandle, Int)
        case writable(StreamHandle)
        case closed(StreamHandle, CloseReason)
    }

    private(set) var events: [Event] = []
    /// What each stream's delegate consumed.
    private(set) var consumed: [StreamHandle: [UInt8]] = [:]
    var onAccepted: (StreamHandle) -> Bool = { _ in true }
    var onOpened: (StreamHandle) -> Void = { _ in }
    var onReceived: (StreamHandle, UnsafeRawBufferPointer) -> Consumption = { .consumed($1.count) }
    var onWritable: (StreamHandle) -> Void = { _ in }
    var onClosed: (StreamHandle) -> Void = { _ in }
    private var waiting: [() -> Bool] = []
    /// Whether the service is calling now: nothing may come from inside a call.
    private(set) var depth = 0

    func accepted(_ stream: StreamHandle, on listener: ListenerHandle) -> Bool {
        heard(.accepted(stream, listener)) { onAccepted(stream) }
    }

    func opened(_ stream: StreamHandle, tls: TLSInfo?) {
        heard(.opened(stream, tls: tls)) { onOpened(stream) }
    }

    func received(_ stream: StreamHandle, _ bytes: UnsafeRawBufferPointer) -> Consumption {
        heard(.received(stream, bytes.count)) {
            let done = onReceived(stream, bytes)
            let taken = UnsafeRawBufferPointer(rebasing: bytes.prefix(max(0, done.bytes)))
            consumed[stream, default: []].append(contentsOf: taken)
            return done
        }
    }

    func writable(_ stream: StreamHandle) {
        heard(.writable(stream)) { onWritable(stream) }
    }

    func closed(_ stream: StreamHandle, _ reason: CloseReason) {
        heard(.closed(stream, reason)) { onClosed(stream) }
    }

    /// Calls `done` once `condition` holds: now, or after an event.
    func when(_ condition: @escaping (Ear) -> Bool, _ done: @escaping () -> Void) {
        guard !condition(self) else { return done() }
        waiting.append { [unowned self] in
            guard condition(self) else { return false }
            done()
            return true
        }
    }

    private func heard<T>(_ event: Event, _ act: () -> T) -> T {
        precondition(depth == 0, "called back from inside a call")
        depth += 1
        events.append(event)
        let result = act()
        depth -= 1
        waiting.removeAll { $0() }
        return result
    }
}

extension Ear {
    /// The streams accepted so far.
    var acceptedStreams: [StreamHandle] {
        events.compactMap { if case .accepted(let stream, _) = $0 { stream } else { nil } }
    }

    /// What TLS said, for each time `stream` was opened.
    func openings(_ stream: StreamHandle) -> [TLSInfo?] {
        events.compactMap { if case .opened(stream, let tls) = $0 { .some(tls) } else { nil } }
    }

    /// The reasons `stream` was closed for: one, if all is well.
    func closings(_ stream: StreamHandle) -> [CloseReason] {
        events.compactMap { if case .closed(stream, let reason) = $0 { reason } else { nil } }
    }

    /// Everything consumed, as text.
    func text(_ stream: StreamHandle) -> String {
        String(decoding: consumed[stream] ?? [], as: UTF8.self)
    }
}
