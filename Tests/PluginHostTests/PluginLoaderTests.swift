import CPlugboard
import Foundation
import PluginHost
import Testing

@Suite("Loading plugins from files", .timeLimit(.minutes(1)))
struct PluginLoaderTests {
    let folder: TemporaryFolder
    let loader: PluginLoader

    init() throws {
        folder = try TemporaryFolder()
        loader = PluginLoader(searchPath: [folder.path], copies: "\(folder.path)/copies")
    }

    /// Why a plugin was refused.
    private func refusal(_ name: String) throws -> PluginRefusal {
        try #require(throws: PluginRefusal.self) { try loader.load(name) }
    }

    @Test("a plugin is found by name, loaded, and says who it is")
    func good() throws {
        let path = try FixturePlugin.build("good", in: folder)
        let plugin = try loader.load("good")
        #expect(plugin.path == path)
        #expect(plugin.description.id == "org.example.fixture")
        #expect(plugin.description.version == "1.0.0")
        #expect(plugin.description.capabilities == [])
        #expect(plugin.description.settings == [])
        // By path, too, and a second time.
        #expect(try loader.load(path).description == plugin.description)
    }

    @Test("the library that is loaded is a copy named after its contents")
    func copying() throws {
        let path = try FixturePlugin.build("copied", in: folder)
        _ = try loader.load(path)
        let copies = try FileManager.default.contentsOfDirectory(atPath: loader.copies)
        try #require(copies.count == 1)
        #expect(copies[0].wholeMatch(of: /libcopied-[0-9a-f]{16}\.so/) != nil)
        let maps = try output(of: "cat", ["/proc/\(ProcessInfo.processInfo.processIdentifier)/maps"])
        #expect(maps.contains("\(loader.copies)/\(copies[0])"))
        #expect(!maps.contains(path))
        _ = try loader.load(path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: loader.copies) == copies)
    }

    @Test("a file that was replaced by another of the same name gives the new plugin, and the old one lives on")
    func replacing() throws {
        let path = try FixturePlugin.build("replaced", in: folder)
        let old = try loader.load(path)
        try FileManager.default.removeItem(atPath: path)
        _ = try FixturePlugin.build("replaced", in: folder, defines: ["PLUGIN_VERSION=\"2.0.0\""])
        let new = try loader.load(path)
        #expect(new.description.version == "2.0.0")
        #expect(old.table != new.table)
        #expect(String(cString: old.table.pointee.descriptor.pointee.version) == "1.0.0")
    }

    @Test("a plugin for another major version is refused in a sentence that names both")
    func wrongVersion() throws {
        let path = try FixturePlugin.build("old", in: folder, defines: ["ABI_VERSION=0x00020007", "PLUGIN_SIZE=8"])
        let refusal = try refusal("old")
        #expect(refusal == .wrongVersion(path: path, plugin: 0x0002_0007, host: PLUGBOARD_ABI_VERSION))
        #expect(refusal.description.contains("ABI 2.7"))
        #expect(refusal.description.contains("speaks 1.0"))
        #expect(refusal.description.contains(path))
    }

    @Test("a plugin for another minor version is loaded", arguments: ["0x00010000", "0x0001FFFF"])
    func otherMinorVersion(version: String) throws {
        _ = try FixturePlugin.build("minor", in: folder, defines: ["ABI_VERSION=\(version)"])
        #expect(try loader.load("minor").description.id == "org.example.fixture")
    }

    @Test("a library without the entry function is no plugin")
    func missingSymbol() throws {
        let path = try FixturePlugin.build("other", in: folder, defines: ["WITHOUT_ENTRY"])
        #expect(try refusal("other") == .missingSymbol(path: path, symbol: "plugboard_plugin_entry"))
    }

    @Test("a plugin may decline")
    func declining() throws {
        let path = try FixturePlugin.build("shy", in: folder, defines: ["ENTRY_RESULT=NULL"])
        #expect(try refusal("shy") == .declined(path: path))
    }

    @Test(
        "a plugin table that is too short or has gaps is refused",
        arguments: ["PLUGIN_SIZE=0", "PLUGIN_SIZE=39", "CHECK=NULL", "CREATE=NULL"]
    )
    func brokenTable(define: String) throws {
        let path = try FixturePlugin.build("broken", in: folder, defines: [define])
        guard case .malformed(path, _) = try refusal("broken") else {
            Issue.record("another refusal")
            return
        }
    }

    @Test("a plugin that needs what nobody has is refused in the linker's words")
    func undefinedSymbol() throws {
        let path = try FixturePlugin.build("needy", in: folder, defines: ["UNDEFINED"])
        guard case .linkFailed(path, let reason) = try refusal("needy") else {
            Issue.record("another refusal")
            return
        }
        #expect(reason.contains("plugboard_no_such_function"))
    }

    @Test(
        "a file that is no library is refused",
        arguments: ["", "not a library", String(repeating: "x", count: 5000)]
    )
    func textFile(contents: String) throws {
        let path = try folder.write("libtext.so", contents)
        #expect(try refusal("text") == .notASharedObject(path: path))
    }

    @Test("a library that was cut short is refused, wherever, and not given to the linker")
    func truncatedLibrary() throws {
        let path = try FixturePlugin.build("cut", in: folder)
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        for count in [64, 65, 500, 2000, 4096, 8192, bytes.count / 2] {
            try bytes.prefix(count).write(to: URL(fileURLWithPath: path))
            #expect(try refusal("cut") == (count <= 64 ? .notASharedObject(path: path) : .truncated(path: path)))
        }
    }

    @Test("a header with impossible places is refused", arguments: [32, 54, 56, 64 + 8, 64 + 32])
    func damagedHeader(offset: Int) throws {
        let path = try FixturePlugin.build("odd", in: folder)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        // Two bytes are enough to put each of these numbers out of the file.
        bytes.replaceSubrange(offset..<offset + 2, with: offset == 54 ? [1, 0] : [0xFF, 0xFF])
        try bytes.write(to: URL(fileURLWithPath: path))
        #expect(try refusal("odd") == .truncated(path: path))
    }

    @Test("a plugin that is not there is told with where it was looked for")
    func missing() throws {
        #expect(try refusal("nowhere") == .notFound(name: "nowhere", searched: [folder.path]))
        #expect(try refusal("nowhere").description.contains("libnowhere.so in \(folder.path)"))
        let path = "\(folder.path)/libnowhere.so"
        guard case .unreadable(path, _) = try refusal(path) else {
            Issue.record("another refusal")
            return
        }
    }

    @Test("a folder in place of a file cannot be read")
    func unreadable() throws {
        let path = "\(folder.path)/libfolder.so"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard case .unreadable(path, _) = try refusal("folder") else {
            Issue.record("another refusal")
            return
        }
    }

    @Test("a file over the limit is not even read")
    func tooLarge() throws {
        let path = try folder.write("libhuge.so", "")
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        // A hole: it takes no space.
        try file.truncate(atOffset: UInt64(PluginLoader.fileBytesMax))
        #expect(try refusal("huge") == .notASharedObject(path: path))
        try file.truncate(atOffset: UInt64(PluginLoader.fileBytesMax) + 1)
        guard case .unreadable(path, let reason) = try refusal("huge") else {
            Issue.record("another refusal")
            return
        }
        #expect(reason.contains("\(PluginLoader.fileBytesMax)"))
        try file.close()
    }

    @Test("copies that cannot be written are a refusal")
    func unwritableCopies() throws {
        let path = try FixturePlugin.build("good", in: folder)
        let blocked = try folder.write("blocked", "a file where the folder should be")
        let loader = PluginLoader(searchPath: [folder.path], copies: blocked)
        let refusal = try #require(throws: PluginRefusal.self) { try loader.load("good") }
        guard case .unreadable(path, _) = refusal else {
            Issue.record("another refusal")
            return
        }
    }

    @Test("the search path is searched in order, and only what looks like a library counts")
    func candidates() throws {
        let second = try TemporaryFolder()
        for name in ["libb.so", "liba.so", "c.so", "libd.txt", "libe.so.1", "lib.so"] { try folder.write(name, "") }
        for name in ["liba.so", "libz.so"] { try second.write(name, "") }
        let missing = "\(second.path)/missing"
        let loader = PluginLoader(searchPath: [missing, folder.path, second.path], copies: "")
        let expected = [
            "\(folder.path)/lib.so", "\(folder.path)/liba.so", "\(folder.path)/libb.so", "\(second.path)/libz.so",
        ]
        #expect(loader.candidates() == expected.sorted())
        #expect(try loader.find("a") == "\(folder.path)/liba.so")
        #expect(try loader.find("z") == "\(second.path)/libz.so")
        #expect(try loader.find("\(second.path)/liba.so") == "\(second.path)/liba.so")
    }
}
