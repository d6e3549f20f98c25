import Foundation
import NativeCalls
import Testing

@testable import Configuration

@Suite struct ConnectorTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
        try folder.write("", to: "libx.so")
    }

    private static let sound = """
        home: { domains: { a.test: { users: any } } }
        providers:
          x:
            sha256: \(String(repeating: "0A", count: 32))
            connector:
              library: libx.so
              domain: X.example
              open:
                function: x_open
                signature: i32(string,string,pointer)
                arguments: [account.number, account.pin, new_handle]
                succeeds: [zero]
              register: { function: x_on, signature: "void(pointer,pointer,pointer)", arguments: [handle, callback, null] }
              callback: { signature: "i32(string,pointer,u64)", arguments: [from, text, text_bytes], returns: 1 }
              deliver:
                function: x_send
                signature: i32(pointer,string,pointer,u64,i32)
                arguments: [handle, to, text, text_bytes, 7]
                retries: [-2, negative]
              accounts:
                - user: Alice@a.test
                  settings: { number: "256" }
                  secrets: { pin: env:PIN }
        """

    private func read(_ text: String) -> (section: ProviderSection?, problems: [Problem]) {
        let (configuration, problems) = ConfigurationLoader.read(text, file: "x.yaml", directory: folder.path)
        return (configuration?.providers.first, problems)
    }

    @Test("A manifest is read, with what is usual filled in")
    func sound() throws {
        let (section, problems) = read(Self.sound)
        #expect(problems == [])
        guard case .connector(let connector) = try #require(section).plugin else {
            Issue.record("no connector")
            return
        }
        #expect(section?.pin == String(repeating: "0a", count: 32))
        #expect(connector.library == "\(folder.path)/libx.so")
        let manifest = connector.manifest
        #expect(manifest.domain == "x.example")
        #expect(manifest.open?.arguments == [.account("number"), .account("pin"), .newHandle])
        #expect(manifest.register?.arguments == [.handle, .callback, .null])
        #expect(manifest.deliver.arguments == [.handle, .to, .text, .textBytes, .integer(7)])
        #expect(manifest.deliver.succeeds == [.zero])
        #expect(manifest.deliver.retries == [.value(-2), .negative])
        #expect(manifest.callback?.arguments == [.from, .text, .textBytes])
        #expect(manifest.callback?.returns == 1)
        #expect(connector.accounts.map(\.user) == ["alice@a.test"])
        #expect(connector.accounts[0].values["number"] == .text("256"))
        #expect(connector.accounts[0].values["pin"] == .secret(.environment(name: "PIN")))
        #expect(connector.positions[.deliver]?.line == 16)
    }

    /// What is changed, where the problem is, and how it begins and ends.
    struct Fault: Sendable, CustomTestStringConvertible {
        var old: String
        var new: String
        var line: Int
        var beginning: String
        var ending = ""

        init(_ old: String, _ new: String, _ line: Int, _ beginning: String, _ ending: String = "") {
            (self.old, self.new, self.line, self.beginning, self.ending) = (old, new, line, beginning, ending)
        }

        var testDescription: String { "\(old) → \(new)" }
    }

    private static let brokenManifests = [
        Fault("libx.so", "liby.so", 6, "providers.x.connector.library: cannot read"),
        Fault("domain: X.example", "domain: 'a b'", 7, "providers.x.connector.domain must be a domain name"),
        Fault(
            "i32(string,string,pointer)",
            "i32(string,str,pointer)",
            10,
            "providers.x.connector.open.signature 'i32(string,str,pointer)' is no signature at character 12: 'str' is no type"
        ),
        Fault(
            "[account.number, account.pin, new_handle]",
            "[account.number]",
            11,
            "providers.x.connector.open has 1 arguments"
        ),
        Fault("account.pin, new", "acount.pin, new", 11, "providers.x.connector.open.arguments[1] must be handle,"),
        Fault(
            "new_handle]",
            "text]",
            11,
            "providers.x.connector.open.arguments[2] 'text' has no value",
            "only deliver has a message"
        ),
        Fault(
            "handle, callback, null]",
            "handle, callback, true]",
            13,
            "providers.x.connector.register.arguments[2] 'true' cannot be"
        ),
        Fault(
            "text_bytes, 7]",
            "text_bytes, 5000000000]",
            18,
            "providers.x.connector.deliver.arguments[4] '5000000000' cannot"
        ),
        Fault("[-2, negative]", "[-2, minus]", 19, "providers.x.connector.deliver.retries[1] must be a number, zero"),
        Fault("[handle, to, text", "[handle, from, text", 16, "providers.x.connector.deliver must have 'to'"),
        Fault(
            "function: x_send",
            "function: x-send",
            16,
            "providers.x.connector.deliver.function must be the name of a C"
        ),
        Fault(
            "[from, text, text_bytes]",
            "[from, text, ignored]",
            14,
            "providers.x.connector.callback has a text that is a pointer"
        ),
        Fault(
            "[from, text, text_bytes]",
            "[to, text, text_bytes]",
            14,
            "providers.x.connector.callback must have 'from'"
        ),
        Fault(
            "[from, text, text_bytes]",
            "[from, text, txt]",
            14,
            "providers.x.connector.callback.arguments[2] must be one of from,"
        ),
        Fault(
            "[handle, callback, null]",
            "[handle, null, null]",
            14,
            "providers.x.connector.callback is handed to nobody"
        ),
        Fault("{ number: \"256\" }", "{ nubmer: \"1\" }", 21, "providers.x.connector.accounts[0] lacks 'number'"),
        Fault(
            "i32(string,string,pointer)",
            "i32(u8,string,pointer)",
            21,
            "providers.x.connector.accounts[0] has '256' as 'number'",
            "it must fit u8"
        ),
        Fault("Alice@a.test", "alice", 21, "providers.x.connector.accounts[0].user must be user@domain"),
        Fault("user: Alice@a.test\n          ", "", 21, "providers.x.connector.accounts[0] is for all users"),
        Fault("sha256: 0A", "sha256: 0", 4, "providers.x.sha256 must be a SHA-256"),
        Fault("  x:\n", "  x:\n    plugin: XMPP\n", 7, "providers.x has both a plugin and a connector"),
        Fault("  x:\n", "  x:\n    settings: { a: b }\n", 4, "providers.x.settings belong to a plugin"),
        Fault("function: x_send", "funktion: x_send", 16, "unknown key 'funktion'", "did you mean 'function'?"),
    ]

    @Test("What cannot work is told with its line", arguments: brokenManifests)
    func faults(fault: Fault) throws {
        try #require(Self.sound.contains(fault.old))
        let (_, problems) = read(Self.sound.replacing(fault.old, with: fault.new, maxReplacements: 1))
        let found = problems.first { $0.message.hasPrefix(fault.beginning) && $0.description.hasSuffix(fault.ending) }
        let problem = try #require(found, "\(problems)")
        #expect(problem.position.line == fault.line)
    }

    @Test("A handle that nobody makes is missed")
    func noHandle() throws {
        let text = Self.sound.replacing("i32(string,string,pointer)", with: "void(string,string,pointer)")
            .replacing("new_handle]", with: "null]")
        let messages = read(text).problems.map(\.message)
        #expect(messages.contains("providers.x.connector.register needs a handle, and open makes none"))
    }

    @Test("A provider is a plugin or a connector")
    func neither() {
        let problems = read("providers: { x: { settings: {} } }").problems
        #expect(problems.contains { $0.message == "missing key 'plugin' in providers.x" })
    }

    @Test("As many accounts as are allowed, and not one more")
    func accountLimit() throws {
        func accounts(_ count: Int) -> String {
            let start = Self.sound.components(separatedBy: "- user")[0]
            return start
                + (0..<count).map { "- { user: u\($0)@a.test, settings: { number: '1', pin: '2' } }" }
                .joined(separator: "\n        ")
        }
        #expect(read(accounts(ConnectorSection.accountsMax)).problems == [])
        let problems = read(accounts(ConnectorSection.accountsMax + 1)).problems
        #expect(problems.first?.message.hasSuffix("must have 1 to 1000 accounts, not 1001") == true)
    }
}
