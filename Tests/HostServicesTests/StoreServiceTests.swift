import NIOConcurrencyHelpers
import NIOCore
import Testing

@testable import HostServices
@testable import Vault

@Suite("An instance's store", .timeLimit(.minutes(1)))
struct StoreServiceTests {
    /// A store that answers when the test wants it.
    private final class SlowStore: KeyValueBackend {
        let limits: StoreLimits = {
            var limits = StoreLimits()
            limits.keyBytesMax = 3
            limits.valueBytesMax = 100
            limits.listMax = 5
            return limits
        }()
        private let waiting = NIOLockedValueBox<[@Sendable () -> Void]>([])

        func perform(
            _ operation: StoreOperation,
            in space: String,
            done: @escaping @Sendable (Result<StoreAnswer, StoreError>) -> Void
        ) {
            waiting.withLockedValue { $0.append { done(.success(.value(Array("\(space)".utf8)))) } }
        }

        func answerAll() {
            for answer in waiting.withLockedValue({ $0 }) { answer() }
            waiting.withLockedValue { $0 = [] }
        }
    }

    // Safe: used on its worker's loop alone.
    private final class Client: StoreDelegate, @unchecked Sendable {
        var answers: [(StoreRequestHandle, Result<StoreAnswer, StoreError>)] = []

        func stored(_ request: StoreRequestHandle, by: StoreService, _ result: Result<StoreAnswer, StoreError>) {
            answers.append((request, result))
        }
    }

    // Safe: used on its worker's loop alone.
    private struct Lab: @unchecked Sendable {
        let worker: Worker
        let store: SlowStore
        let service: StoreService
        let client: Client
    }

    private func with(
        _ limits: ServiceLimits = ServiceLimits(),
        hasStore: Bool = true,
        _ body: (Lab) async throws -> Void
    ) async throws {
        let worker = Worker(index: 0, name: "test")
        let store = SlowStore()
        let service = StoreService(worker: worker, limits: limits, backend: hasStore ? store : nil, space: "aol")
        let lab = Lab(worker: worker, store: store, service: service, client: Client())
        service.delegate = lab.client
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(lab))
        } catch {
            result = .failure(error)
        }
        try await worker.call { lab.service.closeAll() }
        try await worker.shutdown()
        try result.get()
    }

    private static func put(_ count: Int) -> StoreOperation {
        .put(key: [1], value: Array(repeating: 0, count: count), condition: .none)
    }

    @Test("an answer comes later, on the worker, from the instance's name space")
    func answer() async throws {
        try await with { (lab: Lab) async throws in
            let handle = try await lab.worker.call {
                let handle = try lab.service.perform(.get(key: [1]))
                lab.store.answerAll()
                #expect(lab.client.answers.isEmpty)
                return handle
            }
            try await lab.worker.call {
                #expect(lab.client.answers.map(\.0) == [handle])
                #expect(lab.client.answers.map(\.1) == [.success(.value(Array("aol".utf8)))])
                #expect(lab.service.count == 0)
            }
        }
    }

    @Test("after the end no answer comes, and nothing can be asked")
    func stopping() async throws {
        try await with { (lab: Lab) async throws in
            try await lab.worker.call {
                _ = try lab.service.perform(.get(key: [1]))
                lab.service.closeAll()
                #expect(throws: ServiceError.stopped) { try lab.service.perform(.get(key: [1])) }
            }
            lab.store.answerAll()
            try await lab.worker.call { #expect(lab.client.answers.isEmpty) }
        }
    }

    @Test("requests and their bytes up to the limit are taken, more are not before some are answered")
    func limits() async throws {
        var limits = ServiceLimits()
        limits.storeRequestsMax = 2
        try await with(limits) { (lab: Lab) async throws in
            try await lab.worker.call {
                for _ in 0..<2 { _ = try lab.service.perform(.get(key: [1])) }
                #expect(throws: ServiceError.limitReached(.storeRequests, limit: 2)) {
                    try lab.service.perform(.get(key: [1]))
                }
                lab.store.answerAll()
            }
            try await lab.worker.call { _ = try lab.service.perform(.get(key: [1])) }
        }
        limits.storeRequestsMax = 100
        limits.storeRequestBytesMax = 20
        try await with(limits) { (lab: Lab) async throws in
            try await lab.worker.call {
                _ = try lab.service.perform(Self.put(9))
                _ = try lab.service.perform(Self.put(9))
                #expect(throws: ServiceError.limitReached(.storeRequestBytes, limit: 20)) {
                    try lab.service.perform(Self.put(0))
                }
                lab.store.answerAll()
            }
            try await lab.worker.call { _ = try lab.service.perform(Self.put(19)) }
        }
    }

    @Test("what is out of bounds is refused at once")
    func refusals() async throws {
        try await with { (lab: Lab) async throws in
            try await lab.worker.call {
                _ = try lab.service.perform(Self.put(100))
                _ = try lab.service.perform(.get(key: [1, 2, 3]))
                _ = try lab.service.perform(.list(prefix: [1, 2, 3], after: [], limit: 5))
                #expect(throws: ServiceError.limitReached(.storeValueBytes, limit: 100)) {
                    try lab.service.perform(Self.put(101))
                }
                let bad: [StoreOperation] = [
                    .get(key: []), .get(key: [1, 2, 3, 4]), .remove(key: []), .list(prefix: [], after: [], limit: 0),
                    .list(prefix: [], after: [], limit: 6), .list(prefix: [1, 2, 3, 4], after: [], limit: 1),
                ]
                for operation in bad {
                    do {
                        _ = try lab.service.perform(operation)
                        Issue.record("\(operation) was taken")
                    } catch let error as ServiceError {
                        guard case .invalidArgument = error else {
                            Issue.record("\(operation): \(error)")
                            continue
                        }
                    }
                }
            }
        }
        try await with(hasStore: false) { (lab: Lab) async throws in
            try await lab.worker.call { () -> Void in
                #expect(throws: ServiceError.notConfigured("vault")) { try lab.service.perform(.get(key: [1])) }
            }
        }
    }
}
