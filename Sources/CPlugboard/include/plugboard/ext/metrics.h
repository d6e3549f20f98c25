// Host extension "plugboard.metrics/1": counters, gauges and histograms that the operator sees.
//
// A metric is declared once, in start(); a series of it is one set of label values. Names become
// "plugboard_plugin_" + name, + "_" + unit where there is one, + "_total" for counters; the host adds
// the label "provider". Everything is forgotten when the instance stops.
#ifndef PLUGBOARD_EXT_METRICS_H
#define PLUGBOARD_EXT_METRICS_H

#include "../base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLUGBOARD_EXT_METRICS "plugboard.metrics/1"

// Handles carry a generation, as all do. 0 is none.
typedef uint64_t plugboard_metric_t;
typedef uint64_t plugboard_series_t;

#define PLUGBOARD_METRIC_COUNTER ((uint32_t)1)    // grows
#define PLUGBOARD_METRIC_GAUGE ((uint32_t)2)      // goes up and down
#define PLUGBOARD_METRIC_HISTOGRAM ((uint32_t)3)  // how often values fell into which bucket

// OWNERSHIP: the caller's; copied before declare() returns.
typedef struct plugboard_metric_declaration_1 {
    uint32_t struct_size;
    uint32_t kind;                     // PLUGBOARD_METRIC_…
    plugboard_bytes_t name;            // small letters, digits, "_"; up to 64 bytes; not ending in "_total",
                                       // "_sum", "_count", "_bucket"
    plugboard_bytes_t help;            // a sentence, up to 256 bytes
    plugboard_bytes_t unit;            // "seconds", "bytes"; empty: none
    const plugboard_bytes_t *labels;   // label_count names; not "provider", "instance" or "le"
    size_t label_count;                // 0 … 8
    const double *buckets;             // HISTOGRAM: bucket_count upper bounds, ascending
    size_t bucket_count;               // 0 … 32; 0: 1 ms to 10 s, for seconds
} plugboard_metric_declaration_t;

// OWNERSHIP: the host's; lives as long as the host table. `context` is the host table's.
typedef struct plugboard_metrics_1 {
    uint32_t struct_size;
    uint32_t reserved;

    // [worker] Declares a metric.
    //
    // returns  OK and *metric; E_INVALID, E_LIMIT (128 metrics), E_CONFLICT (there is one of this name
    //          and another kind), E_SHUTDOWN
    plugboard_status_t (*declare)(void *context, const plugboard_metric_declaration_t *declaration,
                                  plugboard_metric_t *metric);

    // [worker] The series with these values, one for each label, in order; the same values have the same
    // series. Not for the message path: keep the handle.
    //
    // values   value_count texts, each up to 128 bytes
    // returns  OK and *series; E_HANDLE, E_INVALID, E_LIMIT (4096 series), E_SHUTDOWN
    plugboard_status_t (*series)(void *context, plugboard_metric_t metric, const plugboard_bytes_t *values,
                                 size_t value_count, plugboard_series_t *series);

    // [worker] Adds to a counter (whole, 0 or more) or to a gauge. Takes no lock.
    //
    // returns  OK, E_HANDLE, E_INVALID, E_STATE (a histogram)
    plugboard_status_t (*add)(void *context, plugboard_series_t series, double amount);

    // [worker] Sets a gauge, or lets a histogram observe a value. Takes no lock.
    //
    // returns  OK, E_HANDLE, E_STATE (a counter)
    plugboard_status_t (*record)(void *context, plugboard_series_t series, double value);
} plugboard_metrics_t;

#ifdef __cplusplus
}
#endif

#endif
