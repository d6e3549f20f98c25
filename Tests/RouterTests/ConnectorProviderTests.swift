import Configuration
import Directory
import Foundation
import PluginHost
import ProviderKit
import Testing

@testable import Router

@Suite("Connectors in a router", .timeLimit(.minutes(1)))
struct ConnectorProviderTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Builds a library that answers each message with `count` others from a thread of its own.
    private func library() throws -> String {
        let source = """
            #include <pthread.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            static void (*handler)(const char *, const char *, const char *);
            static void *answer(void *argument) {
                for (int index = 0; index < atoi(argument); index++) {
                    char text[16];
                    snprintf(text, sizeof text, "%d", index);
                    handler("robot", "user", text);
                }
                handler("bad name", "user", "dropped");
                handler("robot", "user", "last");
                free(argument);
                return NULL;
            }
            void net_on(void (*given)(const char *, const char *, const char *)) { handler = given; }
            int net_send(const char *to, const char *text) {
                if (strcmp(to, "away") == 0) return 2;
                if (strcmp(to, "robot") != 0) return 1;
                pthread_t thread;
                pthread_create(&thread, NULL, answer, strdup(text));
                pthread_detach(thread);
                return 0;
            }
            """
        let file = "\(folder.path)/net.c"
        try Data(source.utf8).write(to: URL(fileURLWithPath: file))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-shared", "-fPIC", "-pthread", "-o",
            "\(folder.path)/libnet.so", file,
        ]
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        return "\(folder.path)/libnet.so"
    }

    private func setup(_ base: Setup) throws -> Setup {
        var setup = base
        setup.moreProviders = """
              net:
                connector:
                  library: \(try library())
                  domain: net.example
                  register: { function: net_on, signature: void(pointer), arguments: [callback] }
                  callback: { signature: "void(string,string,string)", arguments: [from, to, text] }
                  deliver:
                    function: net_send
                    signature: i32(string,string)
                    arguments: [to, text]
                    retries: [2]
                  accounts: [{}]
            """
        return setup
    }

    private func envelope(_ text: String, to name: String) -> Envelope {
        .message(text, from: "user@home.example", to: "\(name)@net.example")
    }

    @Test("Far more messages than a lane holds come through in order, and one of a bad name is dropped")
    func flood() async throws {
        try await Rig.with(try setup(.tiny()), in: folder) { rig in
            #expect(rig.setups.flatMap(\.problems) == [])
            #expect(await rig.router.send(envelope("600", to: "robot")).outcome == .accepted)
            try await rig.inbox.first { $0.text == "last" }
            let texts = rig.inbox.all.filter { $0.from == "robot@net.example" }.map(\.text)
            #expect(texts == (0..<600).map { "\($0)" } + ["last"])
            #expect(rig.log.lines.all.contains { $0.contains("the name of its sender cannot be one in an address") })
        }
    }

    @Test("What the library refuses fails with its code, what it puts off is tried again")
    func results() async throws {
        try await Rig.with(try setup(Setup(attempts: 2)), in: folder) { rig in
            _ = await rig.router.send(envelope("x", to: "nobody"))
            let refused = try await rig.inbox.first { $0.kind == "failure" }
            #expect(refused.text.contains("net_send answered 1"))
            _ = await rig.router.send(envelope("x", to: "away"))
            let given = try await rig.inbox.first { $0.text.contains("net_send answered 2") }
            #expect(given.kind == "failure")
        }
    }
}
