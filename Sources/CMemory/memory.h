// What the message path does to memory and Swift has no words for: hints to the processor and the kernel, which change
// speed and nothing else, and loops over short text, sixteen bytes at a time, that the compiler must not turn into calls.
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

// Sixteen bytes that are compared and combined at once; GCC and Clang have them for every processor.
typedef uint8_t memory_vector __attribute__((vector_size(16)));

static inline memory_vector memory_load(const uint8_t *start) {
    memory_vector bytes;
    memcpy(&bytes, start, sizeof bytes);
    return bytes;
}

static inline memory_vector memory_fill(uint8_t value) {
    memory_vector bytes;
    memset(&bytes, value, sizeof bytes);
    return bytes;
}

// All bytes of a text of 1 to 15, some of them more than once, and no others.
static inline memory_vector memory_load_short(const uint8_t *start, size_t count) {
    uint8_t bytes[16];
    if (count >= 8) {
        memcpy(bytes, start, 8);
        memcpy(bytes + 8, start + count - 8, 8);
    } else if (count >= 4) {
        memcpy(bytes, start, 4);
        memcpy(bytes + 4, start + count - 4, 4);
        memcpy(bytes + 8, bytes, 8);
    } else {
        // The first, the middle and the last: of three at most, these are all.
        memset(bytes, start[0], sizeof bytes);
        bytes[1] = start[count / 2];
        bytes[2] = start[count - 1];
    }
    return memory_load(bytes);
}

// The two halves of a vector, one or-ed into the other.
static inline uint64_t memory_fold(memory_vector bytes) {
    uint64_t halves[2];
    memcpy(halves, &bytes, sizeof halves);
    return halves[0] | halves[1];
}

// Whether no byte has its top bit.
static inline int memory_is_ascii(const uint8_t *start, size_t count) {
    if (count == 0) return 1;
    memory_vector all;
    if (count < 16) {
        all = memory_load_short(start, count);
    } else {
        // The last sixteen, some of them for the second time.
        all = memory_load(start + count - 16);
        size_t offset = 0;
        for (; offset + 32 < count; offset += 32) all |= memory_load(start + offset) | memory_load(start + offset + 16);
        if (offset + 16 < count) all |= memory_load(start + offset);
    }
    return (memory_fold(all) & 0x8080808080808080u) == 0;
}

// Whether no byte is a space, a control character or DEL.
static inline int memory_is_visible(const uint8_t *start, size_t count) {
    if (count == 0) return 1;
    const memory_vector space = memory_fill(0x20), delete = memory_fill(0x7F);
    memory_vector bytes = count < 16 ? memory_load_short(start, count) : memory_load(start + count - 16);
    memory_vector bad = (memory_vector)(bytes <= space) | (memory_vector)(bytes == delete);
    for (size_t offset = 0; offset + 16 < count; offset += 16) {
        bytes = memory_load(start + offset);
        bad |= (memory_vector)(bytes <= space) | (memory_vector)(bytes == delete);
    }
    return memory_fold(bad) == 0;
}

// Whether two texts of one length are the same.
static inline int memory_is_equal(const uint8_t *left, const uint8_t *right, size_t count) {
    if (count > 32) return memcmp(left, right, count) == 0;
    if (count >= 16) {
        const size_t last = count - 16;
        return memory_fold((memory_load(left) ^ memory_load(right)) | (memory_load(left + last) ^ memory_load(right + last)))
            == 0;
    }
    return count == 0 || memory_fold(memory_load_short(left, count) ^ memory_load_short(right, count)) == 0;
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
