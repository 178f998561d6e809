/* SPDX-License-Identifier: MIT */
/* tree_remove.c: removes a directory with all that is in it, without recursion: directories within it are
 * moved up to its top and emptied there, so that depth costs neither stack nor descriptors. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "task/work_dir.h"

enum { ROUNDS = 100000 }; /* more than that somebody is still filling it */

/* Gives its owner all rights to the directory NAME below DIR. Never to what a symbolic link leads to: the
 * name is opened as it is, and the mode of what was opened is changed. */
static void open_up(int dir, const char *name)
{
    char path[40];
    int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    (void)chmod(path, 0700);
    close(fd);
}

/* NULL with errno. */
static DIR *open_list(int dir, const char *name)
{
    open_up(dir, name);
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *list = fd >= 0 ? fdopendir(fd) : NULL;
    if (!list && fd >= 0)
        close(fd);
    return list;
}

/* Removes what can go as it is: anything but a directory that is not empty. Else false, with unlink's errno. */
static bool remove_easily(int dir, const char *name)
{
    if (unlinkat(dir, name, 0) == 0)
        return true;
    int why = errno;
    if ((why == EISDIR || why == EPERM) && unlinkat(dir, name, AT_REMOVEDIR) == 0)
        return true;
    errno = why;
    return false;
}

/* Whether the failed unlink of NAME below DIR was that of a directory. */
static bool is_directory(int dir, const char *name)
{
    struct stat st;
    return (errno == EISDIR || errno == EPERM) &&
           fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* A name that nothing in TOP has yet; *COUNTER goes on. */
static int hoist(int dir, const char *name, int top, uint64_t *counter)
{
    char aside[40];
    open_up(dir, name); /* a directory that moves must be writable: its .. changes */
    for (;;) {
        struct stat st;
        snprintf(aside, sizeof aside, ".removed-%llu", (unsigned long long)(*counter)++);
        if (fstatat(top, aside, &st, AT_SYMLINK_NOFOLLOW) && errno == ENOENT)
            return renameat(dir, name, top, aside);
    }
}

/* Empties the directory NAME in TOP: its files go, its directories move up. */
static int flatten(int top, const char *name, uint64_t *counter)
{
    DIR *list = open_list(top, name);
    struct dirent *entry;
    int rc = list ? 0 : -1;
    while (list && (entry = readdir(list))) {
        if (is_dot(entry->d_name) || remove_easily(dirfd(list), entry->d_name))
            continue;
        if (!is_directory(dirfd(list), entry->d_name) ||
            hoist(dirfd(list), entry->d_name, top, counter))
            rc = -1;
    }
    if (list)
        closedir(list);
    return rc ? rc : unlinkat(top, name, AT_REMOVEDIR);
}

int tree_remove(int dir, const char *name)
{
    if (remove_easily(dir, name) || errno == ENOENT)
        return 0;
    if (!is_directory(dir, name))
        return -1;
    DIR *top = open_list(dir, name);
    if (!top)
        return -1;
    uint64_t counter = 0;
    bool found = true;
    for (int round = 0; found && round < ROUNDS; round++) {
        struct dirent *entry;
        found = false;
        rewinddir(top);
        while ((entry = readdir(top))) {
            if (is_dot(entry->d_name) || remove_easily(dirfd(top), entry->d_name))
                continue;
            if (!is_directory(dirfd(top), entry->d_name) ||
                flatten(dirfd(top), entry->d_name, &counter)) {
                int saved = errno;
                closedir(top);
                errno = saved;
                return -1;
            }
            found = true;
        }
    }
    closedir(top);
    return unlinkat(dir, name, AT_REMOVEDIR);
}
