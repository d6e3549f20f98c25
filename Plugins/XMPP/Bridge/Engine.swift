internal import ProviderKit

/// What an instance of the plugin does: federation with other servers, or a component of the organisation's own.
protocol Engine: AnyObject {
    /// Whether envelopes can be taken.
    var isReady: Bool { get }
    /// What the operator sees of the links.
    var reports: [LinkReport] { get }
    /// Begins work.
    func start() throws(ProviderError)
    /// Sends an envelope; completes it in any case.
    func send(_ delivery: Delivery)
    /// The router has room again.
    func room()
    /// Ends all streams in an orderly way.
    func drain()
    /// Forgets everything; the host has closed all streams.
    func stop()
}

extension Federation: Engine {}
