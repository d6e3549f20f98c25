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
}
