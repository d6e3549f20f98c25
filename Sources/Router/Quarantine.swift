internal import Foundation

/// Providers that are not started because they held up the whole router: a file each in the state folder.
///
/// Any thread.
package struct Quarantine: Sendable {
    private let folder: String

    /// The most bytes of a reason that are read.
    private static let reasonBytesMax = 4096

    package init(state: String) {
        folder = "\(state)/quarantine"
    }

    /// The providers, with the reason of each.
    package func all() -> [String: String] {
        var reasons: [String: String] = [:]
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let file = FileHandle(forReadingAtPath: "\(folder)/\(name)")
            let bytes = (try? file?.read(upToCount: Self.reasonBytesMax)) ?? Data()
            reasons[name] = String(decoding: bytes, as: UTF8.self)
        }
        return reasons
    }

    /// Keeps a provider from being started.
    package func add(_ name: String, because reason: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data(reason.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(name)"), options: .atomic)
    }

    /// Lets a provider be started again.
    package func remove(_ name: String) {
        try? FileManager.default.removeItem(atPath: "\(folder)/\(name)")
    }
}
