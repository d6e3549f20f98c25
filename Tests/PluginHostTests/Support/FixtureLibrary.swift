import NativeCalls
import PluginHost

/// An ordinary library in C, with a network in which everything that is sent comes back.
enum FixtureLibrary {
    /// Builds it; what it keeps is its own, for every test has a file of its own.
    static func build(in folder: TemporaryFolder) throws -> ForeignLibrary {
        let file = try folder.write("net.c", source)
        let library = "\(folder.path)/libnet.so"
        let flags = [
            "-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread",
        ]
        _ = try output(of: "cc", flags + ["-o", library, file])
        return try ForeignLibrary(path: library, pin: nil)
    }

    private static func function(
        _ name: String,
        _ signature: String,
        _ arguments: [NativeArgument],
        succeeds: [ResultMatch]? = nil,
        retries: [ResultMatch] = []
    ) throws -> NativeFunction {
        NativeFunction(
            name: name,
            signature: try Signature(parsing: signature),
            arguments: arguments,
            succeeds: succeeds,
            retries: retries
        )
    }

    /// The manifest of a library that is asked for messages, and calls nobody.
    static func polled(every interval: Duration = ConnectorManifest.pollIntervals.lowerBound) throws
        -> ConnectorManifest
    {
        var manifest = try manifest()
        manifest.callback = nil
        manifest.register = nil
        manifest.deliver = try function(
            "net_put",
            "i32(pointer,string,string,string)",
            [.handle, .to, .text, .id]
        )
        manifest.poll = try function(
            "net_next",
            "i32(pointer,pointer,pointer,pointer,pointer,u64)",
            [.handle, .fromBuffer, .toBuffer, .textBuffer, .idBuffer, .bufferBytes],
            succeeds: ResultMatch.usualOfPoll(for: .i32),
            retries: [.zero]
        )
        manifest.pollInterval = interval
        return manifest
    }

    /// The manifest of a library that calls back while it is asked.
    static func pumped() throws -> ConnectorManifest {
        var manifest = try manifest()
        manifest.deliver = try polled().deliver
        manifest.poll = try function(
            "net_pump",
            "bool(pointer)",
            [.handle],
            succeeds: ResultMatch.usualOfPoll(for: .bool),
            retries: [.zero]
        )
        manifest.pollInterval = ConnectorManifest.pollIntervals.lowerBound
        return manifest
    }

    /// The whole manifest.
    static func manifest() throws -> ConnectorManifest {
        var manifest = ConnectorManifest(
            domain: "net.example",
            deliver: try function(
                "net_send",
                "i32(pointer,string,pointer,u64,string)",
                [.handle, .to, .text, .textBytes, .id],
                retries: [.value(-2)]
            )
        )
        manifest.initialise = try function("net_init", "bool()", [])
        manifest.open = try function("net_open", "pointer(string,i32)", [.account("name"), .account("slot")])
        manifest.register = try function("net_on", "void(pointer,pointer)", [.handle, .callback])
        manifest.close = try function("net_close", "void(pointer)", [.handle])
        manifest.shutdown = try function("net_end", "void()", [])
        manifest.callback = NativeCallback(
            signature: try Signature(parsing: "i8(i16,string,pointer,u32,string)"),
            arguments: [.ignored, .from, .text, .textBytes, .id],
            returns: -3
        )
        return manifest
    }

    /// What was called, in order, by way of the library's own log.
    static func calls(_ folder: TemporaryFolder) throws -> [String] {
        try output(of: "cat", ["\(folder.path)/calls"]).split(separator: "\n").map(String.init)
    }

    static let source = """
        #include <pthread.h>
        #include <stdint.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <string.h>

        typedef int8_t (*handler)(int16_t kind, const char *from, const char *text, uint32_t count, const char *id);
        typedef struct net { char name[32]; int slot; handler handler; } net;

        static net *last;
        static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

        _Bool net_init(void) { return 1; }

        net *net_open(const char *name, int slot) {
            if (strcmp(name, "refused") == 0) return NULL;
            net *made = calloc(1, sizeof *made);
            snprintf(made->name, sizeof made->name, "%s", name);
            made->slot = slot;
            return made;
        }

        void net_on(net *self, handler handler) { self->handler = handler; last = self; }

        // Calls back with what was sent, from "NAME/slot"; "down" is away, "nobody" does not exist.
        int net_send(net *self, const char *to, const char *text, size_t count, const char *id) {
            if (strcmp(to, "down") == 0) return -2;
            if (strcmp(to, "nobody") == 0) return -1;
            if (strcmp(to, "block") == 0) {
                pthread_mutex_lock(&gate);
                pthread_mutex_unlock(&gate);
                return 0;
            }
            char from[64];
            snprintf(from, sizeof from, "%s/%d", self->name, self->slot);
            return self->handler(-1, from, text, (uint32_t)count, id) == -3 ? 0 : -9;
        }

        void net_close(net *self) { memset(self->name, 0, sizeof self->name); }
        void net_end(void) {}

        // A library that is asked: what is put is there to be taken, in order.
        typedef struct letter { char to[64], text[64], id[64]; } letter;
        static letter letters[4096];
        static int put_count, taken_count;
        static int fails;

        int net_put(net *self, const char *to, const char *text, const char *id) {
            (void)self;
            letter *next = &letters[put_count++];
            snprintf(next->to, sizeof next->to, "%s", to);
            snprintf(next->text, sizeof next->text, "%s", text);
            snprintf(next->id, sizeof next->id, "%s", id);
            return 0;
        }

        int net_next(net *self, char *from, char *to, char *text, char *id, size_t size) {
            if (fails > 0) { fails--; return -7; }
            if (taken_count == put_count) return 0;
            letter *next = &letters[taken_count++];
            if (strcmp(next->to, "flood") == 0) taken_count--;
            if (strcmp(next->to, "endless") == 0) { memset(text, 'x', size); memset(from, 'y', size); return 1; }
            if (strcmp(next->to, "empty") == 0) return 1;
            snprintf(from, size, "%s", self->name);
            snprintf(to, size, "%s", next->to);
            snprintf(text, size, "%s", next->text);
            snprintf(id, size, "%s", next->id);
            return 1;
        }

        _Bool net_pump(net *self) {
            if (taken_count == put_count) return 0;
            letter *next = &letters[taken_count++];
            self->handler(0, next->to, next->text, (uint32_t)strlen(next->text), next->id);
            return 1;
        }

        // For the test alone.
        void net_fail(int count) { fails = count; }
        void net_block(void) { pthread_mutex_lock(&gate); }
        void net_unblock(void) { pthread_mutex_unlock(&gate); }

        static void *flood(void *argument) {
            net *self = last;
            for (int index = 0; index < *(int *)argument; index++) {
                char text[16];
                snprintf(text, sizeof text, "%d", index);
                self->handler(0, "flood", text, (uint32_t)strlen(text), "");
            }
            free(argument);
            return NULL;
        }

        // Calls back many times from another thread; the last account's.
        void net_flood(int count) {
            int *argument = malloc(sizeof *argument);
            *argument = count;
            pthread_t thread;
            pthread_create(&thread, NULL, flood, argument);
            pthread_detach(thread);
        }

        // Calls back with what is no message.
        void net_rubbish(void) {
            last->handler(0, NULL, "text", 4, "");
            last->handler(0, "", "text", 4, "");
            last->handler(0, "from", NULL, 4, "");
            last->handler(0, "from", "text", 4000000000u, "");
        }
        """
}
