import Foundation
import Glibc
import PluginHost
import Testing

@Suite("Pinned libraries", .timeLimit(.minutes(1)))
struct LibraryPinTests {
    let folder: TemporaryFolder
    let loader: PluginLoader

    init() throws {
        folder = try TemporaryFolder()
        loader = PluginLoader(searchPath: [folder.path], copies: "\(folder.path)/copies")
    }

    private func digest(of path: String) throws -> String {
        String(try output(of: "sha256sum", [path]).prefix(64))
    }

    private func maps() throws -> String {
        try output(of: "cat", ["/proc/\(ProcessInfo.processInfo.processIdentifier)/maps"])
    }

    @Test("A plugin knows its digest, and is loaded from sealed memory if it is pinned")
    func pinned() throws {
        let path = try FixturePlugin.build("pinned", in: folder, defines: ["PLUGIN_VERSION=\"pinned\""])
        let digest = try digest(of: path)
        #expect(try loader.load("pinned").sha256 == digest)
        let plugin = try loader.load("pinned", pin: digest)
        #expect(plugin.sha256 == digest)
        #expect(plugin.description.version == "pinned")
        #expect(try maps().contains("/memfd:libpinned-\(digest.prefix(16))"))
        // The same bytes are the same library.
        #expect(try loader.load("pinned", pin: digest).table == plugin.table)
    }

    @Test("Nobody can write to what a pinned plugin was loaded from")
    func sealed() throws {
        let path = try FixturePlugin.build("sealed", in: folder, defines: ["PLUGIN_VERSION=\"sealed\""])
        _ = try loader.load("sealed", pin: try digest(of: path))
        let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").map { "/proc/self/fd/\($0)" }
        let memory = try #require(
            open.first {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: $0))?.contains("libsealed-") == true
            }
        )
        let descriptor = Glibc.open(memory, O_WRONLY)
        #expect(descriptor < 0 || write(descriptor, "x", 1) < 0)
        #expect(descriptor < 0 || ftruncate(descriptor, 0) < 0)
        if descriptor >= 0 { close(descriptor) }
    }

    @Test("Another file than the pinned one is refused, and both digests are named")
    func mismatch() throws {
        let path = try FixturePlugin.build("swapped", in: folder, defines: ["PLUGIN_VERSION=\"a\""])
        let pin = try digest(of: path)
        _ = try FixturePlugin.build("swapped", in: folder, defines: ["PLUGIN_VERSION=\"b\""])
        let found = try digest(of: path)
        let refusal = try #require(throws: PluginRefusal.self) { try loader.load("swapped", pin: pin) }
        #expect(refusal == .wrongDigest(path: path, pinned: pin, found: found))
        #expect(refusal.description.contains(pin) && refusal.description.contains(found))
        #expect(!FileManager.default.fileExists(atPath: loader.copies))
    }

    @Test("A copy that was tampered with is not loaded, but made anew")
    func tamperedCopy() throws {
        _ = try FixturePlugin.build("copy", in: folder, defines: ["PLUGIN_VERSION=\"right\""])
        let other = try FixturePlugin.build("other", in: folder, defines: ["PLUGIN_VERSION=\"wrong\""])
        let digest = try digest(of: "\(folder.path)/libcopy.so")
        let copy = "\(loader.copies)/libcopy-\(digest.prefix(16)).so"
        try FileManager.default.createDirectory(atPath: loader.copies, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: other, toPath: copy)
        #expect(try loader.load("copy").description.version == "right")
    }

    @Test("A FIFO or a device in place of a plugin is refused, and nobody waits for it")
    func notRegular() throws {
        let fifo = "\(folder.path)/libfifo.so"
        #expect(mkfifo(fifo, 0o600) == 0)
        for path in [fifo, "/dev/zero"] {
            let refusal = try #require(throws: PluginRefusal.self) { try loader.load(path) }
            guard case .unreadable(path, _) = refusal else {
                Issue.record("another refusal: \(refusal)")
                continue
            }
        }
    }
}
