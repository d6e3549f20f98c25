import Testing
import XMPPComponent
import XMPPWire

@Suite struct GatewayNamesTests {
    private let aim = GatewayNames(domain: "aim.example.org", network: "aol.com")
    private let all = GatewayNames(domain: "im.example.org", network: nil)

    @Test(
        "With a network, a local part is a name on it",
        arguments: [("bob", "bob@aol.com"), ("o'brien", "o'brien@aol.com"), ("a\\5c40", "a\\5c40@aol.com")]
    )
    func network(_ user: String, _ whole: String) throws {
        let jid = try #require(self.aim.jid(of: address(whole)))
        #expect(jid.domain == "aim.example.org")
        #expect(self.aim.address(of: jid) == address(whole))
    }

    @Test("A name is escaped where XMPP does not allow its characters")
    func escaped() {
        #expect(self.aim.jid(of: address("o'brien@aol.com")) == jid("o\\27brien@aim.example.org"))
        #expect(self.all.jid(of: address("bob@aol.com")) == jid("bob\\40aol.com@im.example.org"))
    }

    @Test("Without a network, the whole address is the local part")
    func everything() {
        #expect(self.all.address(of: jid("bob\\40aol.com@im.example.org")) == address("bob@aol.com"))
        #expect(self.all.address(of: jid("bob@im.example.org")) == nil)
        #expect(
            self.all.jid(of: address("carol@elsewhere.example")) == jid("carol\\40elsewhere.example@im.example.org")
        )
    }

    @Test("A whole address of the network is understood, and one of another is not")
    func whole() {
        #expect(self.aim.address(of: jid("bob\\40aol.com@aim.example.org")) == address("bob@aol.com"))
        #expect(self.aim.address(of: jid("bob\\40icq.com@aim.example.org")) == nil)
        #expect(self.aim.jid(of: address("bob@icq.com")) == nil)
    }

    @Test("JIDs of other domains, and names that are no addresses, stand for nobody")
    func nobody() {
        #expect(self.aim.address(of: jid("bob@example.org")) == nil)
        #expect(self.aim.address(of: jid("aim.example.org")) == nil)
        #expect(self.aim.address(of: jid("two\\20words@aim.example.org")) == nil)
        #expect(self.aim.address(of: "") == nil)
        #expect(self.aim.jid(of: address("aol.com")) == nil)
    }

    @Test("The longest name that fits stands for itself, and one more byte for nobody")
    func longest() throws {
        let longest = String(repeating: "a", count: 1023)
        let jid = try #require(self.aim.jid(of: address("\(longest)@aol.com")))
        #expect(self.aim.address(of: jid) == address("\(longest)@aol.com"))
        // Escaping makes it longer than a JID may be.
        #expect(self.aim.jid(of: address("'\(longest.dropFirst())@aol.com")) == nil)
    }
}
