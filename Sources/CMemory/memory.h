// What the message path does to memory and Swift has no words for: hints to the processor and the kernel, which change
// speed and nothing else, and two loops over short text that the compiler must not turn into calls.
#ifndef PLUGBOARD_MEMORY_H
#define PLUGBOARD_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

// Begins to fetch the cache line at an address that will soon be read. The address need not be valid.
static inline void memory_prefetch(const void *address) { __builtin_prefetch(address, 0, 3); }

// Asks for large pages in a large, long-lived block that is read all over: a look-up then misses the address cache
// (TLB) less. Where the kernel does not have them nothing happens.
static inline void memory_prefer_large_pages(void *start, size_t count) {
#ifdef MADV_HUGEPAGE
    const uintptr_t page = 4096;
    uintptr_t first = ((uintptr_t)start + page - 1) & ~(page - 1);
    uintptr_t end = ((uintptr_t)start + count) & ~(page - 1);
    if (first < end) (void)madvise((void *)first, end - first, MADV_HUGEPAGE);
#else
    (void)start, (void)count;
#endif
}

// Where the last byte of a value is; -1: nowhere. Eight bytes at a time from the end.
static inline ptrdiff_t memory_last_index(const uint8_t *start, size_t count, uint8_t value) {
    const uint64_t low = 0x7F7F7F7F7F7F7F7Fu;
    while (count >= 8) {
        uint64_t word;
        memcpy(&word, start + count - 8, 8);
        word ^= value * 0x0101010101010101u;
        // 0x80 in each byte that is 0 now, exactly.
        uint64_t found = ~(((word & low) + low) | word | low);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        if (found != 0) return (ptrdiff_t)count - 1 - __builtin_clzll(found) / 8;
#else
        if (found != 0) return (ptrdiff_t)count - 1 - __builtin_ctzll(found) / 8;
#endif
        count -= 8;
    }
    while (count > 0) {
        count--;
        if (start[count] == value) return (ptrdiff_t)count;
    }
    return -1;
}

// Copies bytes that do not overlap; up to 32 without a call, for most fields of a message are that short.
static inline void memory_copy(void *target, const void *source, size_t count) {
    uint8_t *to = (uint8_t *)target;
    const uint8_t *from = (const uint8_t *)source;
    if (count > 32) {
        memcpy(to, from, count);
    } else if (count >= 16) {
        // Two halves that may overlap each other.
        uint8_t first[16], last[16];
        memcpy(first, from, 16);
        memcpy(last, from + count - 16, 16);
        memcpy(to, first, 16);
        memcpy(to + count - 16, last, 16);
    } else if (count >= 8) {
        uint64_t first, last;
        memcpy(&first, from, 8);
        memcpy(&last, from + count - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + count - 8, &last, 8);
    } else {
        for (size_t index = 0; index < count; index++) to[index] = from[index];
    }
}

#endif
