import CPlugboard
import Testing

@testable import ProviderKit

@Suite("Envelopes to and from a provider")
struct EnvelopeFlowTests {
    @Test("envelopes are delivered in order, until the provider has no room")
    func partialTake() {
        let lab = Lab()
        var seen: [(Envelope, UInt64)] = []
        lab.probe.onDeliver = { delivery in
            guard seen.count < 2 else { return false }
            seen.append((delivery.envelope, delivery.token))
            return true
        }
        let envelopes = Array(Samples.all.prefix(4))
        #expect(lab.fake.deliver(envelopes) == 2)
        #expect(seen.map(\.0) == Array(envelopes.prefix(2)))
        #expect(seen.map(\.1) == [1, 2])
        #expect(lab.fake.completed.isEmpty)
        #expect(lab.fake.deliver([]) == 0)
    }

    @Test("an envelope that the kit cannot read is failed for its content, and the others go on")
    func unknownKind() {
        let lab = Lab()
        var tokens: [UInt64] = []
        lab.probe.onDeliver = { delivery in
            tokens.append(delivery.token)
            return true
        }
        let taken = lab.fake.deliver(Array(Samples.all.prefix(3))) { envelope, index in
            if index == 1 { envelope.kind = 77 }
        }
        #expect(taken == 3)
        #expect(tokens == [1, 3])
        #expect(lab.fake.completed.map(\.token) == [2])
        guard case .failed(let reason)? = lab.fake.completed.first?.outcome else {
            Issue.record("it was not failed")
            return
        }
        #expect(reason.failureClass == .content)
    }

    @Test("a delivery is completed later, once; a second time is logged")
    func completing() throws {
        let lab = Lab()
        var deliveries: [Delivery] = []
        lab.probe.onDeliver = { delivery in
            deliveries.append(delivery)
            return true
        }
        #expect(lab.fake.deliver(Array(Samples.all.prefix(2))) == 2)
        let outcome = Outcome.deferred(Outcome.Reason(.throttled, "too fast", code: "420", retryAfter: 5000))
        deliveries[1].complete(outcome)
        deliveries[0].complete(.delivered)
        #expect(lab.fake.completed.map(\.token) == [2, 1])
        #expect(lab.fake.completed.map(\.outcome) == [outcome, .delivered])
        #expect(lab.fake.log.isEmpty)
        deliveries[0].complete(.delivered)
        #expect(lab.fake.completed.count == 2)
        let line = try #require(lab.fake.log.first)
        #expect(lab.fake.log.count == 1)
        #expect(line.hasPrefix("\(PLUGBOARD_LOG_ERROR) "))
        #expect(line.contains("token 1"))
    }

    @Test("what is submitted crosses whole, and its outcome is told once")
    func submitting() throws {
        let lab = Lab()
        var outcomes: [Outcome] = []
        for envelope in Samples.all {
            #expect(try lab.host.submit(envelope) { outcomes.append($0) } == .taken)
        }
        #expect(lab.fake.submitted.map(\.envelope) == Samples.all)
        let cookies = lab.fake.submitted.map(\.cookie)
        #expect(Set(cookies).count == cookies.count)
        #expect(!cookies.contains(0))
        let failure = Outcome.failed(Outcome.Reason(.recipient, "nobody there", code: "404"))
        lab.fake.tellSubmitted(cookies[1], failure)
        lab.fake.tellSubmitted(cookies[0], .accepted)
        lab.fake.tellSubmitted(cookies[1], .accepted)
        lab.fake.tellSubmitted(99_999, .accepted)
        #expect(outcomes == [failure, .accepted])
    }

    @Test("who does not ask for the outcome is not told")
    func submittingWithoutAnswer() throws {
        let lab = Lab()
        #expect(try lab.host.submit(Samples.all[0]) == .taken)
        #expect(lab.fake.submitted.map(\.cookie) == [0])
    }

    @Test("a submit that was not taken lets go of its closure")
    func notTaken() {
        final class Token {}
        let lab = Lab()
        for (status, error) in [(PLUGBOARD_BUSY, nil), (PLUGBOARD_E_LIMIT, HostError.limitReached)] {
            lab.fake.status = status
            weak var token: Token?
            do {
                let strong = Token()
                token = strong
                let result = Result { () throws(HostError) in
                    try lab.host.submit(Samples.all[0]) { _ in _ = strong }
                }
                #expect(result == (error.map { .failure($0) } ?? .success(.busy)))
            }
            #expect(token == nil)
        }
    }

    @Test(
        "each status of the host has its error",
        arguments: [
            (PLUGBOARD_E_INVALID, HostError.invalidArgument), (PLUGBOARD_E_HANDLE, .unknownHandle),
            (PLUGBOARD_E_STATE, .badState), (PLUGBOARD_E_LIMIT, .limitReached),
            (PLUGBOARD_E_UNSUPPORTED, .unsupported), (PLUGBOARD_E_SYSTEM, .system),
            (PLUGBOARD_E_SHUTDOWN, .shuttingDown), (PLUGBOARD_E_CONFLICT, .conflict), (-99, .invalidArgument),
        ]
    )
    func errors(status: Int32, error: HostError) {
        let lab = Lab()
        lab.fake.status = status
        #expect(throws: error) { try lab.host.claim(domain: "example.org") }
        #expect(throws: error) { try lab.host.submit(Samples.all[0]) }
        #expect(throws: error) { try lab.host.startTimer(after: 1) {} }
        #expect(throws: error) { try lab.host.resolve(.txt, "x") { _ in } }
    }

    @Test("domains and addresses are claimed, and more is asked for")
    func claiming() throws {
        let lab = Lab()
        try lab.host.claim(domain: "aim.example")
        try lab.host.claim(address: Samples.romeo)
        lab.host.ready()
        #expect(lab.fake.calls == ["claim 1 aim.example", "claim 2 romeo@montague.example", "ready"])
    }
}
