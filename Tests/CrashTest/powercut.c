/* Records what the router does to the files of its spool, for the simulated power cuts of the crash test.
 *
 * Loaded with LD_PRELOAD. For each write, truncation and sync of a file whose path contains POWERCUT_FILES, a record is
 * appended to the file POWERCUT_LOG, while nothing else is done to such a file: so the order of the records is the order
 * of what happened. A sync is recorded when it has returned, and is not passed on: the disk is not what is tried.
 *
 *     record: kind (1 byte: W, T or F) | length of the path (2) | path | offset (8) | length (4) | bytes
 *
 * When POWERCUT_AFTER (if it is set) records are written, the process ends as if the power had gone: between any two
 * writes of a commit, or before the sync that would have made it last. With POWERCUT_MAIN only those are counted
 * whose path ends in ".db": what moves the log into the database.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int log_file = -1;
static long left = -1; /* records until the end; negative: no end */
static bool counts_main_only;
static const char *files;

#define NEXT(name) __typeof__(&name) next = (__typeof__(&name))(uintptr_t)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("POWERCUT_LOG"), *after = getenv("POWERCUT_AFTER");
    files = getenv("POWERCUT_FILES");
    if (path == NULL || files == NULL) return;
    log_file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log_file < 0) abort();
    if (after != NULL) left = atol(after);
    counts_main_only = getenv("POWERCUT_MAIN") != NULL;
}

/* The path of an open file that is to be recorded; its length, or 0. */
static size_t path_of(int file, char *path, size_t size) {
    if (log_file < 0 || file == log_file) return 0;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t count = readlink(link, path, size - 1);
    if (count <= 0) return 0;
    path[count] = 0;
    /* The index of the log is memory that is shared, and its content is made anew. */
    if (strstr(path, files) == NULL || (count > 4 && strcmp(path + count - 4, "-shm") == 0)) return 0;
    return (size_t)count;
}

static void record(char kind, const char *path, size_t path_length, int64_t offset, const void *bytes, size_t count) {
    uint16_t short_length = (uint16_t)path_length;
    uint32_t length = (uint32_t)count;
    struct iovec parts[] = {
        {&kind, 1}, {&short_length, 2}, {(void *)(uintptr_t)path, path_length}, {&offset, 8}, {&length, 4},
        {(void *)(uintptr_t)bytes, count},
    };
    if (writev(log_file, parts, 6) != (ssize_t)(15 + path_length + count)) abort();
    bool is_main = path_length > 3 && strcmp(path + path_length - 3, ".db") == 0;
    if (left > 0 && (is_main || !counts_main_only) && --left == 0) kill(getpid(), SIGKILL);
}

static ssize_t recorded_write(int file, const void *bytes, size_t count, off_t offset) {
    NEXT(pwrite64);
    char path[1024];
    size_t length = path_of(file, path, sizeof path);
    if (length == 0) return next(file, bytes, count, offset);
    pthread_mutex_lock(&turn);
    ssize_t written = next(file, bytes, count, offset);
    if (written > 0) record('W', path, length, offset, bytes, (size_t)written);
    pthread_mutex_unlock(&turn);
    return written;
}

ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t offset) {
    return recorded_write(file, bytes, count, offset);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    return recorded_write(file, bytes, count, offset);
}

ssize_t write(int file, const void *bytes, size_t count) {
    NEXT(write);
    char path[1024];
    size_t length = path_of(file, path, sizeof path);
    if (length == 0) return next(file, bytes, count);
    pthread_mutex_lock(&turn);
    off_t offset = lseek(file, 0, SEEK_CUR);
    ssize_t written = next(file, bytes, count);
    if (written > 0) record('W', path, length, offset, bytes, (size_t)written);
    pthread_mutex_unlock(&turn);
    return written;
}

static int recorded_truncation(int file, off_t size) {
    NEXT(ftruncate64);
    char path[1024];
    size_t length = path_of(file, path, sizeof path);
    if (length == 0) return next(file, size);
    pthread_mutex_lock(&turn);
    int result = next(file, size);
    if (result == 0) record('T', path, length, size, NULL, 0);
    pthread_mutex_unlock(&turn);
    return result;
}

int ftruncate64(int file, off64_t size) { return recorded_truncation(file, size); }

int ftruncate(int file, off_t size) { return recorded_truncation(file, size); }

static int recorded_sync(int file, int (*next)(int)) {
    char path[1024];
    size_t length = path_of(file, path, sizeof path);
    if (length == 0) return next(file);
    pthread_mutex_lock(&turn);
    record('F', path, length, 0, NULL, 0);
    pthread_mutex_unlock(&turn);
    return 0;
}

int fsync(int file) {
    NEXT(fsync);
    return recorded_sync(file, next);
}

int fdatasync(int file) {
    NEXT(fdatasync);
    return recorded_sync(file, next);
}
