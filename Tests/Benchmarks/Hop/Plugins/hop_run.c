#include "hop.h"

#include "hop_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

hop_run *hop_run_make(uint32_t addresses, uint32_t window) {
    hop_run *run = aligned_alloc(128, sizeof *run);
    if (run == NULL) abort();
    memset(run, 0, sizeof *run);
    run->addresses = addresses;
    run->window = window;
    sem_init(&run->done, 0, 0);
    return run;
}

void hop_run_prepare(hop_run *run, uint64_t count) {
    run->count = count;
    run->sent = run->told = run->arrived = 0;
    atomic_store(&run->faults, 0);
    atomic_store(&run->halves, 2);
}

static void half_done(hop_run *run) {
    if (atomic_fetch_sub(&run->halves, 1) == 1) sem_post(&run->done);
}

bool hop_run_wait(hop_run *run, unsigned seconds) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    if (sem_timedwait(&run->done, &until) != 0) {
        fprintf(stderr, "a run stands still: sent %llu, told %llu, arrived %llu of %llu\n",
                (unsigned long long)run->sent, (unsigned long long)run->told, (unsigned long long)run->arrived,
                (unsigned long long)run->count);
        return false;
    }
    uint64_t faults = atomic_load(&run->faults);
    if (faults > 0) fprintf(stderr, "%llu messages were refused, lost or misplaced\n", (unsigned long long)faults);
    return faults == 0;
}

void hop_begin(hop_run *run) { run->is_sending = true; }

bool hop_next(hop_run *run, uint64_t *number) {
    if (!run->is_sending || run->sent == run->count || run->sent - run->told == run->window) return false;
    run->sent += 1;
    // Numbers go on from run to run, so that no id is a duplicate of an earlier one's.
    *number = run->first_number + run->sent;
    return true;
}

void hop_not_taken(hop_run *run) { run->sent -= 1; }

void hop_told(hop_run *run, uint64_t count, uint64_t refused) {
    run->told += count;
    if (refused > 0) atomic_fetch_add(&run->faults, refused);
    if (run->told == run->count) {
        run->first_number += run->count;
        // The next run may be prepared as soon as this one is done: what the router still says is not to start it.
        run->is_sending = false;
        half_done(run);
    }
}

// The digits of a number, most significant first.
static void digits(uint64_t number, unsigned count, uint8_t *text) {
    while (count > 0) {
        text[--count] = (uint8_t)('0' + number % 10);
        number /= 10;
    }
}

size_t hop_address(uint32_t index, uint8_t *address) {
    memcpy(address, "u0000000@home.example", 21);
    digits(index, 7, address + 1);
    return 21;
}

// The recipients are spread over all addresses in a fixed order without a pattern.
size_t hop_recipient(const hop_run *run, uint64_t number, uint8_t *address) {
    uint64_t mixed = number * 0x9E3779B97F4A7C15u;
    mixed = (mixed ^ (mixed >> 32)) * 0xD6E8FEB86659FD93u;
    return hop_address((uint32_t)(((mixed >> 32) * run->addresses) >> 32), address);
}

uint32_t hop_addresses(const hop_run *run) { return run->addresses; }

// Written once: composing words is no part of what is measured.
static const char sentence[HOP_TEXT_BYTES + 1] =
    "000000000000000 the quick brown fox jumps over the lazy dog and the quick brown fox jumps over the lazy dog "
    "and the quick brown fox jumps over the lazy dog and the quick brown fox jumps over the lazy dog and the quick "
    "brown fox jumps over the lazy dog and the quick brown fox jumps over the lazy dog.";

void hop_text(uint64_t number, uint8_t *text) {
    memcpy(text, sentence, HOP_TEXT_BYTES);
    // Letters for the bits, four at a time.
    for (unsigned place = 0; place < 15; place++) text[14 - place] = (uint8_t)('a' + ((number >> (4 * place)) & 15));
}

void hop_arrived(hop_run *run, const uint8_t *text, size_t count) {
    uint64_t number = 0;
    if (count == HOP_TEXT_BYTES && text[HOP_TEXT_BYTES - 1] >= ' ') {
        for (size_t at = 0; at < 15; at++) number = number << 4 | ((text[at] - (uint64_t)'a') & 15);
    }
    // Each run's first number follows the last run's last: the sink sees all of them in order. A lost one is a fault
    // of the next.
    run->arrived += 1;
    if (number != run->expected + 1) atomic_fetch_add(&run->faults, 1);
    run->expected = number;
    if (run->arrived == run->count) half_done(run);
}
