import Foundation
import PluginHost
import Testing

/// The plugins of this package, as they are built beside the tests.
@Suite("Plugins as they are built", .timeLimit(.minutes(1)))
struct BuiltPluginTests {
    /// The folder of the test's own executable, into which the same build puts the plugins.
    private func library(_ name: String) throws -> String {
        let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(fileURLWithPath: executable).deletingLastPathComponent().appending(path: "lib\(name).so").path
        try #require(FileManager.default.fileExists(atPath: path), "\(path) is built together with the tests")
        return path
    }

    @Test("a plugin exports its entry function and nothing else", arguments: ["CProvider", "EchoProvider", "XMPP"])
    func exports(name: String) throws {
        let symbols = try output(of: "nm", ["-D", "--defined-only", library(name)]).split(separator: "\n")
        // A line is "address type name"; types in upper case are global.
        let global = symbols.map { $0.split(separator: " ") }.filter { $0.count == 3 && $0[1] == $0[1].uppercased() }
        #expect(global.map { "\($0[1]) \($0[2])" } == ["T plugboard_plugin_entry"])
    }

    @Test(
        "a plugin brings no Foundation, no NIO and no TLS of its own",
        arguments: ["CProvider", "EchoProvider", "XMPP"]
    )
    func needs(name: String) throws {
        let lines = try output(of: "readelf", ["--wide", "-d", library(name)]).split(separator: "\n")
        let needed = lines.filter { $0.contains("(NEEDED)") }
        #expect(needed.contains { $0.contains("libswiftCore.so") })
        for word in ["foundation", "nio", "ssl", "crypto", "dispatch"] {
            #expect(!needed.contains { $0.lowercased().contains(word) }, "\(word) is needed by \(name)")
        }
    }

    @Test("a plugin is never unloaded", arguments: ["CProvider", "EchoProvider", "XMPP"])
    func stays(name: String) throws {
        let dynamic = try output(of: "readelf", ["--wide", "-d", library(name)])
        #expect(dynamic.contains("NODELETE"))
    }

    @Test(
        "a plugin is loaded, with its own name",
        arguments: [("CProvider", "Line gate"), ("EchoProvider", "Echo"), ("XMPP", "XMPP")]
    )
    func loading(name: String, title: String) throws {
        let folder = try TemporaryFolder()
        let loader = PluginLoader(searchPath: [], copies: folder.path)
        #expect(try loader.load(library(name)).description.name.hasPrefix(title))
    }
}
