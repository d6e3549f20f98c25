import ProviderKit
import Testing
import XMPPSession

@testable import XMPPBridge

@Suite struct ReconnectScheduleTests {
    @Test("Each failure in a row doubles the wait, up to the longest")
    func doubling() {
        var schedule = ReconnectSchedule()
        let waits = (0..<12).map { _ in schedule.failed(.soon, chance: .max) }
        #expect(waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300].map { $0 * 1000 })
        schedule = ReconnectSchedule()
        let slow = (0..<8).map { _ in schedule.failed(.slowly, chance: .max) }
        #expect(slow == [60, 120, 240, 480, 960, 1920, 3600, 3600].map { $0 * 1000 })
    }

    @Test("Chance takes up to half of the wait away")
    func chance() {
        for (chance, wait) in [(UInt32.min, 500), (UInt32.max / 2, 749), (UInt32.max, 1000)] {
            var schedule = ReconnectSchedule()
            #expect(schedule.failed(.soon, chance: chance) == UInt32(wait))
        }
    }

    @Test("A success begins anew")
    func success() {
        var schedule = ReconnectSchedule()
        for _ in 0..<100 { _ = schedule.failed(.soon, chance: .max) }
        schedule.succeeded()
        #expect(schedule.failed(.soon, chance: .max) == 1000)
    }
}

@Suite struct ServerTargetTests {
    private func merged(
        _ direct: [DNSRecord]?,
        _ start: [DNSRecord]?,
        _ policy: PartnerPolicy = PartnerPolicy(domain: "b.test")
    ) -> [String] {
        ServerTargets.merged(directTLS: direct, startTLS: start, host: "b.test", policy: policy).map(\.description)
    }

    private func record(_ value: String, _ port: UInt16, _ priority: UInt16) -> DNSRecord {
        DNSRecord(value: value, port: port, priority: priority)
    }

    @Test("Both services are merged by priority, direct TLS first among equals, DNS's order kept")
    func merge() {
        let direct = [record("d1", 5270, 1), record("d2", 443, 5)]
        let start = [record("s0", 5269, 0), record("s1", 5269, 1), record("s2", 5269, 1)]
        #expect(
            self.merged(direct, start)
                == ["s0:5269", "d1:5270 (direct TLS)", "s1:5269", "s2:5269", "d2:443 (direct TLS)"]
        )
    }

    @Test("A domain without records, or whose records cannot be had, is asked itself")
    func fallback() {
        #expect(self.merged([], []) == ["b.test:5269"])
        #expect(self.merged(nil, nil) == ["b.test:5269"])
        #expect(self.merged([record(".", 0, 0)], []) == ["b.test:5269"])
        let only = PartnerPolicy(domain: "b.test", directTLS: .required)
        #expect(self.merged([], nil, only) == ["b.test:5270 (direct TLS)"])
    }

    @Test("A lone dot says that there is no such service")
    func notOffered() {
        #expect(self.merged([], [record(".", 0, 0)]).isEmpty)
        #expect(self.merged([record("d", 5270, 0)], [record(".", 0, 0)]) == ["d:5270 (direct TLS)"])
        let only = PartnerPolicy(domain: "b.test", directTLS: .required)
        #expect(self.merged([record(".", 0, 0)], nil, only).isEmpty)
    }

    @Test("The policy says which of the services count")
    func policies() {
        let (direct, start) = ([record("d", 5270, 0)], [record("s", 5269, 0)])
        let never = PartnerPolicy(domain: "b.test", directTLS: .notSupported)
        #expect(self.merged(direct, start, never) == ["s:5269"])
        let plain = PartnerPolicy(domain: "b.test", tls: .notSupported, sasl: .notSupported)
        #expect(self.merged(direct, start, plain) == ["s:5269"])
        let only = PartnerPolicy(domain: "b.test", directTLS: .required)
        #expect(self.merged(direct, start, only) == ["d:5270 (direct TLS)"])
    }

    @Test("No more servers than the limit are tried", arguments: [16, 17])
    func limit(count: Int) {
        let records = (0..<count).map { record("s\($0)", 5269, 0) }
        #expect(self.merged([], records).count == 16)
    }

    @Test("A proxy takes the place of DNS")
    func proxy() {
        var policy = PartnerPolicy(domain: "b.test")
        #expect(ServerTargets.withoutDNS(policy) == nil)
        policy.proxy = PartnerPolicy.Proxy(host: "proxy.test")
        #expect(ServerTargets.withoutDNS(policy)?.map(\.description) == ["proxy.test:5269"])
        policy.proxy = PartnerPolicy.Proxy(host: "proxy.test", port: 1234)
        #expect(ServerTargets.withoutDNS(policy)?.map(\.description) == ["proxy.test:1234"])
        policy.directTLS = .required
        policy.proxy = PartnerPolicy.Proxy(host: "proxy.test")
        #expect(ServerTargets.withoutDNS(policy)?.map(\.description) == ["proxy.test:5270 (direct TLS)"])
    }
}
