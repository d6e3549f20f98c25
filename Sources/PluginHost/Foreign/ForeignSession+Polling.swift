internal import NativeCalls

// Libraries that do not call by themselves. On the session's thread.
extension ForeignSession {
    /// Messages of one account that are fetched in a row; the other accounts, and what is to be sent, come between.
    static let polledMax = 64

    /// Asks for each account that is logged in whether something has come.
    ///
    /// - Returns: whether there is more, to be asked for at once.
    func poll(_ function: ForeignFunction, _ work: inout Work) -> Bool {
        let buffers = work.buffers ?? PollBuffers()
        work.buffers = buffers
        var hasMore = false
        for account in accounts.indices where work.handles[account] != nil {
            hasMore = poll(function, account, buffers, &work) || hasMore
        }
        return hasMore
    }

    private func poll(
        _ function: ForeignFunction,
        _ account: Int,
        _ buffers: PollBuffers,
        _ work: inout Work
    ) -> Bool {
        guard let handle = work.handles[account] else { return false }
        let isMessage = function.form.arguments.contains(.textBuffer)
        for _ in 0..<Self.polledMax {
            // What is not fetched the library keeps: so a router without room slows it.
            guard queue.hasRoom else { return false }
            buffers.clear()
            do throws(ForeignError) {
                let answer = try ForeignCall(account: accounts[account], handle: handle, buffers: buffers)
                    .perform(function)
                if answer.meaning == .retry { return false }
                _ = try check(answer, function)
            } catch {
                close(account, &work)
                tell(.notOpened(account: account, reason: "\(error)"))
                return false
            }
            if isMessage { queue.put(buffers.arrival(for: account)) }
        }
        return true
    }
}
