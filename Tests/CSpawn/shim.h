/* glibc's additions to posix_spawn(3), which <spawn.h> shows only to GNU sources and Swift's Glibc module therefore lacks. */
#include <spawn.h>

extern int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
extern int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);
