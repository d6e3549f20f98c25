// What hop_run.c keeps; the source's and the sink's fields are on lines of their own.
#ifndef HOP_RUN_H
#define HOP_RUN_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct hop_run {
    uint32_t addresses;
    uint32_t window;
    uint64_t count;
    sem_t done;
    _Atomic uint64_t faults;
    _Atomic int halves;

    // The source's.
    _Alignas(128) uint64_t sent;
    uint64_t told;
    uint64_t first_number;
    bool is_sending;

    // The sink's.
    _Alignas(128) uint64_t arrived;
    uint64_t expected;
};

#endif
