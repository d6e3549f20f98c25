internal import HostServices
internal import Logging
internal import NIOConcurrencyHelpers
internal import Spool
internal import Telemetry

// What the operator wants with dead letters. A retry happens on the writer's thread: whatever gets a sequence without it
// would be left out by the destinations' cursors.
extension SpoolWriter {
    /// A wish for some dead letters, and who waits for the answer.
    struct DeadLetterRequest: Sendable {
        enum Action: Sendable {
            /// Put them back in line.
            case retry
            /// Delete them.
            case drop
        }

        var action: Action
        /// At most ``idsMax``, so that the messages on their way are not held up for long.
        var ids: [Int64]
        /// Called once, on the writer's thread or at once.
        var then: @Sendable (Swift.Result<[DeadLetterResult], DeadLetterError>) -> Void

        static let idsMax = 256
    }

    /// The requests that wait for the thread.
    struct DeadLetterRequests {
        var waiting: [DeadLetterRequest] = []
        /// Nobody answers any more.
        var isOver = false
    }

    /// Hands a request over to the thread.
    ///
    /// Any thread.
    func ask(_ request: DeadLetterRequest) {
        let isTaken = requests.withLockedValue { requests in
            if !requests.isOver { requests.waiting.append(request) }
            return !requests.isOver
        }
        if isTaken { wake() } else { request.then(.failure(.stopping)) }
    }

    /// Answers the requests that wait; false if there are none.
    func performRequests() -> Bool {
        let waiting = requests.withLockedValue { requests in
            defer { requests.waiting = [] }
            return requests.waiting
        }
        for request in waiting {
            do throws(SpoolError) {
                switch request.action {
                case .retry: request.then(.success(try retry(request.ids)))
                case .drop:
                    request.then(.success(try store.dropDeadLetters(request.ids).map { $0 ? .dropped : .unknown }))
                }
            } catch {
                request.then(.failure(.spool("\(error)")))
            }
        }
        return !waiting.isEmpty
    }

    /// Refuses the requests that wait, and all that come.
    func refuseRequests() {
        let waiting = requests.withLockedValue { requests in
            requests.isOver = true
            defer { requests.waiting = [] }
            return requests.waiting
        }
        for request in waiting { request.then(.failure(.stopping)) }
    }

    private func retry(_ ids: [Int64]) throws(SpoolError) -> [DeadLetterResult] {
        var results = [DeadLetterResult](repeating: .unknown, count: ids.count)
        var retried: [(place: Int, id: Int64, destination: Int)] = []
        for (place, id) in ids.enumerated() {
            guard let letter = try store.deadLetter(sequence: id) else { continue }
            if let destination = core.index(named: letter.record.destination) {
                retried.append((place, id, destination))
            } else {
                results[place] = .noProvider(letter.record.destination)
            }
        }
        let expiresAt = HostClock.wallMs() + core.expireMs
        let made = try store.retryDeadLetters(retried.map(\.id), expiresAt: expiresAt)
        for (it, result) in zip(retried, made) {
            switch result {
            case .stored(let sequence):
                // The thread reads it from the disk, like all that does not fit into a lane.
                destination(at: it.destination).addStored(1)
                results[it.place] = .retried(as: sequence)
            case .damaged: results[it.place] = .damaged
            case .duplicate: results[it.place] = .duplicate
            case .full: results[it.place] = .full
            case .unknown: results[it.place] = .unknown
            }
        }
        return results
    }

    /// Drops what has been kept for long enough.
    func dropOldDeadLetters() {
        do throws(SpoolError) {
            let count = try store.dropOldDeadLetters(now: HostClock.wallMs())
            guard count > 0 else { return }
            core.logger.log(.notice, "old dead letters are dropped", [.count: "\(count)"])
        } catch {
            core.logger.log(.error, "old dead letters could not be dropped", [.reason: "\(error)"])
        }
    }
}
