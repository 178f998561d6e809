/* SPDX-License-Identifier: MIT */
/* process_tree.c: ends a process with everything that it started, also what left its process group. */
#include <ctype.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/process.h"

/* One that forks faster than it is read would keep its killer busy for good: a few rounds, then its root
 * goes as well. */
enum { ROUNDS = 20, STOP_ROUNDS = 20 };

struct family {
    pid_t pid, parent;
    bool stopped;
    bool kin; /* a descendant of the root */
};

struct families {
    struct family *items;
    size_t count, cap;
};

/* The parent as /proc/PID/stat has it: the second field behind the name, which may hold anything. */
static pid_t parent_of(const char *pid, bool *stopped)
{
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    FILE *f = fopen(path, "re");
    size_t len = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    text[len] = '\0';
    const char *behind = strrchr(text, ')');
    int parent = 0;
    char state;
    if (!behind || sscanf(behind + 1, " %c %d", &state, &parent) != 2 || state == 'Z')
        return 0; /* gone, or dead already */
    *stopped = state == 'T';
    return parent;
}

static void read_all(struct families *f)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    f->count = 0;
    while (proc && (entry = readdir(proc))) {
        bool stopped = false;
        pid_t parent = isdigit((unsigned char)entry->d_name[0]) ? parent_of(entry->d_name, &stopped) : 0;
        if (!parent)
            continue;
        if (f->count == f->cap) {
            f->cap = f->cap ? f->cap * 2 : 256;
            f->items = xrealloc(f->items, f->cap * sizeof *f->items);
        }
        f->items[f->count++] = (struct family){(pid_t)atoi(entry->d_name), parent, stopped, false};
    }
    if (proc)
        closedir(proc);
}

/* Marks the descendants of ROOT; returns how many. */
static size_t mark(struct families *f, pid_t root)
{
    size_t marked = 0, before;
    do {
        before = marked;
        for (size_t i = 0; i < f->count; i++) {
            bool kin = f->items[i].parent == root;
            for (size_t k = 0; k < f->count && !kin; k++)
                kin = f->items[k].kin && f->items[k].pid == f->items[i].parent;
            if (kin && !f->items[i].kin) {
                f->items[i].kin = true;
                marked++;
            }
        }
    } while (marked > before);
    return marked;
}

/* Stops the descendants of ROOT until no new one turns up: as long as the stopped ones live, a limit on
 * their number holds. Leaves them marked in F; returns how many. */
static size_t stop_descendants(struct families *f, pid_t root)
{
    size_t marked = 0;
    bool moving = true;
    for (int round = 0; round < STOP_ROUNDS && moving; round++) {
        moving = false;
        read_all(f);
        marked = mark(f, root);
        for (size_t i = 0; i < f->count; i++)
            if (f->items[i].kin && !f->items[i].stopped) {
                kill(f->items[i].pid, SIGSTOP);
                moving = true;
            }
    }
    return marked;
}

void process_kill_descendants(pid_t root)
{
    struct families f = {0};
    for (int round = 0; round < ROUNDS && stop_descendants(&f, root); round++)
        for (size_t i = 0; i < f.count; i++)
            if (f.items[i].kin)
                kill(f.items[i].pid, SIGKILL);
    free(f.items);
}

void process_kill_tree(pid_t root)
{
    kill(root, SIGSTOP); /* it starts nothing more, and adopts what its children leave */
    process_kill_descendants(root);
    kill(-root, SIGKILL);
    kill(root, SIGKILL);
}

size_t process_kill_children(bool (*spare)(const void *, pid_t), const void *context)
{
    struct families f = {0};
    size_t n = 0;
    read_all(&f);
    for (size_t i = 0; i < f.count; i++) {
        if (f.items[i].parent != getpid() || spare(context, f.items[i].pid))
            continue;
        process_kill_tree(f.items[i].pid);
        n++;
    }
    free(f.items);
    return n;
}

/* The threads of a process, if the account USER has it: by its /proc/PID/status, where the account's groups, of which
 * there may be any number, stand between the two. Not by the owner of its directory: that is root where a process has
 * changed its account. */
static size_t threads_if_of(FILE *status, uid_t user)
{
    char line[256]; /* of a longer line several, none of which looks like another */
    unsigned long uid, threads;
    while (fgets(line, sizeof line, status)) {
        if (sscanf(line, "Uid:\t%lu", &uid) == 1 && uid != user)
            return 0;
        if (sscanf(line, "Threads:\t%lu", &threads) == 1)
            return threads;
    }
    return 0;
}

size_t process_threads_of(uid_t user)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    size_t n = 0;
    while (proc && (entry = readdir(proc))) {
        char path[64];
        if (!isdigit((unsigned char)entry->d_name[0]))
            continue;
        snprintf(path, sizeof path, "/proc/%.20s/status", entry->d_name);
        FILE *status = fopen(path, "re");
        if (!status)
            continue;
        n += threads_if_of(status, user);
        fclose(status);
    }
    if (proc)
        closedir(proc);
    return n;
}
