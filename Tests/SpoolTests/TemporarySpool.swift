import Foundation
import Spool

/// A directory for one test, gone with it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "spool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        self.path = url.path
    }

    func file(_ name: String) -> String { "\(self.path)/\(name)" }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }
}

/// When the tests happen, unix milliseconds.
let testTime: Int64 = 1_800_000_000_000

extension SpoolRecord {
    /// A message that differs from others by `id`: its key, its remote id, its payload.
    static func numbered(
        _ id: Int,
        conversation: String = "romeo@a.example|juliet@b.example",
        destination: String = "xmpp",
        remoteID: String?? = .none,
        createdAt: Int64 = testTime,
        expiresAt: Int64 = 0,
        nextAttemptAt: Int64 = 0,
        payload: [UInt8]? = nil
    ) -> SpoolRecord {
        SpoolRecord(
            destination: destination,
            conversation: conversation,
            source: "aol",
            remoteID: remoteID ?? "remote-\(id)",
            idempotencyKey: IdempotencyKey(high: 7, low: UInt64(id)),
            createdAt: createdAt,
            expiresAt: expiresAt,
            nextAttemptAt: nextAttemptAt,
            payload: payload ?? Array("message \(id)".utf8)
        )
    }
}

extension SpoolStore {
    /// Appends records and gives their sequences; a record that is not stored has none.
    func append(_ records: [SpoolRecord]) throws(SpoolError) -> [Int64] {
        try self.commit(records.map { .append($0) }).compactMap { result in
            if case .stored(let sequence) = result { sequence } else { nil }
        }
    }
}
