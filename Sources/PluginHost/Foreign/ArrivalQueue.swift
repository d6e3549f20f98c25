internal import Foundation

/// A message that a foreign library has called back with.
package struct ForeignArrival: Hashable, Sendable {
    /// The place of the account it came to.
    package var account: Int
    /// The sender's name on its network.
    package var from = ""
    /// Whom it is for, if the callback says so.
    package var to: String?
    package var text = ""
    /// The network's id of it; may be empty.
    package var id = ""

    package init(account: Int) {
        self.account = account
    }
}

/// What has come in and is not handed on yet, in order.
///
/// Threads of the library put in, and wait while it is full: so a router without room slows the library, and nothing is
/// lost. After ``close()`` nobody waits, and nothing more gets in.
///
/// Safe to share: all fields are used under the condition's lock.
final class ArrivalQueue: @unchecked Sendable {
    /// Messages that wait at most.
    static let arrivalsMax = 256

    private let condition = NSCondition()
    private let wake: @Sendable () -> Void
    private var arrivals: [ForeignArrival] = []
    private var isClosed = false
    private var unusable: UInt64 = 0

    /// - Parameter wake: called on the library's threads when the queue was empty and is not.
    init(wake: @escaping @Sendable () -> Void) {
        self.wake = wake
    }

    /// Puts a message in, as soon as there is room; one that is none is counted.
    func put(_ arrival: ForeignArrival?) {
        condition.lock()
        while arrivals.count >= Self.arrivalsMax, !isClosed { condition.wait() }
        var isFirst = false
        if !isClosed {
            if let arrival {
                isFirst = arrivals.isEmpty
                arrivals.append(arrival)
            } else {
                isFirst = true
                unusable += 1
            }
        }
        condition.unlock()
        if isFirst { wake() }
    }

    /// Whether ``put(_:)`` would return at once.
    var hasRoom: Bool {
        condition.lock()
        defer { condition.unlock() }
        return isClosed || arrivals.count < Self.arrivalsMax
    }

    /// The messages that wait now, at most `count`; they stay.
    func first(_ count: Int) -> [ForeignArrival] {
        condition.lock()
        defer { condition.unlock() }
        return Array(arrivals.prefix(count))
    }

    /// Takes away what was handed on.
    func removeFirst(_ count: Int) {
        guard count > 0 else { return }
        condition.lock()
        arrivals.removeFirst(count)
        condition.broadcast()
        condition.unlock()
    }

    /// How many callbacks made no message since this was last asked.
    func takeUnusable() -> UInt64 {
        condition.lock()
        defer { condition.unlock() }
        defer { unusable = 0 }
        return unusable
    }

    /// Lets everybody go.
    func close() {
        condition.lock()
        isClosed = true
        arrivals = []
        condition.broadcast()
        condition.unlock()
    }
}
