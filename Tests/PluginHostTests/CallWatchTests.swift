import Testing

@testable import PluginHost

@Suite("The call that a worker is in")
struct CallWatchTests {
    @Test("has a number of its own as long as it lasts")
    func number() throws {
        let watch = CallWatch()
        #expect(watch.presentNumber == nil)
        watch.enter(.received, 7)
        let first = try #require(watch.presentNumber)
        #expect(watch.presentNumber == first && watch.present?.number == first)
        watch.leave()
        #expect(watch.presentNumber == nil)
        watch.enter(.received, 7)
        #expect(watch.presentNumber != first)
        watch.leave()
    }
}
