import Testing

@testable import PluginHost
@testable import Router

@Suite("Which networks can be reached")
struct LinkWatchTests {
    private func sight(
        _ states: InstanceLink.State...,
        isRunning: Bool = true,
        claims: Set<String> = ["p.example"]
    ) -> LinkWatch.Sighting {
        let links = states.map { state in
            InstanceLink(name: "p.example", state: state, detail: "", sent: 0, received: 0, waiting: 0, since: 0)
        }
        return LinkWatch.Sighting(provider: "net", isRunning: isRunning, claims: claims, links: links)
    }

    private let isFound = [LinkWatch.Change.found(domain: "p.example")]
    private let isLost = [LinkWatch.Change.lost(domain: "p.example")]
    private let isRestored = [LinkWatch.Change.restored(domain: "p.example")]

    @Test("A link that waits before it tries again is lost, and there again when it is up")
    func backingOff() {
        var watch = LinkWatch()
        let first = watch.observe(sight(.up))
        let lost = watch.observe(sight(.backingOff))
        let again = watch.observe(sight(.backingOff))
        let connecting = watch.observe(sight(.connecting))
        let up = watch.observe(sight(.up))
        #expect([first, lost, again, connecting, up] == [isFound, isLost, [], [], isRestored])
    }

    @Test("One link of several that is up is enough")
    func several() {
        var watch = LinkWatch()
        let mixed = watch.observe(sight(.backingOff, .up))
        let lost = watch.observe(sight(.backingOff, .down))
        let mixedAgain = watch.observe(sight(.up, .backingOff))
        #expect([mixed, lost, mixedAgain] == [isFound, isLost, isRestored])
    }

    @Test("A link that is made when it is needed is not lost while there is none")
    func onDemand() {
        var watch = LinkWatch()
        let none = watch.observe(sight())
        let down = watch.observe(sight(.down))
        let up = watch.observe(sight(.up))
        let downAgain = watch.observe(sight(.down))
        #expect([none, down, up, downAgain] == [isFound, [], [], []])
    }

    @Test("What a provider served is lost when it does not run, and there again when it does")
    func stopped() {
        var watch = LinkWatch()
        let claims: Set<String> = ["p.example", "bob@q.example"]
        let found = watch.observe(sight(claims: claims))
        #expect(found == [.found(domain: "p.example"), .found(domain: "q.example")])
        let lost = watch.observe(sight(isRunning: false, claims: []))
        let again = watch.observe(sight(isRunning: false, claims: []))
        let restored = watch.observe(sight(.down, claims: claims))
        #expect(lost == [.lost(domain: "p.example"), .lost(domain: "q.example")])
        #expect(again.isEmpty)
        #expect(restored == [.restored(domain: "p.example"), .restored(domain: "q.example")])
    }

    @Test("A domain that is added later is found then, and one that is given up is nobody's to lose")
    func served() {
        var watch = LinkWatch()
        _ = watch.observe(sight(.up))
        let more = watch.observe(sight(.up, claims: ["p.example", "q.example"]))
        _ = watch.observe(sight(.backingOff, claims: ["q.example"]))
        let fewer = watch.observe(sight(claims: ["q.example"]))
        #expect(more == [.found(domain: "q.example")])
        #expect(fewer == isRestored)
    }

    @Test("A provider that was never seen running loses nothing")
    func neverRan() {
        var watch = LinkWatch()
        let changes = watch.observe(sight(isRunning: false))
        #expect(changes.isEmpty)
    }
}
