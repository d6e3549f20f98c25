/// The conversations of one instance whose first message waits for another attempt.
///
/// Order is kept per conversation: while one is parked, its later messages stay on disk. When its
/// time has come and nothing of it is in flight any more, the spool reads all of it again.
struct ParkedConversations {
    private struct Entry {
        /// Order key, as the spool knows it.
        var key: String
        /// Its time has come.
        var isDue = false
        /// The spool has been asked.
        var isLoading = false
    }

    private var entries: [UInt64: Entry] = [:]

    var count: Int { entries.count }

    func contains(_ conversation: UInt64) -> Bool { !entries.isEmpty && entries[conversation] != nil }

    /// Parks a conversation.
    ///
    /// - Returns: false if it was parked already; its time stands then.
    mutating func park(_ conversation: UInt64, key: String) -> Bool {
        guard entries[conversation] == nil else { return false }
        entries[conversation] = Entry(key: key)
        return true
    }

    /// Notes that its time has come.
    ///
    /// - Parameter inFlight: envelopes of it that the provider still holds.
    /// - Returns: the order key if the spool is to be asked now.
    mutating func due(_ conversation: UInt64, inFlight: Int) -> String? {
        entries[conversation]?.isDue = true
        return claimLoad(conversation, inFlight)
    }

    /// Notes that an envelope of it was settled.
    ///
    /// - Parameter inFlight: envelopes of it that the provider still holds.
    /// - Returns: the order key if the spool is to be asked now.
    mutating func settled(_ conversation: UInt64, inFlight: Int) -> String? {
        guard !entries.isEmpty else { return nil }
        return claimLoad(conversation, inFlight)
    }

    /// Ends the parking: its messages follow.
    mutating func unpark(_ conversation: UInt64) {
        entries[conversation] = nil
    }

    private mutating func claimLoad(_ conversation: UInt64, _ inFlight: Int) -> String? {
        guard inFlight == 0, let entry = entries[conversation], entry.isDue, !entry.isLoading else { return nil }
        entries[conversation]?.isLoading = true
        return entry.key
    }
}
