/* Failing calls of a child process: an LD_PRELOAD library for tests, never part of the crate.
 *
 * Counts the calls of a process that change what lies under a folder, and at one of them does what disks, power and
 * kernels do. `tests/faults/mod.rs` compiles it and sets its environment:
 *
 *   FAULT_FOLDER  the folder, without symbolic links; nothing outside is counted
 *   FAULT_CALLS   which calls count:
 *                   all     everything below
 *                   writes  write, pwrite, writev, pwritev
 *                   syncs   fsync, fdatasync
 *                   names   open with O_CREAT, rename, link, unlink, mkdir, rmdir
 *                   space   those that need room on the disk: writes, ftruncate, open with O_CREAT, rename, link, mkdir
 *   FAULT_AT      at which of them to strike, from 1; 0 or unset: at none, only count
 *   FAULT_WHAT    what to do there:
 *                   kill           SIGKILL before the call
 *                   kill-after     the call, then SIGKILL
 *                   torn           of a write the first k * 512 bytes, k drawn below its length, then SIGKILL; else as kill
 *                   eio            the call fails with EIO
 *                   eio-sticky     it fails, and every later sync
 *                   enospc         it fails with ENOSPC if it needs room
 *                   enospc-sticky  it fails, and every later call that needs room
 *   FAULT_SEED    draws k
 *   FAULT_COUNT   a file of 16 bytes, shared: the number of calls, and of the one that was struck (native 64-bit integers)
 *   FAULT_LOG     a file that gets a line for each call: its number, name, path, length
 *   FAULT_CLOCK   seconds that are added to the wall clock
 *
 * All calls go to the kernel directly, so that nothing here counts itself. State is atomic: threads share it. After a kill
 * no other thread gets a counted call through.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#if !defined(__linux__) || __SIZEOF_POINTER__ != 8
#error "for 64-bit Linux: offsets of files are passed to the kernel in one register"
#endif

#define SECTOR 512

enum kind { WRITE = 1, SYNC = 2, NAME = 4, SPACE = 8, OTHER = 16 };

/* What to do with a call. */
enum verdict { PASS, FAIL, DIE_BEFORE, DIE_AFTER, TEAR };

struct counters {
    atomic_uint_least64_t calls;
    atomic_uint_least64_t struck;
};

static struct counters own, *counters = &own;
static char folder[PATH_MAX];
static size_t folder_len;
static int wanted = ~0, log_file = -1, failure;
static uint64_t strike_at, seed;
static int64_t clock_shift;
static const char *what = "";
/* Kinds of calls that fail from now on. */
static atomic_int sticky;
static atomic_int dead;

static const char *env(const char *name) {
    const char *value = getenv(name);
    return value == NULL ? "" : value;
}

__attribute__((constructor)) static void configure(void) {
    const char *calls = env("FAULT_CALLS");
    clock_shift = strtoll(env("FAULT_CLOCK"), NULL, 10);
    strike_at = strtoull(env("FAULT_AT"), NULL, 10);
    seed = strtoull(env("FAULT_SEED"), NULL, 10);
    what = env("FAULT_WHAT");
    failure = strncmp(what, "enospc", 6) == 0 ? ENOSPC : EIO;
    wanted = strcmp(calls, "writes") == 0 ? WRITE : strcmp(calls, "syncs") == 0 ? SYNC : strcmp(calls, "names") == 0 ? NAME
           : strcmp(calls, "space") == 0 ? SPACE : ~0;
    if (*env("FAULT_COUNT")) {
        int file = (int)syscall(SYS_openat, AT_FDCWD, env("FAULT_COUNT"), O_RDWR | O_CLOEXEC, 0);
        void *shared = file < 0 ? MAP_FAILED : mmap(NULL, sizeof own, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (shared == MAP_FAILED) _exit(99);
        counters = shared;
        syscall(SYS_close, file);
    }
    if (*env("FAULT_LOG")) {
        log_file = (int)syscall(SYS_openat, AT_FDCWD, env("FAULT_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    snprintf(folder, sizeof folder, "%s", env("FAULT_FOLDER"));
    folder_len = strlen(folder);
}

static void die(void) {
    atomic_store(&dead, 1);
    syscall(SYS_kill, getpid(), SIGKILL);
    for (;;) pause();
}

static int is_under(const char *path) {
    return folder_len > 0 && strncmp(path, folder, folder_len) == 0 && (path[folder_len] == '/' || path[folder_len] == '\0');
}

static int path_of_fd(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    path[length < 0 ? 0 : length] = '\0';
    return length > 0;
}

/* The path of a name that may be relative to a folder, or to where the process is. */
static void path_of_name(int at, const char *name, char *path) {
    if (name[0] == '/') {
        snprintf(path, PATH_MAX, "%s", name);
        return;
    }
    char base[PATH_MAX] = "";
    if (at == AT_FDCWD) {
        if (getcwd(base, sizeof base) == NULL) base[0] = '\0';
    } else {
        path_of_fd(at, base);
    }
    if ((size_t)snprintf(path, PATH_MAX, "%s/%s", base, name) >= PATH_MAX) path[0] = '\0';
}

/* Counts a call and says what becomes of it. */
static enum verdict judge(const char *call, int kinds, const char *path, size_t length) {
    if (!is_under(path)) return PASS;
    if (atomic_load(&dead)) for (;;) pause();
    enum verdict verdict = kinds & atomic_load(&sticky) ? FAIL : PASS;
    if (!(kinds & wanted)) return verdict;
    uint64_t number = atomic_fetch_add(&counters->calls, 1) + 1;
    if (log_file >= 0) {
        char line[PATH_MAX + 96];
        int written = snprintf(line, sizeof line, "%llu %s %s %zu\n", (unsigned long long)number, call, path, length);
        syscall(SYS_write, log_file, line, (size_t)written);
    }
    if (number != strike_at) return verdict;
    int has_room = failure == ENOSPC && !(kinds & SPACE);
    if (strcmp(what, "eio-sticky") == 0) atomic_store(&sticky, SYNC);
    if (strcmp(what, "enospc-sticky") == 0) atomic_store(&sticky, SPACE);
    if (has_room) return verdict;
    atomic_store(&counters->struck, number);
    if (strcmp(what, "kill") == 0) return DIE_BEFORE;
    if (strcmp(what, "kill-after") == 0) return DIE_AFTER;
    if (strcmp(what, "torn") == 0) return kinds & WRITE ? TEAR : DIE_BEFORE;
    return FAIL;
}

/* How much of a write of `length` bytes reaches the disk: whole sectors, never all. */
static size_t torn(size_t length) {
    /* SplitMix64. */
    uint64_t z = seed + 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return length == 0 ? 0 : z % ((length - 1) / SECTOR + 1) * SECTOR;
}

static int failed(void) {
    errno = failure;
    return -1;
}

/* A call that is made whole or not at all. */
#define WHOLE(name, kinds, path, expression)                     \
    do {                                                         \
        enum verdict verdict = judge(name, kinds, path, 0);      \
        if (verdict == FAIL) return failed();                    \
        if (verdict == DIE_BEFORE || verdict == TEAR) die();     \
        long result = (expression);                              \
        if (verdict == DIE_AFTER) die();                         \
        return (int)result;                                      \
    } while (0)

/* Bytes to a file, in pieces, at an offset or (-1) where the file stands. */
static ssize_t put(const char *name, int fd, const struct iovec *pieces, int count, off_t offset) {
    char path[PATH_MAX];
    size_t length = 0;
    for (int i = 0; i < count; i++) length += pieces[i].iov_len;
    enum verdict verdict = path_of_fd(fd, path) ? judge(name, WRITE | SPACE, path, length) : PASS;
    if (verdict == FAIL) return failed();
    if (verdict == DIE_BEFORE) die();
    if (verdict == TEAR) {
        size_t left = torn(length), done = 0;
        for (int i = 0; i < count && left > 0; i++) {
            size_t part = pieces[i].iov_len < left ? pieces[i].iov_len : left;
            if (offset < 0) syscall(SYS_write, fd, pieces[i].iov_base, part);
            else syscall(SYS_pwrite64, fd, pieces[i].iov_base, part, offset + (off_t)done);
            left -= part;
            done += part;
        }
        die();
    }
    ssize_t result = offset < 0 ? syscall(SYS_writev, fd, pieces, count) : syscall(SYS_pwritev, fd, pieces, count, offset, 0);
    if (verdict == DIE_AFTER) die();
    return result;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    struct iovec piece = {(void *)bytes, length};
    return put("write", fd, &piece, 1, -1);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    struct iovec piece = {(void *)bytes, length};
    return put("pwrite", fd, &piece, 1, offset);
}

ssize_t writev(int fd, const struct iovec *pieces, int count) { return put("writev", fd, pieces, count, -1); }

ssize_t pwritev(int fd, const struct iovec *pieces, int count, off_t offset) { return put("pwritev", fd, pieces, count, offset); }

int fsync(int fd) {
    char path[PATH_MAX];
    path_of_fd(fd, path);
    WHOLE("fsync", SYNC, path, syscall(SYS_fsync, fd));
}

int fdatasync(int fd) {
    char path[PATH_MAX];
    path_of_fd(fd, path);
    WHOLE("fdatasync", SYNC, path, syscall(SYS_fdatasync, fd));
}

int ftruncate(int fd, off_t length) {
    char path[PATH_MAX];
    path_of_fd(fd, path);
    WHOLE("ftruncate", OTHER | SPACE, path, syscall(SYS_ftruncate, fd, length));
}

int renameat2(int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    char path[PATH_MAX];
    path_of_name(to_at, to, path);
    WHOLE("rename", NAME | SPACE, path, syscall(SYS_renameat2, from_at, from, to_at, to, flags));
}

int renameat(int from_at, const char *from, int to_at, const char *to) { return renameat2(from_at, from, to_at, to, 0); }

int rename(const char *from, const char *to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, 0); }

int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
    char path[PATH_MAX];
    path_of_name(to_at, to, path);
    WHOLE("link", NAME | SPACE, path, syscall(SYS_linkat, from_at, from, to_at, to, flags));
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int unlinkat(int at, const char *name, int flags) {
    char path[PATH_MAX];
    path_of_name(at, name, path);
    WHOLE(flags & AT_REMOVEDIR ? "rmdir" : "unlink", NAME, path, syscall(SYS_unlinkat, at, name, flags));
}

int unlink(const char *name) { return unlinkat(AT_FDCWD, name, 0); }

int rmdir(const char *name) { return unlinkat(AT_FDCWD, name, AT_REMOVEDIR); }

int mkdirat(int at, const char *name, mode_t mode) {
    char path[PATH_MAX];
    path_of_name(at, name, path);
    WHOLE("mkdir", NAME | SPACE, path, syscall(SYS_mkdirat, at, name, mode));
}

int mkdir(const char *name, mode_t mode) { return mkdirat(AT_FDCWD, name, mode); }

static int open_any(int at, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    if (!(flags & O_CREAT)) return (int)syscall(SYS_openat, at, name, flags, mode);
    path_of_name(at, name, path);
    WHOLE("create", NAME | SPACE, path, syscall(SYS_openat, at, name, flags, mode));
}

static mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; }

int openat(int at, const char *name, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return open_any(at, name, flags, mode);
}

int open(const char *name, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = mode_of(flags, rest);
    va_end(rest);
    return open_any(AT_FDCWD, name, flags, mode);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += clock_shift;
    return result;
}

/* On 64-bit Linux these are the same functions by other names. */
ssize_t pwrite64(int, const void *, size_t, off64_t) __attribute__((alias("pwrite")));
ssize_t pwritev64(int, const struct iovec *, int, off64_t) __attribute__((alias("pwritev")));
int ftruncate64(int, off64_t) __attribute__((alias("ftruncate")));
int open64(const char *, int, ...) __attribute__((alias("open")));
int openat64(int, const char *, int, ...) __attribute__((alias("openat")));
