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
    /// What is done again and again while there is nothing else.
    private var repeated: (job: @Sendable () -> Bool, pause: Duration)?
    /// Whether it is its turn, though others wait.
    private var isRepeatedNext = true
    /// When to do that.
    private var repeatAt = ContinuousClock.now
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

    /// Does a job again and again, between the others.
    ///
    /// - Parameter job: says whether it has more to do, which is then done after what waits; else it pauses.
    func addRepeated(every pause: Duration, _ job: @escaping @Sendable () -> Bool) {
        condition.lock()
        defer { condition.unlock() }
        repeated = (job, pause)
        repeatAt = .now
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
        while let job = next() { if job() { hurry() } }
        condition.lock()
        isRunning = false
        condition.unlock()
    }

    /// Lets what is repeated come as soon as nothing else waits.
    private func hurry() {
        condition.lock()
        repeatAt = .now
        condition.unlock()
    }

    /// The next job, as soon as there is one; nil after the last.
    ///
    /// What is repeated takes turns with the others when its time has come, and says whether it has more to do.
    private func next() -> (@Sendable () -> Bool)? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if let job = last, jobs.isEmpty {
                guard !isLastTaken else { return nil }
                isLastTaken = true
                return Self.once(job)
            }
            if let repeated, last == nil, isRepeatedNext || jobs.isEmpty, repeatAt <= .now {
                isRepeatedNext = false
                repeatAt = .now + repeated.pause
                return repeated.job
            }
            if !jobs.isEmpty {
                isRepeatedNext = true
                return Self.once(jobs.removeFirst())
            }
            if repeated != nil, last == nil {
                _ = condition.wait(until: Date(timeIntervalSinceNow: (repeatAt - .now) / .seconds(1)))
            } else {
                condition.wait()
            }
        }
    }

    private static func once(_ job: @escaping Job) -> @Sendable () -> Bool {
        {
            job()
            return false
        }
    }
}
