import NIOCore

/// Hears of timers, on the worker's loop, outside of any call into ``TimerService``.
package protocol TimerDelegate: AnyObject {
    /// The timer is due. Its handle is stale already.
    func timerFired(_ timer: TimerHandle)
}

/// The one-shot timers of one instance.
///
/// Worker's loop only.
package final class TimerService {
    /// Hears of timers.
    package weak var delegate: (any TimerDelegate)?

    private let worker: Worker
    private let limits: ServiceLimits
    private var queue = TimerQueue()
    /// The one task on the loop, for the earliest deadline (milliseconds since `epoch`).
    private var alarm: (deadline: UInt64, task: Scheduled<Void>)?
    private let epoch = NIODeadline.now()
    private var isStopped = false

    package init(worker: Worker, limits: ServiceLimits) {
        self.worker = worker
        self.limits = limits
    }

    /// Timers that run.
    package var count: Int { queue.count }

    /// Starts a timer.
    ///
    /// A delay of 0 counts as 1 ms, so that a timer restarted when it fires cannot keep the worker busy.
    ///
    /// - Throws: ``ServiceError/limitReached(_:limit:)`` past `timersMax` or `timerDelayMsMax`; ``ServiceError/stopped``.
    package func start(afterMs delay: UInt64) throws(ServiceError) -> TimerHandle {
        worker.preconditionOnLoop()
        guard !isStopped else { throw .stopped }
        guard delay <= limits.timerDelayMsMax else {
            throw .limitReached(.timerDelay, limit: Int(clamping: limits.timerDelayMsMax))
        }
        guard queue.count < limits.timersMax else { throw .limitReached(.timers, limit: limits.timersMax) }
        let handle = queue.start(deadline: now() + max(delay, 1))
        setAlarm()
        return handle
    }

    /// Stops a timer: it will not fire.
    ///
    /// - Throws: ``ServiceError/unknownHandle(_:)`` if it does not run, for example because it fired.
    package func cancel(_ timer: TimerHandle) throws(ServiceError) {
        worker.preconditionOnLoop()
        guard queue.cancel(timer) else { throw .unknownHandle(timer.rawValue) }
    }

    /// Stops everything for good.
    package func closeAll() {
        worker.preconditionOnLoop()
        isStopped = true
        queue = TimerQueue()
        alarm?.task.cancel()
        alarm = nil
    }

    /// Milliseconds since `epoch`, rounded up: a timer never fires early.
    private func now() -> UInt64 {
        UInt64((NIODeadline.now() - epoch).nanoseconds + 999_999) / 1_000_000
    }

    private func setAlarm() {
        guard let deadline = queue.nextDeadline() else { return }
        if let alarm, alarm.deadline <= deadline { return }
        alarm?.task.cancel()
        let task = worker.eventLoop.assumeIsolated().scheduleTask(deadline: epoch + .milliseconds(Int64(deadline))) {
            [weak self] () -> Void in
            self?.alarmRang()
        }
        alarm = (deadline, task)
    }

    private func alarmRang() {
        guard let rung = alarm else { return }
        alarm = nil
        // Those due when the alarm was set for, and no more: timers started by the delegate wait for their own alarm.
        let elapsed = UInt64((NIODeadline.now() - epoch).nanoseconds) / 1_000_000
        for timer in queue.takeDue(now: max(rung.deadline, elapsed)) where queue.cancel(timer) {
            delegate?.timerFired(timer)
        }
        setAlarm()
    }
}
