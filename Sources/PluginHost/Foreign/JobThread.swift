internal import Foundation

/// A thread that does one job after the other.
///
/// Safe to share: all fields are used under the condition's lock.
final class JobThread: @unchecked Sendable {
    typealias Job = @Sendable () -> Void

    /// What foreign code is used to: the size of a main thread's stack.
    private static let stackBytes = 8 << 20

    private let condition = NSCondition()
    private let name: String
    private let jobsMax: Int
    private var jobs: [Job] = []
    /// The last job, after which the thread goes.
    private var last: Job?
    private var isLastTaken = false
    private var isRunning = false

    /// - Parameter jobsMax: jobs that wait at most.
    init(name: String, jobsMax: Int) {
        self.name = name
        self.jobsMax = jobsMax
    }

    func start() {
        condition.lock()
        defer { condition.unlock() }
        guard !isRunning, last == nil else { return }
        isRunning = true
        let thread = Thread { self.run() }
        thread.name = name
        thread.stackSize = Self.stackBytes
        thread.start()
    }

    /// Adds a job; false if there is no room for it, or the thread ends.
    func add(_ job: @escaping Job) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard last == nil, jobs.count < jobsMax else { return false }
        jobs.append(job)
        condition.signal()
        return true
    }

    /// Adds a job of which there are few, whether there is room or not.
    func addAlways(_ job: @escaping Job) {
        condition.lock()
        defer { condition.unlock() }
        guard last == nil else { return }
        jobs.append(job)
        condition.signal()
    }

    /// Drops what waits, does one more job, and goes.
    func end(_ job: @escaping Job) {
        condition.lock()
        defer { condition.unlock() }
        guard last == nil else { return }
        jobs = []
        last = job
        condition.signal()
    }

    /// Whether it does nothing any more.
    var hasEnded: Bool {
        condition.lock()
        defer { condition.unlock() }
        return !isRunning
    }

    private func run() {
        while let job = next() { job() }
        condition.lock()
        isRunning = false
        condition.unlock()
    }

    /// The next job, as soon as there is one; nil after the last.
    private func next() -> Job? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if !jobs.isEmpty { return jobs.removeFirst() }
            if let job = last {
                guard !isLastTaken else { return nil }
                isLastTaken = true
                return job
            }
            condition.wait()
        }
    }
}
