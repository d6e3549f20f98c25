internal import Dispatch
internal import GRDB
internal import NIOConcurrencyHelpers

/// Keys and values of many name spaces, in one SQLite file.
///
/// Any thread. Work is done on a thread of the store's own, in the order in which it was asked for; what gathers while
/// something is being written shares the next commit.
package final class KeyValueStore: KeyValueBackend {
    /// The database file.
    package let path: String
    package let limits: StoreLimits

    let database: DatabaseQueue
    let seal: any ValueSeal
    private let lock: StoreLock
    private let working = DispatchQueue(label: "store")
    private let jobs = NIOLockedValueBox<[Job]>([])

    private struct Job: Sendable {
        var operation: StoreOperation
        var space: String
        var done: @Sendable (Result<StoreAnswer, StoreError>) -> Void
    }

    /// Operations that share one commit at the most.
    static let batchMax = 256

    /// Opens the store, or makes an empty one that only this user can read.
    ///
    /// - Throws: ``StoreError``, ``StoreError/inUse(path:)`` among them.
    package convenience init(path: String, limits: StoreLimits = StoreLimits()) throws(StoreError) {
        try self.init(path: path, limits: limits, seal: PlainValues())
    }

    init(path: String, limits: StoreLimits, seal: any ValueSeal) throws(StoreError) {
        let lock = try StoreLock(path: path)
        try StoreFile.makePrivate(path)
        do {
            database = try Self.open(path)
            try StoreTables.migrate(database)
        } catch {
            throw StoreError(error, path: path)
        }
        self.path = path
        self.limits = limits
        self.seal = seal
        self.lock = lock
    }

    private static func open(_ path: String) throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.label = "store"
        configuration.prepareDatabase { db in
            try db.execute(sql: "PRAGMA journal_mode = WAL")
            // With NORMAL a power cut may lose the last commits.
            try db.execute(sql: "PRAGMA synchronous = FULL")
            // What is removed or written over shall not stay in the file.
            try db.execute(sql: "PRAGMA secure_delete = ON")
        }
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    package func perform(
        _ operation: StoreOperation,
        in space: String,
        done: @escaping @Sendable (Result<StoreAnswer, StoreError>) -> Void
    ) {
        let isFirst = jobs.withLockedValue { jobs in
            jobs.append(Job(operation: operation, space: space, done: done))
            return jobs.count == 1
        }
        if isFirst { working.async { self.performGathered() } }
    }

    /// The same for whoever can wait.
    package func performNow(_ operation: StoreOperation, in space: String) throws(StoreError) -> StoreAnswer {
        let answers = answers(to: [Job(operation: operation, space: space) { _ in }])
        return try answers[0].get()
    }

    private func performGathered() {
        let gathered = jobs.withLockedValue { jobs in
            defer { jobs = [] }
            return jobs
        }
        for start in stride(from: 0, to: gathered.count, by: Self.batchMax) {
            let batch = Array(gathered[start..<min(start + Self.batchMax, gathered.count)])
            for (job, answer) in zip(batch, answers(to: batch)) { job.done(answer) }
        }
    }

    /// Does some work in one transaction; one that fails has changed nothing, and fails alone.
    private func answers(to batch: [Job]) -> [Result<StoreAnswer, StoreError>] {
        do {
            return try database.writeWithoutTransaction { db in
                let tables = StoreTables(db: db, limits: limits, seal: seal)
                guard !batch.allSatisfy(\.operation.isReading) else { return try batch.map { try answer($0, tables) } }
                var answers: [Result<StoreAnswer, StoreError>] = []
                try db.inTransaction(.immediate) {
                    answers = try batch.map { try answer($0, tables) }
                    return .commit
                }
                return answers
            }
        } catch {
            let error = StoreError(error, path: path)
            return batch.map { _ in .failure(error) }
        }
    }

    /// - Throws: what concerns all of the transaction.
    private func answer(_ job: Job, _ tables: StoreTables) throws -> Result<StoreAnswer, StoreError> {
        do {
            return .success(try tables.perform(job.operation, in: job.space))
        } catch let error as StoreError {
            // Thrown before anything was changed.
            return .failure(error)
        }
    }

    /// Does what was asked for, and closes the file.
    ///
    /// What is asked for later fails.
    package func close() {
        working.sync {}
        try? database.close()
        lock.release()
    }
}
