internal import Foundation
internal import NIOConcurrencyHelpers
internal import NativeCalls

/// What a session tells its owner, on threads of its own.
package enum ForeignEvent: Hashable, Sendable {
    /// An account is logged in.
    case opened(account: Int)
    /// It is not, and why.
    case notOpened(account: Int, reason: String)
    /// A message was handed to the network, or not.
    case settled(job: UInt64, ForeignResult)
    /// There are messages; see ``ForeignSession/arrivals(_:)``.
    case arrived
    /// All calls have been made.
    case ended
}

/// What became of a message.
package enum ForeignResult: Hashable, Sendable {
    case delivered
    /// Worth another attempt.
    case retry(reason: String, code: String)
    case failed(reason: String, code: String)
}

/// A foreign library at work for one instance.
///
/// Foreign code may block, so all calls are made on one thread of the session's own, one after the other. The library calls
/// back on whatever thread it likes.
package final class ForeignSession: Sendable {
    /// Messages that wait for the thread at most.
    package static let jobsMax = 64

    let connector: ForeignConnector
    let accounts: [ForeignAccount]
    let tell: @Sendable (ForeignEvent) -> Void
    let queue: ArrivalQueue
    private let thread: JobThread
    private let work: NIOLockedValueBox<Work>

    /// What only the session's thread uses; the lock is for the compiler, nobody waits for it.
    struct Work {
        var handles: [UInt64?]
        var callbacks: [ForeignClosure?]
        var isInitialised = false
        /// Nil until something was polled.
        var buffers: PollBuffers?
    }

    /// - Parameter tell: called on any thread; must be quick, and not call back.
    package init(
        _ connector: ForeignConnector,
        accounts: [ForeignAccount],
        name: String,
        tell: @escaping @Sendable (ForeignEvent) -> Void
    ) {
        self.connector = connector
        self.accounts = accounts
        self.tell = tell
        queue = ArrivalQueue { tell(.arrived) }
        thread = JobThread(name: name, jobsMax: Self.jobsMax)
        let none = [UInt64?](repeating: nil, count: accounts.count)
        work = NIOLockedValueBox(Work(handles: none, callbacks: none.map { _ in nil }))
    }

    // MARK: For the owner

    /// Logs all accounts in; ``ForeignEvent/opened(account:)`` or `notOpened` follows for each.
    package func start() {
        thread.start()
        for account in accounts.indices { open(account) }
        guard let function = connector[.poll] else { return }
        thread.addRepeated(every: connector.manifest.pollInterval) {
            self.work.withLockedValue { self.poll(function, &$0) }
        }
    }

    /// The accounts' C functions that are alive.
    package var closureCount: Int { work.withLockedValue { $0.callbacks.count { $0 != nil } } }

    /// Logs one in, or tries again.
    package func open(_ account: Int) {
        thread.addAlways { self.work.withLockedValue { self.open(account, &$0) } }
    }

    /// Hands a message over; ``ForeignEvent/settled(job:_:)`` follows.
    ///
    /// - Returns: false if there is no room; after the next `settled` there is.
    package func deliver(_ letter: ForeignLetter, by account: Int, job: UInt64) -> Bool {
        thread.add {
            let result = self.work.withLockedValue { self.deliver(letter, by: account, $0) }
            self.tell(.settled(job: job, result))
        }
    }

    /// The messages that have come in, at most `count`; they stay until ``removeArrivals(_:)``.
    package func arrivals(_ count: Int) -> [ForeignArrival] { queue.first(count) }

    /// Takes away the first ones.
    package func removeArrivals(_ count: Int) { queue.removeFirst(count) }

    /// How many callbacks made no message (no sender, no text, too long) since this was last asked.
    package func takeUnusable() -> UInt64 { queue.takeUnusable() }

    /// Ends the session: what waits is dropped, the accounts are logged out, then ``hasEnded``.
    ///
    /// Does not wait: a call that blocks keeps the thread for as long as it does. Callbacks do nothing from now on.
    package func stop() {
        queue.close()
        thread.end { self.work.withLockedValue { self.closeAll(&$0) } }
    }

    /// Whether the thread is gone, or never was.
    package var hasEnded: Bool { thread.hasEnded }

    // MARK: On the thread

    private func open(_ account: Int, _ work: inout Work) {
        guard work.handles[account] == nil else { return }
        do throws(ForeignError) {
            if !work.isInitialised, let function = connector[.initialise] {
                _ = try check(ForeignCall().perform(function), function)
            }
            work.isInitialised = true
            var call = ForeignCall(account: accounts[account])
            call.callback = try callback(of: account, &work)
            if let function = connector[.open] {
                let answer = try check(call.perform(function), function)
                let isMade = function.form.arguments.contains(.newHandle)
                call.handle = isMade ? answer.newHandle : answer.slot
                guard !isMade || call.handle != 0 else { throw .noHandle(name: function.form.name) }
            }
            if let function = connector[.register] {
                do throws(ForeignError) {
                    _ = try check(call.perform(function), function)
                } catch {
                    if let close = connector[.close] { _ = try? call.perform(close) }
                    throw error
                }
            }
            work.handles[account] = call.handle
            tell(.opened(account: account))
        } catch {
            tell(.notOpened(account: account, reason: "\(error)"))
        }
    }

    func check(
        _ answer: ForeignCall.Answer,
        _ function: ForeignFunction
    ) throws(ForeignError) -> ForeignCall.Answer {
        guard answer.meaning == .success else { throw .refused(name: function.form.name, result: answer.result) }
        return answer
    }

    /// The account's own callback, made once.
    private func callback(of account: Int, _ work: inout Work) throws(ForeignError) -> UnsafeRawPointer? {
        guard let interface = connector.callback, let form = connector.manifest.callback else { return nil }
        if let known = work.callbacks[account] { return known.address }
        let target = CallbackTarget(interface, form, account: account, queue: queue)
        guard let closure = ForeignClosure(interface, target) else { throw .noClosure }
        work.callbacks[account] = closure
        return closure.address
    }

    private func deliver(_ letter: ForeignLetter, by account: Int, _ work: Work) -> ForeignResult {
        guard let handle = work.handles[account], let function = connector[.deliver] else {
            return .retry(reason: "the account is not logged in", code: "")
        }
        do throws(ForeignError) {
            let call = ForeignCall(account: accounts[account], handle: handle, letter: letter)
            let answer = try call.perform(function)
            let reason = "\(function.form.name) answered \(answer.result)"
            return switch answer.meaning {
            case .success: .delivered
            case .retry: .retry(reason: reason, code: "\(answer.result)")
            case .failure: .failed(reason: reason, code: "\(answer.result)")
            }
        } catch {
            return .failed(reason: "\(error)", code: "")
        }
    }

    private func closeAll(_ work: inout Work) {
        for account in work.handles.indices { close(account, &work) }
        if connector.manifest.callback?.until == .close { freeCallbacks(&work) }
        if work.isInitialised, let function = connector[.shutdown] { _ = try? ForeignCall().perform(function) }
        work.isInitialised = false
        if connector.manifest.callback?.until == .shutdown { freeCallbacks(&work) }
        tell(.ended)
    }

    /// Logs an account out, if it is logged in.
    func close(_ account: Int, _ work: inout Work) {
        guard let handle = work.handles[account] else { return }
        work.handles[account] = nil
        guard let function = connector[.close] else { return }
        _ = try? ForeignCall(account: accounts[account], handle: handle).perform(function)
    }

    /// Gives back what the library promises to call no more.
    private func freeCallbacks(_ work: inout Work) {
        for closure in work.callbacks { closure?.free() }
        work.callbacks = work.callbacks.map { _ in nil }
    }
}
