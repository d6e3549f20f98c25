/// The order of one connection's requests: one runs at a time, a few may wait.
///
/// Pure.
///
/// ``ControlConnectionHandler`` feeds it and performs what it returns.
struct ControlSession {
    /// A line that was understood, or what to answer to one that was not.
    enum Item: Hashable {
        case request(ControlRequest)
        case failure(ControlFailure)
    }

    enum Action: Hashable {
        /// Run the request, then say ``ControlSession/finished()``.
        case start(ControlRequest)
        /// Send the failure, then say ``ControlSession/finished()``.
        case send(ControlFailure)
        /// Send the failure and close: what follows cannot be understood.
        case close(ControlFailure)
        case none
    }

    private(set) var isRunning = false
    private var waiting: [Item] = []

    mutating func lineReceived(_ line: [UInt8]) -> Action {
        guard !line.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }) else { return .none }
        guard self.waiting.count < ControlLimits.waitingRequestsMax else {
            return .close(
                ControlFailure(
                    .tooManyRequests,
                    "more than \(ControlLimits.waitingRequestsMax) requests wait on one connection"
                )
            )
        }
        do throws(ControlFailure) {
            self.waiting.append(.request(try ControlRequest(line: line)))
        } catch {
            self.waiting.append(.failure(error))
        }
        return self.isRunning ? .none : self.startNext()
    }

    mutating func lineTooLong() -> Action {
        .close(
            ControlFailure(.lineTooLong, "a request is longer than \(ControlLimits.requestLineMax) bytes")
        )
    }

    /// Records that the request, or the failure, that was started last has been answered.
    mutating func finished() -> Action {
        self.isRunning = false
        return self.startNext()
    }

    private mutating func startNext() -> Action {
        guard !self.waiting.isEmpty else { return .none }
        self.isRunning = true
        switch self.waiting.removeFirst() {
        case .request(let request): return .start(request)
        case .failure(let failure): return .send(failure)
        }
    }
}
