import ProviderKit

/// Sends what a plan says, as fast as it allows.
final class LoadSender {
    private let host: Host
    private let from: Address
    private let to: Address
    private let textBytes: Int
    private var run: Run?

    /// A plan that is being carried out.
    private struct Run {
        let plan: LoadPlan
        /// Goes into ids and texts, so that no message is a duplicate of an earlier run's.
        let number: UInt32
        let startedAt: UInt64
        let then: (String) -> Void
        var sent = 0
        var acknowledged = 0

        func id(_ message: Int) -> String { "\(String(self.number, radix: 16))-\(message)" }
    }

    init(host: Host, from: Address, to: Address, textBytes: Int) {
        self.host = host
        self.from = from
        self.to = to
        self.textBytes = textBytes
    }

    /// Begins to send.
    ///
    /// - Parameter then: gets the answer to the order when the last message is acknowledged.
    func begin(_ plan: LoadPlan, then: @escaping (String) -> Void) throws(LoadError) {
        guard self.run == nil else { throw .busy }
        let number = self.host.randomBytes(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        self.run = Run(plan: plan, number: number, startedAt: MonotonicClock.now, then: then)
        self.fill()
    }

    /// Sends what may be sent now.
    func fill() {
        guard var run = self.run else { return }
        let elapsed = MonotonicClock.now - run.startedAt
        let allowed = run.plan.allowed(acknowledged: run.acknowledged, elapsedNs: elapsed)
        var isBusy = false
        do throws(HostError) {
            while !isBusy, run.sent < allowed {
                isBusy = try self.host.submit(self.message(run.sent, of: run)) == .busy
                if !isBusy { run.sent += 1 }
            }
            self.run = run
            guard !isBusy, let wait = run.plan.wait(sent: run.sent, elapsedNs: elapsed) else { return }
            _ = try self.host.startTimer(after: wait) { [weak self] in self?.fill() }
        } catch {
            self.failed("the router did not take message \(run.sent): \(error)")
        }
    }

    private func message(_ number: Int, of run: Run) -> Envelope {
        let text = LoadText(sentAt: MonotonicClock.now, run: run.number, number: UInt32(number))
        var message = Message(text: text.text(bytes: self.textBytes))
        let isLast = number + 1 == run.plan.count
        message.wantsDelivered = isLast || (number + 1).isMultiple(of: run.plan.receiptInterval)
        return Envelope(from: self.from, to: self.to, id: run.id(number), content: .message(message))
    }

    /// Notes that a message arrived, and with it all before it: a conversation is kept in order.
    func acknowledged(_ id: String) {
        guard let run = self.run else { return }
        let parts = id.split(separator: "-")
        guard parts.count == 2, UInt32(parts[0], radix: 16) == run.number, let message = Int(parts[1]) else { return }
        self.run?.acknowledged = max(run.acknowledged, message + 1)
        guard message + 1 == run.plan.count else { return self.fill() }
        self.run = nil
        run.then("done \(run.plan.count) \(Double(MonotonicClock.now - run.startedAt) / 1e9)")
    }

    /// Gives the run up.
    func failed(_ reason: String) {
        guard let run = self.run else { return }
        self.run = nil
        run.then("failed \(reason)")
    }
}
