internal import NIOConcurrencyHelpers
internal import NIOCore

/// A home user's account, from its linking to its unlinking.
package struct AccountHandle: ServiceHandle {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// A question for a password that has no answer yet.
package struct AccountRequestHandle: ServiceHandle {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Hears of accounts, on the worker's loop, outside of any call into ``AccountService``.
package protocol AccountDelegate: AnyObject {
    /// Accounts are linked, up to ``AccountService/partMax``.
    ///
    /// - Parameter isListed: whether these end the list that was asked for.
    func linked(_ accounts: [(handle: AccountHandle, record: AccountRecord)], isListed: Bool)
    /// An account has another password.
    func changed(_ account: AccountHandle)
    /// An account is linked no longer; the handle is stale already.
    func unlinked(_ account: AccountHandle)
    /// The accounts cannot be read; nothing follows.
    func accountsFailed(_ reason: String)
    /// Answers a request; its handle is stale already.
    func password(_ request: AccountRequestHandle, _ result: Result<[UInt8], AccountError>)
}

/// One instance's accounts.
///
/// Worker's loop only.
package final class AccountService {
    /// Hears of accounts and answers.
    package weak var delegate: (any AccountDelegate)?

    /// The most accounts that are told at once.
    package static let partMax = 256

    private let worker: Worker
    private let limits: ServiceLimits
    private let source: (any AccountSource)?
    private let instance: String
    private var accounts = SlotTable<AccountHandle, AccountRecord>()
    private var handles: [AccountRecord: AccountHandle] = [:]
    /// Questions without an answer, by what they are about.
    private var open = SlotTable<AccountRequestHandle, AccountHandle>()
    /// What the source holds, which may be for long: it leads here until it is emptied.
    ///
    /// Nil: nobody has asked to follow.
    private var following: Following?
    private var isStopped = false

    private typealias Following = NIOLockedValueBox<NIOLoopBound<AccountService>?>

    /// - Parameter source: nil: there is none, and every request is refused.
    package init(worker: Worker, limits: ServiceLimits, source: (any AccountSource)?, instance: String) {
        self.worker = worker
        self.limits = limits
        self.source = source
        self.instance = instance
    }

    /// Asks for all accounts, and for what becomes of them.
    ///
    /// - Throws: ``ServiceError/badState(_:)``, ``ServiceError/notConfigured(_:)``, ``ServiceError/stopped``.
    package func follow() throws(ServiceError) {
        worker.preconditionOnLoop()
        guard !isStopped else { throw .stopped }
        guard let source else { throw .notConfigured("linked accounts") }
        guard following == nil else { throw .badState("the accounts are followed already") }
        let following = Following(NIOLoopBound(self, eventLoop: worker.eventLoop))
        self.following = following
        let worker = worker
        source.follow(instance) { news in
            guard let bound = following.withLockedValue({ $0 }) else { return false }
            worker.run { bound.value.heard(news) }
            return true
        }
    }

    /// Asks for an account's password; the delegate hears of the answer, once.
    ///
    /// - Throws: ``ServiceError/unknownHandle(_:)``, ``ServiceError/limitReached(_:limit:)``,
    ///   ``ServiceError/notConfigured(_:)``, ``ServiceError/stopped``.
    package func askPassword(of account: AccountHandle) throws(ServiceError) -> AccountRequestHandle {
        worker.preconditionOnLoop()
        guard !isStopped else { throw .stopped }
        guard let source else { throw .notConfigured("linked accounts") }
        guard let record = accounts[account] else { throw .unknownHandle(account.rawValue) }
        guard open.count < limits.accountRequestsMax else {
            throw .limitReached(.accountRequests, limit: limits.accountRequestsMax)
        }
        let request = open.insert { _ in account }
        let bound = NIOLoopBound(self, eventLoop: worker.eventLoop)
        let worker = worker
        source.password(of: record, at: instance) { result in
            worker.run { bound.value.answered(request, result) }
        }
        return request
    }

    /// Hears of nothing any more.
    package func closeAll() {
        worker.preconditionOnLoop()
        isStopped = true
        following?.withLockedValue { $0 = nil }
        open = SlotTable()
        accounts = SlotTable()
        handles = [:]
    }

    // MARK: News

    private func heard(_ news: AccountNews) {
        guard !isStopped else { return }
        switch news {
        case .list(let records):
            var rest = records[...]
            repeat {
                let part = rest.prefix(Self.partMax)
                rest = rest.dropFirst(Self.partMax)
                delegate?.linked(part.map(add), isListed: rest.isEmpty)
            } while !rest.isEmpty && !isStopped
        case .linked(let record):
            delegate?.linked([add(record)], isListed: false)
        case .changed(let record):
            if let handle = handles[record] { delegate?.changed(handle) }
        case .unlinked(let record):
            guard let handle = handles.removeValue(forKey: record) else { return }
            accounts.remove(handle)
            delegate?.unlinked(handle)
        case .failed(let reason):
            delegate?.accountsFailed(reason)
        }
    }

    private func add(_ record: AccountRecord) -> (handle: AccountHandle, record: AccountRecord) {
        let handle = accounts.insert { _ in record }
        handles[record] = handle
        return (handle, record)
    }

    private func answered(_ request: AccountRequestHandle, _ result: Result<[UInt8], AccountError>) {
        guard let account = open.remove(request) else { return }
        // One that was unlinked, and perhaps linked again, meanwhile is another account.
        delegate?.password(request, accounts[account] == nil ? .failure(.notLinked) : result)
    }
}
