/* SPDX-License-Identifier: MIT */
/* doctor_host.c: the shared directory, the doorbell and the limits of this host. */
#include "doctor_host.h"

#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/doorbell.h"

#define MEBIBYTE UINT64_C(1048576)

enum { NEWEST_FILES = 1000, DESCRIPTORS_BESIDE = 64 };

/* --- directories ---------------------------------------------------------------------------------- */

/* May the account of the runners write and search a directory, by its owner and mode? Groups other than the
 * account's own are not looked up. */
static bool writable_by_runner(const struct settings *s, const struct stat *st)
{
    uid_t uid = geteuid();
    gid_t gid = getegid();
    const struct passwd *pw = s->runner.user ? getpwnam(s->runner.user) : NULL;
    if (pw) {
        uid = pw->pw_uid;
        gid = pw->pw_gid;
    }
    unsigned wanted = 3, mode = st->st_mode;
    if (uid == 0)
        return true;
    if (uid == st->st_uid)
        return (mode >> 6 & wanted) == wanted;
    if (gid == st->st_gid)
        return (mode >> 3 & wanted) == wanted;
    return (mode & wanted) == wanted;
}

/* Tells what is wrong with a directory of daemons and returns false, or tells nothing. */
static bool look_at_directory(const struct settings *s, const struct findings *f, const char *what, const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        finding_tell(f, FINDING_WRONG, what, "%s: %s: make it, owned by the account of taskrunner", path,
                     strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        finding_tell(f, FINDING_WRONG, what, "%s: is no directory", path);
    else if (st.st_mode & S_IWOTH)
        finding_tell(f, FINDING_WRONG, what,
                     "%s: mode %04o: every account of this host may put files there; chmod o-w", path,
                     (unsigned)st.st_mode & 07777);
    else if (!writable_by_runner(s, &st))
        finding_tell(f, FINDING_WRONG, what, "%s: mode %04o, owner %lld: %s may not write there; chown it", path,
                     (unsigned)st.st_mode & 07777, (long long)st.st_uid,
                     s->runner.user ? s->runner.user : "the present account");
    else
        return true;
    return false;
}

static void look_at_space(const struct findings *f, const char *path)
{
    struct statvfs v;
    if (statvfs(path, &v) < 0) {
        finding_tell(f, FINDING_WRONG, "space", "%s: %s", path, strerror(errno));
        return;
    }
    uint64_t unit = v.f_frsize, bytes = unit * v.f_bavail, all = unit * v.f_blocks;
    double part = all ? 100.0 * (double)bytes / (double)all : 100;
    double inodes = v.f_files ? 100.0 * (double)v.f_favail / (double)v.f_files : 100;
    if (v.f_flag & ST_RDONLY) {
        finding_tell(f, FINDING_WRONG, "space", "%s: mounted read-only: no export can be written", path);
        return;
    }
    bool none = bytes < 256 * MEBIBYTE || inodes < 1, little = bytes < 2048 * MEBIBYTE || part < 5 || inodes < 5;
    finding_tell(f, none ? FINDING_WRONG : little ? FINDING_NOTE : FINDING_OK, "space",
                 "%s: %" PRIu64 " MiB free (%.0f%%), %.0f%% of the inodes%s", path, bytes / MEBIBYTE, part, inodes,
                 none || little ? ": exports fail when it is full; make room, or shorten "
                                  "queue.retention_success" : "");
}

static void look_at_doorbell(const struct settings *s, const struct findings *f)
{
    const char *path = s->runner.doorbell;
    if (!path) {
        finding_tell(f, FINDING_NOTE, "doorbell",
                     "not set: a new task waits up to runner.poll; set runner.doorbell where API and runner "
                     "share a host");
        return;
    }
    struct stat st;
    if (stat(path, &st) < 0 && errno == ENOENT) {
        finding_tell(f, FINDING_NOTE, "doorbell", "%s is not there: no runner has run on this host", path);
        return;
    }
    if (!look_at_directory(s, f, "doorbell", path))
        return;
    int dead, alive = doorbell_count(path, &dead);
    if (alive)
        finding_tell(f, FINDING_OK, "doorbell", "%s: runners of this host that listen: %d", path, alive);
    else
        finding_tell(f, FINDING_NOTE, "doorbell",
                     "%s: nobody listens (%d left behind): with no runner on this host a new task waits up "
                     "to runner.poll (%" PRId64 " ms)",
                     path, dead, s->runner.poll_usec / 1000);
}

/* --- limits ----------------------------------------------------------------------------------------- */

/* A pool that this account starts may raise its limit up to the hard one. */
static void look_at_pool(const struct settings *s, const struct findings *f)
{
    const struct api_settings *a = &s->api;
    struct rlimit limit;
    rlim_t wanted = (rlim_t)(a->connections + a->threads + DESCRIPTORS_BESIDE);
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY && limit.rlim_max < wanted)
        finding_tell(f, FINDING_WRONG, "pool",
                     "api.connections = %" PRId64 " but a process may open %llu files: requests would wait "
                     "unanswered; raise the limit (LimitNOFILE=), or lower api.connections",
                     a->connections, (unsigned long long)limit.rlim_max);
    else if (a->threads <= a->database_connections)
        finding_tell(f, FINDING_NOTE, "pool",
                     "api.threads = %" PRId64 ", api.database_connections = %" PRId64 ": connections are "
                     "idle and few requests share a statement; 16 threads and 4 connections are fast",
                     a->threads, a->database_connections);
    else if (a->database_connections > 8)
        finding_tell(f, FINDING_NOTE, "pool",
                     "api.database_connections = %" PRId64 ": more than a few make requests slower, not "
                     "faster: commits share their fsync and lookups one statement; 4 is fast",
                     a->database_connections);
    else if (a->processes > 2 * cores)
        finding_tell(f, FINDING_NOTE, "pool",
                     "api.processes = %" PRId64 " on %ld cores: one is fastest as long as it does not fill a core",
                     a->processes, cores);
    else
        finding_tell(f, FINDING_OK, "pool",
                     "processes: %" PRId64 "; in each threads: %" PRId64 ", connections of nginx: up to %" PRId64
                     ", of the database: up to %" PRId64,
                     a->processes, a->threads, a->connections, 1 + a->database_connections);
}

void doctor_host(const struct settings *s, const struct findings *f)
{
    if (look_at_directory(s, f, "files", s->files.directory)) {
        finding_tell(f, FINDING_OK, "files", "%s: a directory of the runner's account", s->files.directory);
        look_at_space(f, s->files.directory);
    }
    look_at_doorbell(s, f);
    look_at_pool(s, f);
}

/* --- files ------------------------------------------------------------------------------------------ */

/* Files that stat refuses for one kind of reason. */
struct refused_files {
    unsigned count;
    char first[128];
    int why; /* an errno, of the first */
};

struct file_count {
    const char *directory;
    unsigned seen;
    struct refused_files missing, hidden;
};

static void look_at_file(void *ctx, const char *path)
{
    struct file_count *count = ctx;
    struct buf whole = BUF_INIT;
    struct stat st;
    buf_addf(&whole, "%s/%s", count->directory, path);
    count->seen++;
    if (stat(buf_str(&whole), &st) < 0) {
        struct refused_files *r = errno == ENOENT ? &count->missing : &count->hidden;
        if (!r->count++) {
            r->why = errno;
            snprintf(r->first, sizeof r->first, "%s", path);
        }
    }
    buf_free(&whole);
}

void doctor_files(const struct settings *s, const struct db_address *runner, const struct findings *f)
{
    struct file_count count = {.directory = s->files.directory};
    struct error e = {0};
    if (store_doctor_files(runner, NEWEST_FILES, look_at_file, &count, &e)) {
        finding_tell(f, FINDING_WRONG, "rows of files", "%s", e.text);
        return;
    }
    if (count.missing.count)
        finding_tell(f, FINDING_WRONG, "rows of files",
                     "%u of the newest %u name a file that is not there, the first %s: is files.directory "
                     "mounted, and the same on all hosts?",
                     count.missing.count, count.seen, count.missing.first);
    if (count.hidden.count)
        finding_tell(f, FINDING_WRONG, "rows of files",
                     "%u of the newest %u name a file that cannot be looked at, the first %s: %s: run this as the "
                     "account of taskrunner",
                     count.hidden.count, count.seen, count.hidden.first, strerror(count.hidden.why));
    if (!count.missing.count && !count.hidden.count)
        finding_tell(f, FINDING_OK, "rows of files", "each of the newest %u names a file that is there", count.seen);
}
