/// Small plugins in C, built when a test asks for them.
enum FixturePlugin {
    /// Builds a plugin into `folder`; its path.
    ///
    /// - Parameters:
    ///   - name: the file is `lib<name>.so`.
    ///   - defines: macros that change ``source``, such as `PLUGIN_ID="x"`.
    ///   - source: the C source, if it is another.
    static func build(
        _ name: String,
        in folder: TemporaryFolder,
        defines: [String] = [],
        source: String = source
    ) throws -> String {
        let file = try folder.write("\(name).c", source)
        let library = "\(folder.path)/lib\(name).so"
        var arguments = ["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden"]
        arguments += ["-I", headers, "-o", library]
        arguments += defines.map { "-D\($0)" }
        _ = try output(of: "cc", arguments + [file])
        return library
    }

    /// The folder of the ABI's headers.
    private static let headers: String = {
        let root = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        return "/\(root)/Sources/CPlugboard/include"
    }()

    /// A plugin that delivers everything, reports every setting as a warning, and can be broken by macros.
    static let source = """
        #include <plugboard/plugboard.h>
        #include <stdlib.h>

        #ifndef PLUGIN_ID
        #define PLUGIN_ID "org.example.fixture"
        #endif
        #ifndef PLUGIN_VERSION
        #define PLUGIN_VERSION "1.0.0"
        #endif
        #ifndef ABI_VERSION
        #define ABI_VERSION PLUGBOARD_ABI_VERSION
        #endif
        #ifndef PLUGIN_SIZE
        #define PLUGIN_SIZE sizeof(plugboard_plugin_t)
        #endif
        #ifndef PROVIDER_SIZE
        #define PROVIDER_SIZE sizeof(plugboard_provider_t)
        #endif
        #ifndef CHECK
        #define CHECK check
        #endif
        #ifndef CREATE
        #define CREATE create
        #endif
        #ifndef DELIVER
        #define DELIVER deliver
        #endif
        #ifndef ENTRY_RESULT
        #define ENTRY_RESULT &plugin
        #endif
        #define UNUSED __attribute__((unused))

        typedef struct instance {
            const plugboard_host_t *host;
            void *context;
        } instance;

        static plugboard_status_t start(void *self) {
            instance *it = self;
            plugboard_bytes_t subject = {(const uint8_t *)"fixture@example.org", 19};
            return it->host->claim(it->context, PLUGBOARD_CLAIM_ADDRESS, subject);
        }
        static void drain(void *self) { (void)self; }
        static void stop(void *self) { (void)self; }
        static void destroy(void *self) { free(self); }
        UNUSED static size_t deliver(void *self, const plugboard_envelope_t *const *envelopes, size_t count) {
            instance *it = self;
            for (size_t index = 0; index < count; index++) {
                plugboard_outcome_t outcome = {.struct_size = sizeof outcome, .result = PLUGBOARD_DELIVERED};
                it->host->complete(it->context, envelopes[index]->token, &outcome);
            }
            return count;
        }
        static void submitted(void *self, const plugboard_submitted_t *results, size_t count) {
            (void)self, (void)results, (void)count;
        }
        static void room(void *self) { (void)self; }
        static uint32_t accepted(void *self, plugboard_stream_t stream, void *listener_user, void **user) {
            (void)self, (void)stream, (void)listener_user, (void)user;
            return 0;
        }
        static void opened(void *self, plugboard_stream_t stream, void *user, const plugboard_tls_info_t *tls) {
            (void)self, (void)stream, (void)user, (void)tls;
        }
        static size_t received(void *self, plugboard_stream_t stream, void *user, const uint8_t *bytes, size_t count) {
            (void)self, (void)stream, (void)user, (void)bytes;
            return count;
        }
        static void writable(void *self, plugboard_stream_t stream, void *user) {
            (void)self, (void)stream, (void)user;
        }
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
            return NULL;
        }
        #define EXTENSION extension
        #endif

        UNUSED static const plugboard_provider_t provider = {
            .struct_size = PROVIDER_SIZE, .start = start, .drain = drain, .stop = stop, .destroy = destroy,
            .deliver = DELIVER, .submitted = submitted, .room = room, .accepted = accepted, .opened = opened,
            .received = received, .writable = writable, .closed = closed, .resolved = resolved, .fired = fired,
            .extension = EXTENSION,
        };

        UNUSED static void check(void *context, const plugboard_instance_t *settings) {
            (void)context;
            const plugboard_problems_t *problems = settings->problems;
            for (size_t index = 0; index < settings->setting_count; index++) {
                const plugboard_setting_t *setting = &settings->settings[index];
                problems->report(problems->context, PLUGBOARD_PROBLEM_WARNING, setting->path, setting->value);
            }
        }

        UNUSED static const plugboard_provider_t *create(void *context, const plugboard_host_t *host,
                                                  const plugboard_instance_t *settings, void **self) {
            (void)context, (void)settings;
            instance *it = calloc(1, sizeof *it);
            it->host = host;
            it->context = host->context;
            *self = it;
            return &provider;
        }

        #ifdef COMMANDS
        #include COMMANDS
        #endif

        UNUSED static const plugboard_descriptor_t descriptor = {
            .struct_size = sizeof(plugboard_descriptor_t),
            .id = PLUGIN_ID, .name = "Fixture", .version = PLUGIN_VERSION, .vendor = "Nobody",
        #ifdef COMMANDS
            .commands = commands, .command_count = sizeof commands / sizeof commands[0],
        #endif
        };

        UNUSED static const plugboard_plugin_t plugin = {
            .struct_size = PLUGIN_SIZE, .abi_version = ABI_VERSION, .descriptor = &descriptor,
            .check = CHECK, .create = CREATE,
        };

        #ifdef UNDEFINED
        extern void plugboard_no_such_function(void);
        #endif

        #ifndef WITHOUT_ENTRY
        const plugboard_plugin_t *plugboard_plugin_entry(uint32_t host_abi) {
            (void)host_abi;
        #ifdef UNDEFINED
            plugboard_no_such_function();
        #endif
            return ENTRY_RESULT;
        }
        #endif
        """
}
