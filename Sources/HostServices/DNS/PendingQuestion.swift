import CCares
import Glibc

/// One question on its way: one DNS query, or two for addresses. Lives on the resolver's thread.
// Safe: made on the asking thread, handed over through the mailbox's lock, then used on the resolver's thread alone.
final class PendingQuestion: @unchecked Sendable {
    private let question: DNSQuestion
    private let answersMax: Int
    private let done: @Sendable (Result<DNSAnswer, ResolveError>) -> Void
    private var addresses4: Result<[IPAddress], ResolveError>?
    private var addresses6: Result<[IPAddress], ResolveError>?

    init(
        _ question: DNSQuestion,
        answersMax: Int,
        done: @escaping @Sendable (Result<DNSAnswer, ResolveError>) -> Void
    ) {
        self.question = question
        self.answersMax = answersMax
        self.done = done
    }

    /// Ends the question before it was sent.
    func cancel() {
        done(.failure(.cancelled))
    }

    /// Sends the queries.
    ///
    /// c-ares holds this object until each has been called back, which may be at once.
    func send(on channel: ares_channel) {
        switch question {
        case .addresses(let name):
            query(channel, name, ns_t_aaaa) { pending, status, answer in
                pending.addresses6 = pending.parse(status, answer, CaresAnswer.addresses6)
                pending.finishAddresses()
            }
            query(channel, name, ns_t_a) { pending, status, answer in
                pending.addresses4 = pending.parse(status, answer, CaresAnswer.addresses4)
                pending.finishAddresses()
            }
        case .services(let name):
            query(channel, name, ns_t_srv) { pending, status, answer in
                var generator = SystemRandomNumberGenerator()
                let records = pending.parse(status, answer, CaresAnswer.services)
                pending.done(records.map { .services(ServiceRecord.ordered($0, using: &generator)) })
            }
        case .texts(let name):
            query(channel, name, ns_t_txt) { pending, status, answer in
                pending.done(pending.parse(status, answer, CaresAnswer.texts).map { .texts($0) })
            }
        }
    }

    private typealias Answered = (PendingQuestion, Int32, UnsafeBufferPointer<UInt8>) -> Void

    /// What c-ares carries for one query.
    private final class Query {
        let pending: PendingQuestion
        let answered: Answered

        init(_ pending: PendingQuestion, _ answered: @escaping Answered) {
            self.pending = pending
            self.answered = answered
        }
    }

    private func query(_ channel: ares_channel, _ name: String, _ type: ns_type, _ answered: @escaping Answered) {
        let context = Unmanaged.passRetained(Query(self, answered)).toOpaque()
        ares_query(
            channel,
            name,
            Int32(ns_c_in.rawValue),
            Int32(type.rawValue),
            { context, status, _, bytes, count in
                guard let context else { return }
                let query = Unmanaged<Query>.fromOpaque(context).takeRetainedValue()
                query.answered(query.pending, status, UnsafeBufferPointer(start: bytes, count: Int(count)))
            },
            context
        )
    }

    private func parse<Record>(
        _ status: Int32,
        _ answer: UnsafeBufferPointer<UInt8>,
        _ parser: (UnsafeBufferPointer<UInt8>, Int) throws(ResolveError) -> [Record]
    ) -> Result<[Record], ResolveError> {
        if let error = CaresAnswer.error(status) { return .failure(error) }
        do throws(ResolveError) {
            return .success(try parser(answer, answersMax))
        } catch {
            return .failure(error)
        }
    }

    private func finishAddresses() {
        guard let addresses4, let addresses6 else { return }
        switch (addresses6, addresses4) {
        case (.success(let six), .success(let four)):
            done(.success(.addresses(IPAddress.interleaved(six, four))))
        case (.success(let one), .failure), (.failure, .success(let one)):
            done(.success(.addresses(one)))
        case (.failure(.notFound), .failure(let error)), (.failure(let error), .failure):
            done(.failure(error))
        }
    }
}
