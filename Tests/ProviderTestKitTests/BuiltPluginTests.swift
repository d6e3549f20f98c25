import Glibc
import ProviderKit
import ProviderTestKit
import Testing

/// Plugins as they are built beside the tests, loaded like any other.
@Suite struct BuiltPluginTests {
    /// The folder of the test's own executable, into which the same build puts the plugins.
    private func plugin(_ name: String) throws -> TestedPlugin {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = max(readlink("/proc/self/exe", &buffer, buffer.count), 0)
        let executable = String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let slash = try #require(executable.lastIndex(of: "/"))
        return try TestedPlugin(path: "\(executable[..<slash])/lib\(name).so")
    }

    @Test(arguments: Conformance.Check.allCases)
    func theBuiltEchoProviderConforms(to check: Conformance.Check) throws {
        let address = try #require(Address("echo@world.example"))
        var conformance = Conformance(
            try plugin("EchoProvider"),
            settings: ["address": "echo@world.example"],
            to: address
        )
        conformance.refused = [["address": "no address"]]
        conformance.seedCount = 5
        try conformance.run(check)
    }

    @Test(arguments: Conformance.Check.allCases)
    func theBuiltXMPPPluginConforms(to check: Conformance.Check) throws {
        let bob = try #require(Address("bob@b.test"))
        var conformance = Conformance(
            try plugin("XMPP"),
            settings: [
                "listen[0]": "198.51.100.1:5269", "partners[0].domain": "b.test", "partners[0].tls": "not-supported",
                "partners[0].sasl": "not-supported",
            ],
            homeDomains: ["a.test"],
            to: bob
        ) {
            XMPPPeer(bytesPerSecond: check == .slowPeer ? 2000 : nil)
        }
        conformance.refused = [["partners[0].tls": "required"]]
        // Each place is a whole scenario, and negotiations make many.
        conformance.seedCount = 2
        try conformance.run(check)
    }

    @Test(arguments: Conformance.Check.allCases)
    func theBuiltLineGateInCConforms(to check: Conformance.Check) throws {
        let bob = try #require(Address("bob@lines.example"))
        let settings = ["listen": "198.51.100.1:\(GatePerson.port)", "domain": "lines.example"]
        var conformance = Conformance(try plugin("CProvider"), settings: settings, to: bob) {
            GatePerson(bytesPerSecond: check == .slowPeer ? 200 : nil)
        }
        conformance.refused = [
            settings.merging(["domain": "Lines example"]) { $1 }, settings.merging(["listen": "anywhere"]) { $1 },
            settings.merging(["ack_timeout": "1ms"]) { $1 }, ["domain": "lines.example"],
        ]
        conformance.seedCount = 5
        try conformance.run(check)
    }

    @Test func aFileThatIsNoneIsRefusedWithTheReason() {
        let refusal = #expect(throws: InstanceRefusal.self) { _ = try TestedPlugin(path: "/nowhere/libNone.so") }
        #expect(refusal?.description.contains("/nowhere/libNone.so cannot be loaded") == true)
    }
}
