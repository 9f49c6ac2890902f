#include <dlfcn.h>
#include <stdbool.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>

/* What reads a journal. libsystemd brings six further libraries, which would cost every start of a program that reads none a tenth of its
   time: they are loaded when they are needed. */
struct journal_functions {
    __typeof__(&sd_journal_open_files) open_files;
    __typeof__(&sd_journal_close) close;
    __typeof__(&sd_journal_set_data_threshold) set_data_threshold;
    __typeof__(&sd_journal_add_match) add_match;
    __typeof__(&sd_journal_next) next;
    __typeof__(&sd_journal_get_data) get_data;
    __typeof__(&sd_journal_get_realtime_usec) get_realtime_usec;
};

/* Finds them, once the library is loaded; it stays. False where it, or one of them, is not there. */
static inline bool load_journal_functions(struct journal_functions *found) {
    void *library = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) return false;
    return (found->open_files = dlsym(library, "sd_journal_open_files"))
        && (found->close = dlsym(library, "sd_journal_close"))
        && (found->set_data_threshold = dlsym(library, "sd_journal_set_data_threshold"))
        && (found->add_match = dlsym(library, "sd_journal_add_match"))
        && (found->next = dlsym(library, "sd_journal_next"))
        && (found->get_data = dlsym(library, "sd_journal_get_data"))
        && (found->get_realtime_usec = dlsym(library, "sd_journal_get_realtime_usec"));
}
