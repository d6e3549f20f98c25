import HostServices
import NIOCore
import Testing

@Suite("An instance's DNS questions", .timeLimit(.minutes(1)))
struct ResolutionServiceTests {
    // Safe: used on the worker's loop alone.
    private final class Asker: ResolutionDelegate, @unchecked Sendable {
        let service: ResolutionService
        var answers: [(ResolutionHandle, Result<DNSAnswer, ResolveError>)] = []
        var onAnswer: () -> Void = {}

        init(_ service: ResolutionService) {
            self.service = service
            service.delegate = self
        }

        func resolved(_ resolution: ResolutionHandle, _ result: Result<DNSAnswer, ResolveError>) {
            answers.append((resolution, result))
            onAnswer()
        }
    }

    private func withAsker(
        limit: Int = 256,
        _ body: (Worker, Asker) async throws -> Void
    ) async throws {
        let worker = Worker(index: 0, name: "test")
        let resolver = try Resolver(ResolverOptions(hosts: ["a.test": ["192.0.2.1"]], hostsFile: nil))
        var limits = ServiceLimits()
        limits.resolutionsMax = limit
        let asker = Asker(ResolutionService(worker: worker, limits: limits, resolver: resolver))
        try await body(worker, asker)
        resolver.shutdown()
        try await worker.shutdown()
    }

    @Test("an answer comes once, later")
    func answered() async throws {
        try await withAsker { worker, asker in
            let done = worker.eventLoop.makePromise(of: Void.self)
            let handle = try await worker.call {
                asker.onAnswer = { done.succeed() }
                let handle = try asker.service.resolve(.addresses("a.test"))
                #expect(asker.answers.isEmpty)
                return handle
            }
            try await done.futureResult.get()
            try await worker.call {
                #expect(asker.answers.map(\.0) == [handle])
                #expect(asker.answers.map(\.1) == [.success(.addresses([.v4("192.0.2.1")]))])
            }
        }
    }

    @Test("questions up to the limit are asked, one more is refused until one is answered")
    func limit() async throws {
        try await withAsker(limit: 2) { worker, asker in
            let done = worker.eventLoop.makePromise(of: Void.self)
            try await worker.call {
                asker.onAnswer = { if asker.answers.count == 2 { done.succeed() } }
                for _ in 0..<2 { _ = try asker.service.resolve(.addresses("a.test")) }
                #expect(throws: ServiceError.limitReached(.resolutions, limit: 2)) {
                    try asker.service.resolve(.addresses("a.test"))
                }
            }
            try await done.futureResult.get()
            try await worker.call { _ = try asker.service.resolve(.addresses("a.test")) }
        }
    }

    @Test("a stopped instance hears no answer and asks no question")
    func stopped() async throws {
        try await withAsker { worker, asker in
            try await worker.call {
                _ = try asker.service.resolve(.addresses("a.test"))
                asker.service.closeAll()
                #expect(throws: ServiceError.stopped) { try asker.service.resolve(.addresses("a.test")) }
            }
            try await worker.call { #expect(asker.answers.isEmpty) }
        }
    }
}
