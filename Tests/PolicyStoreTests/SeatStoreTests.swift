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
