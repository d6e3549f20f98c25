import Foundation
import Testing

@Suite struct RestartItselfTests {
    let program: Program

    init() throws {
        program = Program(folder: try TemporaryFolder())
    }

    /// A plugin that serves `spin.test`, and never returns from the delivery of anything.
    private static let spinner = CPlugin(
        name: "Spinner",
        source: """
            static plugboard_status_t start(void *self) { (void)self; return claim("spin.test"); }
            static volatile int forever = 1;
            static size_t deliver(void *self, const plugboard_envelope_t *const *envelopes, size_t count) {
                (void)self, (void)envelopes;
                while (forever) {}
                return count;
            }
            """
    )

    @Test(
        "A provider that never returns and shares its thread costs a restart, and is in quarantine then",
        .timeLimit(.minutes(1))
    )
    func restart() throws {
        try Self.spinner.build(in: program.folder)
        try program.folder.write(
            CheckCommandTests.start + """
                providers:
                  echo: { plugin: EchoProvider, settings: { address: echo@a.test } }
                  spinner: { plugin: ./libSpinner.so, limits: { slow_call: 50ms, stuck_call: 200ms } }
                """,
            to: "a.yaml"
        )
        let router = try program.start(["run", "--config", "a.yaml"], readErrors: true)
        _ = try #require(router.output.line { $0.contains("the router runs") })
        // Its answer may come before the worker is stuck, or not.
        _ = try program.run("send", "alice@a.test", "u@spin.test", "kept", "--config", "a.yaml")
        #expect(router.output.line { $0.contains("is stuck in a callback") && $0.contains("deliver") } != nil)
        #expect(router.output.line { $0.contains("restarts itself without a provider") } != nil)
        // The same process, anew.
        _ = try #require(router.output.line { $0.contains("the router runs") })
        #expect(router.process.isRunning)
        let status = try program.run("status", "--config", "a.yaml")
        #expect(status.output.contains("spinner is quarantined: it spent more than"))
        #expect(status.output.contains("spool: 1 waiting"))
        #expect(try program.run("send", "alice@a.test", "echo@a.test", "on", "--config", "a.yaml").status == 0)
        let inbox = try program.start(["inbox", "alice@a.test", "--follow", "--config", "a.yaml"])
        #expect(inbox.output.line { $0.hasSuffix("on") } != nil)
        inbox.process.terminate()
        let marks = try FileManager.default.contentsOfDirectory(
            atPath: program.folder.url.appendingPathComponent("state/quarantine").path
        )
        #expect(marks == ["spinner"])
        router.process.terminate()
        _ = router.output.readToEnd()
        router.process.waitUntilExit()
        #expect(router.process.terminationStatus == 0)
    }
}
