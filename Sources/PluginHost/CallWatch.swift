internal import Synchronization

/// What a provider can be called for: its functions, as the ABI names them.
package enum ProviderCall: UInt8, CaseIterable, Sendable {
    case create = 1
    case start
    case drain
    case stop
    case deliver
    case submitted
    case room
    case accepted
    case opened
    case received
    case writable
    case closed
    case resolved
    case fired
    case links
    /// Anything about an HTTP request.
    case http
    /// Anything about a socket for datagrams.
    case udp
    /// One of its commands.
    case command
    /// An answer of the store or the vault.
    case stored
    /// Anything about linked accounts.
    case accounts
    /// The organisation's domains changed.
    case homes
}

/// Which call into a plugin one worker is in, for a thread that watches it.
///
/// The worker pays two stores a call and reads no clock: who watches sees whether a call is still the same.
///
/// Safe to share: the counter is the worker's own, the word is atomic.
package final class CallWatch: @unchecked Sendable {
    /// A call that has not returned.
    package struct Present: Hashable, Sendable {
        /// Grows with each call: the same number is the same call.
        package var number: UInt64
        /// The instance's place in the router's list.
        package var instance: Int
        package var call: ProviderCall

        package init(number: UInt64, instance: Int, call: ProviderCall) {
            self.number = number
            self.instance = instance
            self.call = call
        }
    }

    /// Number, instance in 16 bits, call in 8; 0: none.
    private let word = Atomic<UInt64>(0)
    @exclusivity(unchecked) private var number: UInt64 = 0

    package init() {}

    /// The worker enters a call.
    ///
    /// Its thread only. Calls do not nest.
    func enter(_ call: ProviderCall, _ instance: Int) {
        number &+= 1
        word.store(
            number << 24 | UInt64(UInt16(truncatingIfNeeded: instance)) << 8 | UInt64(call.rawValue),
            ordering: .relaxed
        )
    }

    /// The call has returned.
    ///
    /// The worker's thread only.
    func leave() {
        word.store(0, ordering: .relaxed)
    }

    /// The number of the call that the worker is in; nil if it is in none.
    ///
    /// The worker's thread only.
    package var presentNumber: UInt64? { word.load(ordering: .relaxed) == 0 ? nil : number }

    /// The call that the worker is in; nil if it is in none.
    ///
    /// Any thread.
    package var present: Present? {
        let word = word.load(ordering: .relaxed)
        guard let call = ProviderCall(rawValue: UInt8(truncatingIfNeeded: word)) else { return nil }
        return Present(number: word >> 24, instance: Int(UInt16(truncatingIfNeeded: word >> 8)), call: call)
    }
}
