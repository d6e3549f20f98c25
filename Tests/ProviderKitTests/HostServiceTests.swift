import CPlugboard
import Testing

@testable import ProviderKit

@Suite("Timers, names, clocks and digests of the host")
struct HostServiceTests {
    @Test("a timer fires once")
    func firing() throws {
        let lab = Lab()
        var fired: [Int] = []
        _ = try lab.host.startTimer(after: 250) { fired.append(1) }
        _ = try lab.host.startTimer(after: 500) { fired.append(2) }
        #expect(lab.fake.calls == ["start_timer 250", "start_timer 500"])
        lab.fake.calling.fired(lab.fake.instance, 2, nil)
        lab.fake.calling.fired(lab.fake.instance, 1, nil)
        lab.fake.calling.fired(lab.fake.instance, 1, nil)
        lab.fake.calling.fired(lab.fake.instance, 77, nil)
        #expect(fired == [2, 1])
    }

    @Test("a cancelled timer does not fire, even if the host says so")
    func cancelling() throws {
        let lab = Lab()
        var fired = 0
        let timer = try lab.host.startTimer(after: 250) { fired += 1 }
        lab.host.cancel(timer)
        lab.host.cancel(timer)
        lab.fake.calling.fired(lab.fake.instance, 1, nil)
        #expect(fired == 0)
        #expect(lab.fake.calls == ["start_timer 250", "cancel_timer 1"])
    }

    @Test("cancelling a timer that has fired asks nothing of the host")
    func cancellingLate() throws {
        let lab = Lab()
        let timer = try lab.host.startTimer(after: 250) {}
        lab.fake.calling.fired(lab.fake.instance, 1, nil)
        lab.host.cancel(timer)
        #expect(lab.fake.calls == ["start_timer 250"])
    }

    @Test("a timer's body may start the next")
    func restarting() throws {
        let lab = Lab()
        var fired = 0
        _ = try lab.host.startTimer(after: 1) {
            #expect(throws: Never.self) { _ = try lab.host.startTimer(after: 2) { fired += 1 } }
        }
        lab.fake.calling.fired(lab.fake.instance, 1, nil)
        lab.fake.calling.fired(lab.fake.instance, 2, nil)
        #expect(fired == 1)
    }

    @Test("an answer to a name comes once, with all records")
    func resolving() throws {
        let lab = Lab()
        var answers: [Result<[DNSRecord], HostError>] = []
        try lab.host.resolve(.srv, "_xmpp-server._tcp.example.org") { answers.append($0) }
        try lab.host.resolve(.address, "nowhere.example") { answers.append($0) }
        #expect(lab.fake.calls == ["resolve 2 _xmpp-server._tcp.example.org", "resolve 1 nowhere.example"])
        withBytes("b.example") { second in
            withBytes("a.example") { first in
                let records = [(first, UInt16(5269), UInt16(10)), (second, 5270, 20)].map { value, port, priority in
                    LongRecord(
                        record: plugboard_record_t(
                            struct_size: UInt32(MemoryLayout<LongRecord>.stride),
                            type: PLUGBOARD_RECORD_SRV,
                            value: value,
                            port: port,
                            priority: priority,
                            weight: 5,
                            reserved: 0
                        )
                    )
                }
                records.withUnsafeBytes { bytes in
                    let start = bytes.baseAddress?.assumingMemoryBound(to: plugboard_record_t.self)
                    for _ in 0..<2 { lab.fake.calling.resolved(lab.fake.instance, 1, nil, PLUGBOARD_OK, start, 2) }
                }
            }
        }
        lab.fake.calling.resolved(lab.fake.instance, 2, nil, PLUGBOARD_E_SYSTEM, nil, 0)
        let records = [
            DNSRecord(value: "a.example", port: 5269, priority: 10),
            DNSRecord(value: "b.example", port: 5270, priority: 20),
        ]
        #expect(answers == [.success(records), .failure(.system)])
    }

    /// A record as a host of a later minor version would hand it over.
    private struct LongRecord {
        var record: plugboard_record_t
        var added = UInt64.max
    }

    @Test("a name without records is an empty success")
    func resolvingNothing() throws {
        let lab = Lab()
        var answer: Result<[DNSRecord], HostError>?
        try lab.host.resolve(.txt, "example.org") { answer = $0 }
        lab.fake.calling.resolved(lab.fake.instance, 1, nil, PLUGBOARD_OK, nil, 0)
        #expect(answer == .success([]))
    }

    @Test("clocks, chance and log are the host's")
    func rest() {
        let lab = Lab()
        #expect(lab.host.wallClock == 1_700_000_000_000)
        #expect(lab.host.monotonicClock == 42_000_000)
        #expect(lab.host.randomBytes(4) == [1, 2, 3, 4])
        #expect(lab.host.randomBytes(0) == [])
        lab.host.log(.notice, "up")
        #expect(lab.fake.log == ["3 up"])
    }

    @Test("digests come from the host's extension, keyed or not")
    func digests() throws {
        let lab = Lab()
        #expect(try lab.host.digest(.md5, [1, 2, 3]) == [1, 3])
        #expect(try lab.host.digest(.sha256, [], key: [1, 2]) == [3, 0, 2])
        lab.fake.hasDigests = false
        #expect(throws: HostError.unsupported) { try lab.host.digest(.sha1, []) }
    }
}
