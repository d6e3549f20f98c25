#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

// A file in memory that can be sealed, as memfd_create(2) makes it; the C library hides it without _GNU_SOURCE, which the
// modules that Swift has of it lack. Returns a descriptor, or -errno.
static inline int plugboard_memory_file(const char *name) {
    const unsigned close_on_exec = 1, allow_sealing = 2;
    long descriptor = syscall(SYS_memfd_create, name, close_on_exec | allow_sealing);
    return descriptor < 0 ? -errno : (int)descriptor;
}

// Seals it: nobody can write to it, cut it, let it grow, or take the seals away (fcntl(2), F_ADD_SEALS). Returns 0 or -errno.
static inline int plugboard_seal(int descriptor) {
    const int add_seals = 1024 + 9, seal = 1, shrink = 2, grow = 4, write = 8;
    return fcntl(descriptor, add_seals, seal | shrink | grow | write) == 0 ? 0 : -errno;
}
