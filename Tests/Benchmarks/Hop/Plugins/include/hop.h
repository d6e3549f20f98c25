// Two providers that measure the way between them, and a counter of allocations.
//
// The source hands in messages, the sink takes them; both know each other through a `hop_run`, so that a run's end can
// be waited for. The plugins speak to the router through the plugin ABI alone.
#ifndef HOP_H
#define HOP_H

#include <plugboard/plugboard.h>
#include <stdbool.h>
#include <stdint.h>

// What a source and its sink share. Never freed.
typedef struct hop_run hop_run;

#define HOP_TEXT_BYTES 300
#define HOP_ADDRESS_BYTES_MAX 48

// Makes a pair whose sink claims `addresses` addresses u0000000@home.example, u0000001@… .
//
// window  messages that the source has handed in and not been told of
hop_run *hop_run_make(uint32_t addresses, uint32_t window);

// The two plugins' tables, in C. Valid for ever.
const plugboard_plugin_t *hop_source_plugin(hop_run *run);
const plugboard_plugin_t *hop_sink_plugin(hop_run *run);

// Says how many messages the next run has. Any thread, between two runs.
void hop_run_prepare(hop_run *run, uint64_t count);

// Waits until the source was told of all messages and the sink has taken them.
//
// returns  false if something went wrong: lost, twice, out of order, refused, or longer than `seconds`
bool hop_run_wait(hop_run *run, unsigned seconds);

// --- For sources, on their worker ---

// The run has begun: the source was told to send.
void hop_begin(hop_run *run);
// The next message's number; false if there is no run, its window is full, or all have been handed in.
bool hop_next(hop_run *run, uint64_t *number);
// The last hop_next() is taken back: the router had no room.
void hop_not_taken(hop_run *run);
// The router has told of `count` messages; `refused` of them it did not take.
void hop_told(hop_run *run, uint64_t count, uint64_t refused);
// Writes the recipient's address of a message; its length.
size_t hop_recipient(const hop_run *run, uint64_t number, uint8_t *address);
// Writes a message's text, HOP_TEXT_BYTES long.
void hop_text(uint64_t number, uint8_t *text);
// How many addresses the sink claims.
uint32_t hop_addresses(const hop_run *run);
// Writes the address with an index; its length.
size_t hop_address(uint32_t index, uint8_t *address);

// --- For sinks, on their worker ---

// A message's text has arrived.
void hop_arrived(hop_run *run, const uint8_t *text, size_t count);

// --- Allocations of the whole process ---

// Starts and stops counting; how many there were. Any thread.
void hop_count_allocations(bool isCounting);
uint64_t hop_allocations(void);

#endif
