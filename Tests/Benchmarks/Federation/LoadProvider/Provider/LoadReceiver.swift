/// Counts what arrives, and how long it took.
struct LoadReceiver {
    private var run: UInt32 = 0
    private var count = 0
    /// Messages that were not the next of their run: lost ones before them, or came twice.
    private var misplaced = 0
    /// In µs.
    private var latencies: [UInt32] = []

    /// Notes a message; the first of a run makes it forget the run before.
    mutating func received(_ text: String, at now: UInt64) {
        guard let text = LoadText(text) else {
            self.misplaced += 1
            return
        }
        if text.number == 0, text.run != self.run {
            self.run = text.run
            self.count = 0
            self.misplaced = 0
            self.latencies.removeAll(keepingCapacity: true)
        }
        if text.run != self.run || text.number != self.count { self.misplaced += 1 }
        self.count += 1
        self.latencies.append(UInt32(clamping: (max(now, text.sentAt) - text.sentAt) / 1000))
    }

    /// The answer to ``LoadOrder/report``.
    var report: String {
        let sorted = self.latencies.sorted()
        let percentiles = [50, 90, 99].map { sorted.isEmpty ? 0 : sorted[(sorted.count - 1) * $0 / 100] }
        return "received \(self.count) \(self.misplaced) " + percentiles.map { "\($0)" }.joined(separator: " ")
    }
}
