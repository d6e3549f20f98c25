import Testing

@testable import HostServices

@Suite("A worker with much input", .timeLimit(.minutes(1)))
struct WorkerInputTests {
    @Test("does the work that is due as soon as enough has come in, and not a byte before", arguments: [0, 1])
    func early(missing: Int) async throws {
        let worker = Worker(index: 0, name: "test")
        let wasDone = try await worker.call {
            // Safe: everything is on the worker's loop.
            nonisolated(unsafe) var isDone = false
            worker.enqueue { isDone = true }
            worker.noteInput(Worker.inputPerTickMax - missing)
            worker.inputComplete()
            return isDone
        }
        #expect(wasDone == (missing == 0))
        try await worker.shutdown()
    }

    @Test(
        "runs the hooks before there is more input as soon as enough was offered, and not a byte before",
        arguments: [0, 1]
    )
    func hooks(missing: Int) async throws {
        let worker = Worker(index: 0, name: "test")
        let counts = try await worker.call {
            // Safe: everything is on the worker's loop.
            nonisolated(unsafe) var (hookCount, flushCount) = (0, 0)
            _ = worker.onTickEnd {
                hookCount += 1
                return false
            }
            worker.enqueueFlush { flushCount += 1 }
            worker.noteInput(Worker.inputPerDeliveryMax - missing)
            worker.inputOffered()
            // Not again, for nothing has come since.
            worker.inputOffered()
            return [hookCount, flushCount]
        }
        #expect(counts == [1 - missing, 0])
        try await worker.shutdown()
    }
}
