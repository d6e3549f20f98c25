import Foundation
import Policy
import Testing

@testable import PolicyStore

@Suite("SeatStore and AuditWriter", .timeLimit(.minutes(1)))
final class SeatStoreTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("seats-\(UUID().uuidString)")
    private var path: String { folder.appendingPathComponent("policy.db").path }

    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    private func day(_ text: String) throws -> PolicyDate { try #require(PolicyDate(text)) }

    private func assign(_ store: SeatStore, _ from: String, _ until: String?, _ user: String = "ann@home.example")
        throws -> Int64
    {
        let last = try until.map(day)
        return try store.assign(user: user, licence: "pic", from: day(from), until: last, by: "uid 7", at: 5)
    }

    @Test("Seats are there after a restart, with who assigned and revoked them in the log")
    func persistence() throws {
        let store = try SeatStore(path: path)
        let first = try assign(store, "2014-01-01", "2014-06-30")
        let second = try assign(store, "2014-01-01", nil, "ben@home.example")
        #expect(try store.revoke(first, by: "uid 8", at: 6)?.user == "ann@home.example")
        #expect(try store.revoke(first, by: "uid 8", at: 7) == nil)
        let again = try SeatStore(path: path)
        #expect(
            try again.seats() == [
                AssignedSeat(id: second, user: "ben@home.example", licence: "pic", from: day("2014-01-01"), until: nil)
            ]
        )
        #expect(
            try again.audit(limit: 10) == [
                AuditEntry(
                    at: 5,
                    actor: "uid 7",
                    what: "seat assigned",
                    detail: "seat 1 of the licence 'pic' for ann@home.example, from 2014-01-01 until 2014-06-30"
                ),
                AuditEntry(
                    at: 5,
                    actor: "uid 7",
                    what: "seat assigned",
                    detail: "seat 2 of the licence 'pic' for ben@home.example, from 2014-01-01"
                ),
                AuditEntry(
                    at: 6,
                    actor: "uid 8",
                    what: "seat revoked",
                    detail: "seat 1 of the licence 'pic' for ann@home.example"
                ),
            ]
        )
    }

    @Test("The log tells what a policy has changed, setting by setting, also across a restart")
    func appliedPolicies() throws {
        func apply(_ settings: [String: String]?) throws {
            try SeatStore(path: path).apply(settings, from: "a.yaml:3", by: "uid 7", at: 5)
        }
        try apply(nil)
        try apply(nil)
        try apply(["federation": "true", "b": "1"])
        try apply(["federation": "true", "b": "1"])
        try apply(["federation": "false", "c": "2"])
        try apply(nil)
        let log = try SeatStore(path: path).audit(limit: 20)
        #expect(
            log.map { "\($0.what): \($0.detail)" } == [
                "no policy: every provider is open to every home user", "policy introduced: 2 settings, from a.yaml:3",
                "policy changed: b: 1 → not set", "policy changed: c: not set → 2",
                "policy changed: federation: true → false", "policy removed: every provider is open to every home user",
            ]
        )
        #expect(log.allSatisfy { $0.actor == "uid 7" && $0.at == 5 })
    }

    @Test("As many changes as the limit are told one by one, and those beyond it are counted")
    func manyChanges() throws {
        let store = try SeatStore(path: path)
        let names = (0...SeatStore.changesMax).map { "s\($0)" }
        func settings(_ names: some Sequence<String>, _ value: String) -> [String: String] {
            Dictionary(names.map { ($0, value) }) { first, _ in first }
        }
        try store.apply(settings(names, "1"), from: "a.yaml:3", by: "start", at: 5)
        try store.apply(settings(names, "2"), from: "a.yaml:3", by: "start", at: 6)
        var log = try store.audit(limit: 10_000).filter { $0.at == 6 }
        #expect(log.count == SeatStore.changesMax + 1)
        #expect(log.last?.detail == "1 more settings, from a.yaml:3")
        try store.apply(settings(names.dropLast(), "3").merging(["s1000": "2"]) { $1 }, from: "", by: "start", at: 7)
        log = try store.audit(limit: 10_000).filter { $0.at == 7 }
        #expect(log.count == SeatStore.changesMax && log.allSatisfy { $0.detail.hasSuffix(": 2 → 3") })
    }

    @Test("Two seats of one licence do not overlap, and the next day is free")
    func overlap() throws {
        let store = try SeatStore(path: path)
        let id = try assign(store, "2014-02-01", "2014-02-28")
        for (from, until) in [
            ("2014-01-01", "2014-02-01"), ("2014-02-28", nil), ("2014-01-01", nil), ("2014-02-10", "2014-02-11"),
        ] {
            #expect(throws: PolicyStoreError.overlaps(user: "ann@home.example", licence: "pic", seat: id)) {
                _ = try self.assign(store, from, until)
            }
        }
        _ = try assign(store, "2014-01-01", "2014-01-31")
        _ = try assign(store, "2014-03-01", nil)
        #expect(try store.seats().count == 3)
    }

    @Test("As many seats as the limit are kept, and one more is refused")
    func seatLimit() throws {
        let store = try SeatStore(path: path, seatsMax: 2)
        _ = try assign(store, "2014-01-01", nil, "a@home.example")
        _ = try assign(store, "2014-01-01", nil, "b@home.example")
        #expect(throws: PolicyStoreError.full(limit: 2)) { try self.assign(store, "2014-01-01", nil, "c@home.example") }
    }

    @Test("Of the audit log the newest are kept")
    func auditLimit() throws {
        let store = try SeatStore(path: path, auditMax: 3)
        let entries = (1...4).map { AuditEntry(at: $0, actor: "net", what: "refused", detail: "\($0)") }
        try store.append(Array(entries[..<3]))
        #expect(try store.audit(limit: 10).map(\.at) == [1, 2, 3])
        try store.append(Array(entries[3...]))
        #expect(try store.audit(limit: 10).map(\.at) == [2, 3, 4])
        #expect(try store.audit(limit: 1).map(\.at) == [4])
    }

    @Test("The file is its owner's alone, and one that is no database is refused with its name")
    func file() throws {
        _ = try SeatStore(path: path)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let other = folder.appendingPathComponent("other.db").path
        try Data(repeating: 7, count: 4096).write(to: URL(fileURLWithPath: other))
        let error = #expect(throws: PolicyStoreError.self) { _ = try SeatStore(path: other) }
        #expect(error?.description.contains(other) == true)
    }

    @Test("A flood of refusals leaves a few entries, and the next one says how many there were")
    func flood() throws {
        let store = try SeatStore(path: path)
        let writer = AuditWriter(store: store, perSecond: 10, burst: 5) { Issue.record("\($0)") }
        func note(_ nowNs: UInt64) {
            writer.note(nowNs: nowNs) { AuditEntry(at: 1, actor: "net", what: "refused", detail: "left out \($0)") }
        }
        for _ in 0..<1000 { note(1) }
        note(100_000_001)
        writer.flush()
        let details = try store.audit(limit: 100).map(\.detail)
        #expect(details == Array(repeating: "left out 0", count: 5) + ["left out 995"])
    }

    @Test("As many as the rate pass over a long time, and no more")
    func bucket() {
        var bucket = AuditBucket(perSecond: 10, burst: 5)
        let admitted = (0..<100_000).filter { bucket.admit(nowNs: UInt64($0) * 1_000_000) != nil }
        #expect((1000...1005).contains(admitted.count))
        var lasting = AuditBucket(perSecond: 1, burst: 1)
        #expect(lasting.admit(nowNs: 5) == 0)
        #expect(lasting.admit(nowNs: 1) == nil)
        #expect(lasting.admit(nowNs: 1_000_000_004) == nil)
        #expect(lasting.admit(nowNs: 1_000_000_005) == 2)
    }
}
