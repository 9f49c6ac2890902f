/* What Swift's Glibc module does not import. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* openat2(2) has no wrapper in glibc. Symbolic links are followed as long as they stay beneath `directory`. */
static inline int openat2_beneath(int directory, const char *path, int flags) {
    struct open_how how = {
        .flags = (unsigned long long)flags | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

/* Hidden behind _GNU_SOURCE. */
#ifndef O_PATH
#define O_PATH 010000000
#endif
#ifndef F_SETSIG
#define F_SETSIG 10
#endif
#ifndef F_SETLEASE
#define F_SETLEASE 1024
#endif

/* Asks for a read lease, which the kernel grants only while nobody has the file open for writing, and gives it back at once.
   0: granted, nobody writes; else the errno: EAGAIN when somebody has it open for writing. Should a writer come in that very
   moment, the kernel signals the holder: SIGURG, which is ignored by default, in place of SIGIO, which kills. */
static inline int try_read_lease(int file) {
    if (fcntl(file, F_SETSIG, SIGURG) < 0) return errno;
    if (fcntl(file, F_SETLEASE, F_RDLCK) < 0) return errno;
    fcntl(file, F_SETLEASE, F_UNLCK);
    return 0;
}

/* Have no wrapper in older glibc, or one behind _GNU_SOURCE. */
static inline int open_process(int process) { return (int)syscall(SYS_pidfd_open, process, 0); }
static inline int open_memory(void) { return (int)syscall(SYS_memfd_create, "migrated", 1u /* MFD_CLOEXEC */); }

/* landlock(7) has no wrappers in glibc. A ruleset that governs the reading of files; what `landlock_allow` does not name cannot be read. */
static inline int landlock_reading(void) {
    struct landlock_ruleset_attr attributes = {.handled_access_fs = LANDLOCK_ACCESS_FS_READ_FILE};
    return (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
}
static inline int landlock_allow(int ruleset, int beneath) {
    struct landlock_path_beneath_attr rule = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE, .parent_fd = beneath};
    return (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}
/* Holds for the calling thread and all that it starts, and cannot be taken back. 0, or the errno. */
static inline int landlock_confine(int ruleset) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) return errno;
    return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? errno : 0;
}
