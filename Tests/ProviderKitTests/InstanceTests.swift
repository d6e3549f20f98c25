import CPlugboard
import Testing

@testable import ProviderKit

@Suite("A provider behind the plugin boundary")
struct InstanceTests {
    @Test("check hands the settings over and brings the findings back")
    func check() {
        let fake = FakeHost()
        fake.check(Entry.plugin(Probe.self))
        #expect(
            fake.problems == [
                "1 address: is probe@example.org",
                "2 : probe-1 serves example.org example.net",
            ]
        )
        #expect(fake.calls.isEmpty)
    }

    @Test("an instance is told its name, settings and home domains, also by a host with longer structs")
    func create() {
        let lab = Lab()
        #expect(lab.probe.info == .sample)
        #expect(lab.fake.calls.isEmpty)
    }

    @Test("an instance that cannot be made says why")
    func failingCreate() {
        let fake = FakeHost()
        let info = InstanceInfo(id: "p", settings: Settings([("fault", "broken")]), homeDomains: [])
        #expect(!fake.create(Entry.plugin(Probe.self), info))
        #expect(fake.problems == ["2 fault: is broken"])
    }

    @Test("a table that is called without what it needs makes nothing")
    func createWithoutArguments() throws {
        let fake = FakeHost()
        let plugin = try #require(Entry.plugin(Probe.self)).pointee
        var (instance, pointer) = (plugboard_instance_t(), UnsafeMutableRawPointer?.none)
        #expect(plugin.create(nil, fake.table, &instance, &pointer) == nil)
        #expect(plugin.create(plugin.context, nil, &instance, &pointer) == nil)
        #expect(plugin.create(plugin.context, fake.table, nil, &pointer) == nil)
        #expect(plugin.create(plugin.context, fake.table, &instance, nil) == nil)
        plugin.check(plugin.context, nil)
        #expect(pointer == nil)
    }

    @Test("start answers OK, or an error and a line in the log")
    func start() {
        let lab = Lab()
        #expect(lab.fake.start() == PLUGBOARD_OK)
        lab.probe.onStart = { () throws(ProviderError) in throw ProviderError("is taken", setting: "listen[0]") }
        #expect(lab.fake.start() < 0)
        #expect(lab.fake.log == ["5 the provider cannot start (reason=listen[0]: is taken)"])
    }

    @Test("the provider table has no gap and says its size")
    func providerTable() {
        let table = Lab().fake.calling
        #expect(table.struct_size == structSize(plugboard_provider_t.self))
        withUnsafeBytes(of: table) { bytes in
            #expect(bytes.bindMemory(to: UInt.self).dropFirst().allSatisfy { $0 != 0 })
        }
    }

    @Test("room, drain and stop reach the provider")
    func life() {
        let lab = Lab()
        lab.fake.calling.room(lab.fake.instance)
        lab.fake.calling.drain(lab.fake.instance)
        lab.fake.calling.stop(lab.fake.instance)
        #expect(lab.probe.events == ["room", "drain", "stop"])
    }

    @Test("an instance without its self is a fault of the host")
    func withoutSelf() async {
        await #expect(processExitsWith: .failure) {
            Lab().fake.calling.room(nil)
        }
    }

    @Test("destroy frees the provider, whatever still waits for an answer")
    func destroy() throws {
        weak var probe: Probe?
        let fake = FakeHost()
        do {
            var made: Probe?
            let plugin = Entry.plugin(Probe.self) { host, instance throws(ProviderError) in
                let probe = try Probe(host: host, instance: instance)
                made = probe
                return probe
            }
            #expect(fake.create(plugin))
            let strong = try #require(made)
            made = nil
            _ = try strong.host.startTimer(after: 1) { strong.events.append("never") }
            _ = try strong.host.submit(Samples.all[0]) { _ in strong.events.append("never") }
            try strong.host.resolve(.srv, "x") { _ in strong.events.append("never") }
            _ = try strong.host.listen(address: "", port: 0) { _ in
                strong.events.append("never")
                return nil
            }
            probe = strong
        }
        #expect(probe != nil)
        fake.destroy()
        #expect(probe == nil)
    }

    @Test("links are told through the status extension, and other extensions are not there")
    func links() throws {
        let lab = Lab()
        let state = LinkReport(
            name: "one.example",
            state: .backingOff,
            detail: "refused",
            sent: 1,
            received: 2,
            waiting: 3,
            since: 4
        )
        lab.probe.reports = [state, LinkReport(name: "two.example", state: .up, detail: "in")]
        #expect(lab.fake.calling.extension(lab.fake.instance, "plugboard.other/1") == nil)
        #expect(lab.fake.calling.extension(lab.fake.instance, nil) == nil)
        let found = try #require(lab.fake.calling.extension(lab.fake.instance, PLUGBOARD_EXT_STATUS))
        let table = found.assumingMemoryBound(to: plugboard_status_extension_t.self).pointee
        #expect(table.struct_size == structSize(plugboard_status_extension_t.self))
        final class Sink { var lines: [String] = [] }
        let sink = Sink()
        table.links(lab.fake.instance, Unmanaged.passUnretained(sink).toOpaque()) { sink, link in
            guard let sink, let link = link?.pointee else { return }
            Unmanaged<Sink>.fromOpaque(sink).takeUnretainedValue().lines.append(
                "\(link.name.string) \(link.state) \(link.detail.string) \(link.sent) \(link.received) \(link.waiting)"
                    + " \(link.since_ms) \(link.struct_size == structSize(plugboard_link_t.self))"
            )
        }
        table.links(lab.fake.instance, nil, nil)
        #expect(sink.lines == ["one.example 3 refused 1 2 3 4 true", "two.example 2 in 0 0 0 0 true"])
    }
}
