import NativeCalls
import Testing

@testable import Configuration

@Suite("Connectors that are polled") struct ConnectorPollingTests {
    private let folder: TemporaryDirectory

    init() throws {
        folder = try TemporaryDirectory()
        try folder.write("", to: "libx.so")
    }

    private static let sound = """
        home: { domains: { a.test: { users: any } } }
        providers:
          x:
            connector:
              library: libx.so
              domain: x.example
              poll:
                function: x_next
                signature: i32(pointer,pointer,pointer,u32)
                arguments: [from_buffer, to_buffer, text_buffer, buffer_bytes]
                interval: 250ms
              deliver: { function: x_send, signature: "i32(string,string)", arguments: [to, text] }
              accounts: [{}]
        """

    private func read(_ text: String) -> (manifest: ConnectorManifest?, problems: [Problem]) {
        let (configuration, problems) = ConfigurationLoader.read(text, file: "x.yaml", directory: folder.path)
        guard case .connector(let connector)? = configuration?.providers.first?.plugin else { return (nil, problems) }
        return (connector.manifest, problems)
    }

    @Test("A function that is polled is read, with what its results usually mean")
    func sound() throws {
        let (manifest, problems) = read(Self.sound)
        #expect(problems == [])
        let poll = try #require(manifest?.poll)
        #expect(poll.arguments == [.fromBuffer, .toBuffer, .textBuffer, .bufferBytes])
        #expect(manifest?.pollInterval == .milliseconds(250))
        #expect([1, 2, 0, -1].map(poll.meaning) == [.success, .success, .retry, .failure])
        let usual = read(Self.sound.replacing("        interval: 250ms\n", with: ""))
        #expect(usual.manifest?.pollInterval == .seconds(1))
    }

    @Test("Its results may mean something else")
    func results() throws {
        let text = Self.sound.replacing("interval: 250ms", with: "succeeds: [zero]\n        retries: [-2]")
        let poll = try #require(read(text).manifest?.poll)
        #expect([0, -2, 1].map(poll.meaning) == [.success, .retry, .failure])
    }

    @Test(
        "What cannot work is told",
        arguments: [
            ("interval: 250ms", "interval: 9ms", "providers.x.connector.poll.interval must be"),
            ("from_buffer, to_", "null, to_", "providers.x.connector.poll must have 'from_buffer' among its arguments"),
            ("text_buffer", "id_buffer", "providers.x.connector.poll must have 'text_buffer' among its arguments"),
            (", buffer_bytes", ", 100", "providers.x.connector.poll is not told how many bytes the buffers have"),
            ("u32", "u16", "providers.x.connector.poll.arguments[3] 'buffer_bytes' cannot be given"),
            ("to_buffer", "null", "providers.x.connector.accounts[0] is for all users, and poll does not say"),
            ("arguments: [to,", "arguments: [from_buffer,", "providers.x.connector.deliver.arguments[0] 'from_buffer'"),
            (
                "from_buffer, to_buffer, text_buffer, buffer_bytes", "null, null, null, 1",
                "providers.x.connector.poll brings no message"
            ),
        ]
    )
    func faults(old: String, new: String, beginning: String) throws {
        try #require(Self.sound.contains(old))
        let problems = read(Self.sound.replacing(old, with: new, maxReplacements: 1)).problems
        #expect(problems.contains { $0.message.hasPrefix(beginning) }, "\(problems)")
    }

    @Test("The end of the callbacks is a function that is there")
    func callbackEnd() throws {
        let callback = """
            register: { function: x_on, signature: void(pointer), arguments: [callback] }
                  callback: { signature: "void(string,string,string)", arguments: [from, to, text], until: shutdown }
                  deliver:
            """
        let text = Self.sound.replacing("deliver:", with: callback)
        #expect(
            read(text).problems.map(\.message) == [
                "providers.x.connector.callback.until is shutdown, and there is no such function"
            ]
        )
        let whole = text.replacing(
            "domain: x",
            with: "shutdown: { function: x_end, signature: void() }\n      domain: x"
        )
        #expect(read(whole).problems == [])
        #expect(read(whole).manifest?.callback?.until == .shutdown)
        #expect(read(whole.replacing(", until: shutdown", with: "")).manifest?.callback?.until == .never)
        #expect(!read(whole.replacing("until: shutdown", with: "until: soon")).problems.isEmpty)
    }
}
