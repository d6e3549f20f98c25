internal import ProviderKit

/// One timer that is set again and again; setting it forgets the time before.
final class Alarm {
    private let host: Host
    private var timer: Host.Timer?

    /// An alarm that is not set.
    init(host: Host) {
        self.host = host
    }

    /// Calls `body` once after `milliseconds`, unless it is set again or cancelled before.
    ///
    /// Where the host has no timers left, it never rings; the host has then limits of its own that end the stream.
    func set(_ milliseconds: UInt64, _ body: @escaping () -> Void) {
        self.cancel()
        do throws(HostError) {
            self.timer = try self.host.startTimer(after: milliseconds) { [weak self] in
                self?.timer = nil
                body()
            }
        } catch {
            self.host.log(.warning, "a timer could not be started", [.reason: "\(error)"])
        }
    }

    /// Makes sure that it does not ring.
    func cancel() {
        if let timer = self.timer { self.host.cancel(timer) }
        self.timer = nil
    }

    deinit { self.cancel() }
}

extension Duration {
    /// Whole milliseconds; 0 for what is negative.
    var milliseconds: UInt64 {
        let (seconds, attoseconds) = self.components
        return seconds < 0 ? 0 : UInt64(seconds) * 1000 + UInt64(max(0, attoseconds) / 1_000_000_000_000_000)
    }
}
