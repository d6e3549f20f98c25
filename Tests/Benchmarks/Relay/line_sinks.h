// The sinks of the line plugins: connections to ports in a row, for sink0@home.test, sink1@home.test, …
#ifndef LINE_SINKS_H
#define LINE_SINKS_H

#include "line_plugin.h"
#include <stdio.h>

enum {
    // What one deliver() gathers for a sink before it is written.
    GATHERED_MAX = 64 << 10,
};

static const char PREFIX[] = "sink";
static const char SUFFIX[] = "@home.test";

typedef struct sink {
    char name[40];
    size_t name_count;
    plugboard_stream_t stream;
    int is_open;
    // Above its high-water mark: nothing more until writable().
    int is_full;
    uint32_t gathered_count;
    uint8_t gathered[GATHERED_MAX];
} sink;

typedef struct sinks {
    const plugboard_host_t *host;
    void *context;
    char *host_name;
    uint16_t port;
    size_t count;
    sink *all;
} sinks;

// Connects them all, and claims their addresses if that is wanted.
static plugboard_status_t connect_sinks(sinks *it, int claims) {
    for (size_t index = 0; index < it->count; index++) {
        sink *each = &it->all[index];
        plugboard_status_t status = PLUGBOARD_OK;
        if (claims) status = it->host->claim(it->context, PLUGBOARD_CLAIM_ADDRESS, span(each->name));
        if (status < 0) return status;
        plugboard_connect_options_t options = {
            .struct_size = sizeof options, .host = span(it->host_name), .port = (uint16_t)(it->port + index),
        };
        status = it->host->connect(it->context, &options, each, &each->stream);
        if (status < 0) return status;
    }
    return PLUGBOARD_OK;
}

// The sink of an address such as sink3@home.test; NULL if it is none.
static sink *find(sinks *it, plugboard_bytes_t address) {
    size_t prefix = sizeof PREFIX - 1;
    if (address.count <= prefix) return NULL;
    size_t index = (size_t)(address.start[prefix] - '0');
    if (index >= it->count) return NULL;
    sink *found = &it->all[index];
    if (address.count != found->name_count || memcmp(address.start, found->name, address.count) != 0) return NULL;
    return found;
}

static void flush(sinks *it, sink *each) {
    if (each->gathered_count == 0) return;
    plugboard_bytes_t bytes = {each->gathered, each->gathered_count};
    if (it->host->write(it->context, each->stream, bytes) == PLUGBOARD_HIGH) each->is_full = 1;
    each->gathered_count = 0;
}

// Whether the sink has taken the text, which leaves with the next flush.
static int append(sinks *it, sink *each, plugboard_bytes_t text) {
    if (!each->is_open || each->is_full) return 0;
    if (text.count + 1 > GATHERED_MAX - each->gathered_count) {
        flush(it, each);
        if (each->is_full) return 0;
    }
    memcpy(each->gathered + each->gathered_count, text.start, text.count);
    each->gathered[each->gathered_count + text.count] = '\n';
    each->gathered_count += (uint32_t)text.count + 1;
    return 1;
}

static void flush_all(sinks *it) {
    for (size_t index = 0; index < it->count; index++) flush(it, &it->all[index]);
}

// Reads the settings `connect` and `sinks`; 0 if there is no memory.
static int make_sinks(sinks *it, const plugboard_host_t *host, const plugboard_instance_t *settings) {
    it->host = host;
    it->context = host->context;
    it->host_name = setting(settings, "connect");
    it->port = it->host_name ? split_address(it->host_name) : 0;
    char *count = setting(settings, "sinks");
    it->count = count ? strtoul(count, NULL, 10) : 0;
    free(count);
    it->all = calloc(it->count ? it->count : 1, sizeof *it->all);
    if (!it->all) return 0;
    for (size_t index = 0; index < it->count; index++) {
        sink *each = &it->all[index];
        each->name_count = (size_t)snprintf(each->name, sizeof each->name, "%s%zu%s", PREFIX, index, SUFFIX);
    }
    return 1;
}

static void free_sinks(sinks *it) {
    free(it->host_name);
    free(it->all);
}

// The schema of those settings.
#define SINK_SETTINGS \
    { \
        .struct_size = sizeof(plugboard_setting_schema_t), .type = PLUGBOARD_SETTING_ADDRESS, \
        .flags = PLUGBOARD_SETTING_REQUIRED, .path = "connect", \
        .help = "Where sink0 is; the next sinks are at the next ports.", \
    }, \
    { \
        .struct_size = sizeof(plugboard_setting_schema_t), .type = PLUGBOARD_SETTING_INTEGER, .path = "sinks", \
        .standard = "4", .help = "How many there are.", .minimum = 1, .maximum = 10, \
    }

#endif
