import Testing

@testable import Policy

@Suite("PartnerLimiter")
struct PartnerLimiterTests {
    @Test("Twenty messages pass in a second, the next one is too fast, and after 50 ms another passes")
    func rate() {
        var limiter = PartnerLimiter(DiscoveredLimits())
        for _ in 0..<20 { #expect(limiter.admit("p.example", target: 1, nowMs: 1000) == .admit) }
        #expect(limiter.admit("p.example", target: 1, nowMs: 1000) == .tooFast(retryAfterMs: 50))
        #expect(limiter.admit("p.example", target: 1, nowMs: 1049) == .tooFast(retryAfterMs: 1))
        #expect(limiter.admit("p.example", target: 1, nowMs: 1050) == .admit)
        #expect(limiter.admit("p.example", target: 1, nowMs: 1050) == .tooFast(retryAfterMs: 50))
        #expect(limiter.admit("q.example", target: 1, nowMs: 1050) == .admit)
    }

    @Test("What is given back may be sent again, and no more than that")
    func giveBack() {
        var limiter = PartnerLimiter(DiscoveredLimits(messagesPerSecond: 2))
        for _ in 0..<2 { #expect(limiter.admit("p.example", target: 1, nowMs: 0) == .admit) }
        limiter.giveBack("p.example")
        #expect(limiter.admit("p.example", target: 1, nowMs: 0) == .admit)
        #expect(limiter.admit("p.example", target: 1, nowMs: 0) == .tooFast(retryAfterMs: 500))
        for _ in 0..<5 { limiter.giveBack("p.example") }
        let passed = (0..<5).filter { _ in limiter.admit("p.example", target: 1, nowMs: 0) == .admit }
        #expect(passed.count == 2)
        limiter.giveBack("q.example")
    }

    @Test("Over a long time no more than the rate passes, and what is not used is not saved up")
    func longRun() {
        var limiter = PartnerLimiter(DiscoveredLimits(messagesPerSecond: 20))
        var admitted = 0
        for ms in stride(from: Int64(0), to: 100_000, by: 7) where limiter.admit("p", target: 1, nowMs: ms) == .admit {
            admitted += 1
        }
        #expect((2000...2020).contains(admitted))
        let later = (0..<30).filter { _ in limiter.admit("p", target: 1, nowMs: 10_000_000) == .admit }
        #expect(later.count == 20)
    }

    @Test("A clock that goes back gives nothing")
    func clock() {
        var limiter = PartnerLimiter(DiscoveredLimits(messagesPerSecond: 1))
        #expect(limiter.admit("p", target: 1, nowMs: 5000) == .admit)
        #expect(limiter.admit("p", target: 1, nowMs: 1000) == .tooFast(retryAfterMs: 1000))
        #expect(limiter.admit("p", target: 1, nowMs: 5999) == .tooFast(retryAfterMs: 1))
        #expect(limiter.admit("p", target: 1, nowMs: 6000) == .admit)
    }

    @Test("The thousandth user is reached, the next one is not, the known ones are, and the partner is watched")
    func targets() {
        var limiter = PartnerLimiter(DiscoveredLimits(messagesPerSecond: 1_000_000, targets: 1000))
        for target in 0..<1000 { #expect(limiter.admit("p", target: UInt64(target), nowMs: 0) == .admit) }
        #expect(limiter.watched.isEmpty)
        #expect(limiter.admit("p", target: 1000, nowMs: 0) == .watched(isNew: true))
        #expect(limiter.admit("p", target: 1001, nowMs: 0) == .watched(isNew: false))
        #expect(limiter.admit("p", target: 999, nowMs: 0) == .admit)
        #expect(limiter.admit("q", target: 1000, nowMs: 0) == .admit)
        #expect(limiter.watched == ["p"])
    }

    @Test("As many partners are remembered as there is room for; idle ones make room, watched ones do not")
    func room() {
        var limiter = PartnerLimiter(DiscoveredLimits(targets: 1), partnersMax: 3)
        #expect(limiter.admit("watched", target: 1, nowMs: 0) == .admit)
        #expect(limiter.admit("watched", target: 2, nowMs: 0) == .watched(isNew: true))
        #expect(limiter.admit("idle", target: 1, nowMs: 0) == .admit)
        #expect(limiter.admit("busy", target: 1, nowMs: 1) == .admit)
        #expect(limiter.admit("late", target: 1, nowMs: PartnerLimiter.idleMs - 1) == .tooManyPartners)
        #expect(limiter.admit("late", target: 1, nowMs: PartnerLimiter.idleMs) == .admit)
        #expect(limiter.watched == ["watched"])
        #expect(limiter.admit("later", target: 1, nowMs: PartnerLimiter.idleMs) == .tooManyPartners)
    }
}
