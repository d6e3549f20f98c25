/// Commands in C for the fixture plugin.
enum FixtureCommands {
    /// Builds the fixture plugin with commands.
    ///
    /// - Parameters:
    ///   - functions: C code before the list.
    ///   - list: elements of the list of commands, such as `C("echo", "s(s)", "text", echo)`.
    static func build(
        _ name: String,
        in folder: TemporaryFolder,
        functions: String = functions,
        list: String = list
    ) throws -> String {
        let header = """
            #include <string.h>
            #include <stdio.h>
            #define C(name, signature, names, function) \\
                {sizeof(plugboard_command_t), 0, name, signature, names, "Helps.", (void (*)(void))function}
            \(functions)
            static const plugboard_command_t commands[] = {\(list)};
            """
        let path = try folder.write("\(name).h", header)
        // For strdup().
        let defines = ["_POSIX_C_SOURCE=200809L", "COMMANDS=\"\(path)\"", "PLUGIN_ID=\"\(name)\""]
        return try FixturePlugin.build(name, in: folder, defines: defines)
    }

    /// Functions of every shape.
    static let functions = """
        UNUSED static char *echo(void *self, const char *text) { (void)self; return strdup(text); }
        UNUSED static char *all(void *self, const char *s, int64_t i, double d, uint8_t b) {
            (void)self;
            char buffer[256];
            snprintf(buffer, sizeof buffer, "%s %lld %.3f %d", s, (long long)i, d, b);
            return strdup(buffer);
        }
        UNUSED static int64_t negate(void *self, int64_t value) { (void)self; return -value; }
        UNUSED static double half(void *self, double value) { (void)self; return value / 2; }
        UNUSED static uint8_t not(void *self, uint8_t value) { (void)self; return !value; }
        UNUSED static void nothing(void *self) { (void)self; }
        UNUSED static char *null(void *self) { (void)self; return NULL; }
        UNUSED static int64_t sum(void *self, int64_t a, double b, int64_t c, double d, int64_t e, double f, int64_t g, double h,
                           int64_t i, double j, int64_t k, double l, int64_t m, double n, int64_t o, double p) {
            (void)self;
            return a + c * 2 + e * 4 + g * 8 + i * 16 + k * 32 + m * 64 + o * 128
                + (int64_t)(b + d * 2 + f * 4 + h * 8 + j * 16 + l * 32 + n * 64 + p * 128) * 1000;
        }
        UNUSED static char *fill(void *self, int64_t count) {
            (void)self;
            char *text = malloc((size_t)count + 1);
            memset(text, 'x', (size_t)count);
            text[count] = 0;
            return text;
        }
        UNUSED static plugboard_bytes_t bytes(const char *text) {
            return (plugboard_bytes_t){(const uint8_t *)text, strlen(text)};
        }
        UNUSED static char *fail(void *self, const char *reason) {
            instance *it = self;
            const plugboard_commands_host_t *host = it->host->extension(it->context, PLUGBOARD_EXT_COMMANDS);
            host->fail(it->context, bytes(reason));
            return strdup("not shown");
        }
        UNUSED static int64_t answer_late(void *self) {
            instance *it = self;
            const plugboard_commands_host_t *host = it->host->extension(it->context, PLUGBOARD_EXT_COMMANDS);
            plugboard_value_t value = {sizeof value, PLUGBOARD_VALUE_INTEGER, 7, 0, {0}};
            return host->answer(it->context, &value);
        }
        UNUSED static int64_t is_self(void *self) { return ((instance *)self)->context == ((instance *)self)->host->context; }
        """

    static let list = """
        C("echo", "s(s)", "text", echo), C("all", "s(s,i,d,b)", "s,i=5,d=0.25,b=true", all),
        C("negate", "i(i)", "value", negate), C("half", "d(d)", "value", half), C("not", "b(b)", "value", not),
        C("nothing", "v()", "", nothing), C("null", "s()", NULL, null),
        C("sum", "i(i,d,i,d,i,d,i,d,i,d,i,d,i,d,i,d)", "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p", sum),
        C("fill", "s(i)", "count", fill), C("fail", "s(s)", "reason", fail), C("answer-late", "i()", "", answer_late),
        C("is-self", "i()", "", is_self), C("orphan", "v()", "", NULL),
        """
}
