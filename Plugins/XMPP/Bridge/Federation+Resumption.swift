internal import ProviderKit
internal import XMPPSession

/// The counts of inbound streams that can be resumed, by the streams' names (XEP-0198 §5).
struct ResumableStreams {
    /// Most that are kept after their connection broke; the longest broken is forgotten for another.
    let max: Int
    private var streams: [String: HandledStanzas] = [:]
    /// Names of those whose connection broke, the longest broken first, each with when it is forgotten, in ms.
    private var broken: [(id: String, until: UInt64)] = []

    /// None.
    init(max: Int) {
        self.max = max
    }

    /// How many are kept without a connection.
    var brokenCount: Int { self.broken.count }

    /// A stream that can be resumed from now on.
    mutating func add(_ handled: HandledStanzas) {
        if let id = handled.id { self.streams[id] = handled }
    }

    /// A stream's connection broke.
    mutating func keep(_ handled: HandledStanzas, until: UInt64) {
        guard let id = handled.id, self.streams[id] === handled else { return }
        if self.broken.count >= self.max { self.streams[self.broken.removeFirst().id] = nil }
        self.broken.append((id, until))
    }

    /// A stream has ended for good.
    mutating func remove(_ handled: HandledStanzas) {
        guard let id = handled.id, self.streams[id] === handled else { return }
        self.streams[id] = nil
        self.broken.removeAll { $0.id == id }
    }

    /// The stream of this name, between these domains; nil if it is not known any more.
    ///
    /// It counts as connected from then on.
    mutating func take(_ id: String, _ pair: DomainPair, nowMs: UInt64) -> HandledStanzas? {
        self.forget(nowMs: nowMs)
        guard let handled = self.streams[id], handled.pair == pair else { return nil }
        self.broken.removeAll { $0.id == id }
        return handled
    }

    /// Forgets those whose time is over.
    mutating func forget(nowMs: UInt64) {
        let over = self.broken.prefix { $0.until <= nowMs }
        for stream in over { self.streams[stream.id] = nil }
        self.broken.removeFirst(over.count)
    }
}

extension Federation {
    private var nowMs: UInt64 { self.host.monotonicClock / 1_000_000 }

    /// The connection of a managed stream broke; its count is kept for a while.
    func broke(_ handled: HandledStanzas) {
        handled.detach()
        self.resumable.forget(nowMs: self.nowMs)
        self.resumable.keep(handled, until: self.nowMs + self.settings.server.resumptionTime.milliseconds)
    }

    /// Finds the stream that a session is to go on with, and ends the connection that it had.
    func takeOver(_ id: String, _ pair: DomainPair, for session: InboundSession) -> HandledStanzas? {
        guard let handled = self.resumable.take(id, pair, nowMs: self.nowMs) else { return nil }
        handled.session?.superseded()
        handled.detach()
        handled.session = session
        return handled
    }
}
