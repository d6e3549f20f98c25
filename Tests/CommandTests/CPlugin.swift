import Foundation
import Testing

/// A small plugin in C, built by a test: `start` and `deliver` are its own, the rest does nothing.
struct CPlugin {
    /// What it is called; the library is `libNAME.so`.
    var name: String
    /// Its functions `start` and `deliver`, and `extension` if it defines `EXTENSION`.
    ///
    /// They have `host`, `claim` and `text_of`.
    var source: String
    /// Lines of the descriptor.
    var descriptor = ""

    /// Builds it.
    ///
    /// - Parameters:
    ///   - suffix: makes another file of it.
    ///   - defines: macros, as for the compiler.
    func build(in folder: TemporaryFolder, suffix: String = "", defines: [String] = []) throws {
        try folder.write(
            [Self.beginning, source, Self.rest(name, descriptor)].joined(separator: "\n"),
            to: "\(name).c"
        )
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.currentDirectoryURL = folder.url
        compiler.arguments =
            ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"]
            + defines.map { "-D\($0)" }
            + ["-I/\(root)/Sources/CPlugboard/include", "-o", "lib\(name)\(suffix).so", "\(name).c"]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0)
    }

    private static let beginning = """
        #include <plugboard/plugboard.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>
        static const plugboard_host_t *host;
        static inline plugboard_bytes_t text_of(const char *text) {
            return (plugboard_bytes_t){(const uint8_t *)text, strlen(text)};
        }
        static inline plugboard_status_t claim(const char *domain) {
            return host->claim(host->context, PLUGBOARD_CLAIM_DOMAIN, text_of(domain));
        }
        """

    private static func rest(_ name: String, _ descriptor: String) -> String {
        """
        static void nothing(void *self) { (void)self; }
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
        #ifndef EXTENSION
        static const void *extension(void *self, const char *id) {
            (void)self, (void)id;
            return 0;
        }
        #endif
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
            .struct_size = sizeof descriptor, .id = "org.example.\(name.lowercased())", .name = "\(name)",
            .version = "1.0.0", .vendor = "Tests", \(descriptor)
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
    }
}
