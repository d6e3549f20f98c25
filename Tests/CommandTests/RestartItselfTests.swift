import Foundation
import Testing

@Suite struct RestartItselfTests {
    let program: Program

    init() throws {
        program = Program(folder: try TemporaryFolder())
    }

    /// A plugin that serves `spin.test`, and never returns from the delivery of anything.
    private static let source = """
        #include <plugboard/plugboard.h>
        static const plugboard_host_t *host;
        static plugboard_status_t start(void *self) {
            (void)self;
            plugboard_bytes_t subject = {(const uint8_t *)"spin.test", 9};
            return host->claim(host->context, PLUGBOARD_CLAIM_DOMAIN, subject);
        }
        static void nothing(void *self) { (void)self; }
        static volatile int forever = 1;
        static size_t deliver(void *self, const plugboard_envelope_t *const *envelopes, size_t count) {
            (void)self, (void)envelopes;
            while (forever) {}
            return count;
        }
        static void submitted(void *self, const plugboard_submitted_t *results, size_t count) {
            (void)self, (void)results, (void)count;
        }
        static uint32_t accepted(void *self, plugboard_stream_t stream, void *listener, void **user) {
            (void)self, (void)stream, (void)listener, (void)user;
            return 0;
        }
        static void opened(void *self, plugboard_stream_t stream, void *user, const plugboard_tls_info_t *tls) {
            (void)self, (void)stream, (void)user, (void)tls;
        }
        static size_t received(void *self, plugboard_stream_t stream, void *user, const uint8_t *bytes, size_t count) {
            (void)self, (void)stream, (void)user, (void)bytes;
            return count;
        }
        static void writable(void *self, plugboard_stream_t stream, void *user) { (void)self, (void)stream, (void)user; }
        static void closed(void *self, plugboard_stream_t stream, void *user, const plugboard_closed_t *reason) {
            (void)self, (void)stream, (void)user, (void)reason;
        }
        static void resolved(void *self, plugboard_query_t query, void *user, plugboard_status_t status,
                             const plugboard_record_t *records, size_t count) {
            (void)self, (void)query, (void)user, (void)status, (void)records, (void)count;
        }
        static void fired(void *self, plugboard_timer_t timer, void *user) { (void)self, (void)timer, (void)user; }
        static const void *extension(void *self, const char *id) {
            (void)self, (void)id;
            return 0;
        }
        static const plugboard_provider_t provider = {
            .struct_size = sizeof provider, .start = start, .drain = nothing, .stop = nothing, .destroy = nothing,
            .deliver = deliver, .submitted = submitted, .room = nothing, .accepted = accepted, .opened = opened,
            .received = received, .writable = writable, .closed = closed, .resolved = resolved, .fired = fired,
            .extension = extension,
        };
        static void check(void *context, const plugboard_instance_t *settings) { (void)context, (void)settings; }
        static const plugboard_provider_t *create(void *context, const plugboard_host_t *table,
                                                  const plugboard_instance_t *settings, void **self) {
            (void)context, (void)settings;
            host = table;
            *self = (void *)table;
            return &provider;
        }
        static const plugboard_descriptor_t descriptor = {
            .struct_size = sizeof descriptor, .id = "org.example.spinner", .name = "Spinner", .version = "1.0.0",
            .vendor = "Tests",
        };
        static const plugboard_plugin_t plugin = {
            .struct_size = sizeof plugin, .abi_version = PLUGBOARD_ABI_VERSION, .descriptor = &descriptor,
            .check = check, .create = create,
        };
        const plugboard_plugin_t *plugboard_plugin_entry(uint32_t host_abi) {
            (void)host_abi;
            return &plugin;
        }
        """

    private func buildSpinner() throws {
        try program.folder.write(Self.source, to: "spinner.c")
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.currentDirectoryURL = program.folder.url
        compiler.arguments = [
            "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden",
            "-I/\(root)/Sources/CPlugboard/include", "-o", "libSpinner.so", "spinner.c",
        ]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
    }

    @Test(
        "A provider that never returns and shares its thread costs a restart, and is in quarantine then",
        .timeLimit(.minutes(1))
    )
    func restart() throws {
        try buildSpinner()
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
