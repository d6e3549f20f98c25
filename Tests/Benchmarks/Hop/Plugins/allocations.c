// Counts the allocations of the whole process: the program's own malloc() and its kin stand in front of the C library's,
// for all shared libraries too.
#include "hop.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static _Atomic bool is_counting;
static _Atomic uint64_t allocations;

void hop_count_allocations(bool isCounting) {
    if (isCounting) atomic_store(&allocations, 0);
    atomic_store(&is_counting, isCounting);
}

uint64_t hop_allocations(void) { return atomic_load(&allocations); }

static void count(void) {
    if (atomic_load_explicit(&is_counting, memory_order_relaxed)) {
        atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    }
}

#define EXPORT __attribute__((visibility("default"), used))

EXPORT void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

EXPORT void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

EXPORT void *realloc(void *memory, size_t size) {
    count();
    return __libc_realloc(memory, size);
}

EXPORT void *memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

EXPORT int posix_memalign(void **memory, size_t alignment, size_t size) {
    count();
    *memory = __libc_memalign(alignment, size);
    return *memory == NULL ? ENOMEM : 0;
}
