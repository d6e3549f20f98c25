import Foundation
import Testing

@Suite("plugboard explain, policy, licences and providers", .timeLimit(.minutes(1)))
struct PolicyCommandTests {
    let program: Program

    init() throws {
        program = Program(folder: try TemporaryFolder())
        let configuration =
            CheckCommandTests.start + """
                providers:
                  net: {plugin: EchoProvider, settings: {address: bob@b.test}}
                policy:
                  federation: true
                  providers: {net: {network: yahoo, enabled: true}}
                  access: {global: {public: true}}
                """
        try program.folder.write(configuration, to: "a.yaml")
    }

    private func run(_ arguments: String...) throws -> Program.Result {
        try program.run(arguments + ["--config", "a.yaml"])
    }

    @Test("A check warns of the passed date, and says with which line")
    func check() throws {
        let result = try run("check")
        #expect(result.status == 0)
        #expect(result.output.contains("warning: the end of net was announced for 2014-06-30"))
        #expect(!result.errors.contains("note: there is no policy"))
    }

    @Test("A user is refused for want of a seat, gets one, and may; each is explained and in the audit log")
    func seat() throws {
        let router = try program.start(["run", "--config", "a.yaml"], readErrors: true)
        _ = try #require(router.output.line { $0.contains("the router runs") })
        defer {
            router.process.terminate()
            _ = router.output.readToEnd()
            router.process.waitUntilExit()
        }
        let refused = try run("explain", "alice@a.test", "bob@b.test")
        #expect(refused.status == 1)
        #expect(
            refused.output.hasPrefix(
                "refused, by net: alice@a.test has no seat of the licence 'pic', which net needs\n"
            )
        )
        #expect(refused.output.contains("licence   refuses"))
        #expect(try run("send", "alice@a.test", "bob@b.test", "hi").status == 1)

        let assigned = try run("licences", "assign", "alice@a.test", "pic", "--from", "2014-01-01")
        #expect(assigned.status == 0)
        #expect(assigned.output == "seat 1: alice@a.test has the licence 'pic' from 2014-01-01\n")
        #expect(assigned.errors.contains("warning: the licence 'pic' is not sold since 2012-09-01"))
        let allowed = try run("explain", "alice@a.test", "bob@b.test", "message", "--json")
        #expect(allowed.status == 0)
        #expect(allowed.output.contains("\"allowed\":true") && allowed.output.contains("\"verdict\":\"warns\""))
        #expect(try run("licences", "list").output.contains("alice@a.test  pic      2014-01-01  -      active"))
        #expect(try run("licences", "catalogue").output.contains("pic      2012-09-01        1  net"))
        #expect(try run("policy", "show", "alice@a.test").output.contains("public              yes"))
        #expect(
            try run("providers").output.contains(
                "net       running  yahoo    yes      all           pic      2014-06-30"
            )
        )

        #expect(try run("licences", "revoke", "1").status == 0)
        #expect(try run("licences", "revoke", "1").status == 1)
        let audit = try run("policy", "audit").output
        #expect(audit.contains("uid \(getuid())  seat assigned: seat 1 of the licence 'pic' for alice@a.test"))
        #expect(audit.contains("uid \(getuid())  seat revoked: seat 1"))
        #expect(audit.contains("home  refused: message from alice@a.test to bob@b.test"))
    }
}
