/* SPDX-License-Identifier: MIT */
/* housekeeping.c: progress into the table; tasks of dead runners back into the queue; files that no row
 * names off the disk. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "impl.h"
#include "store/query.h"
#include "task/request.h"
#include "task/work_dir.h"

enum { TAKE_BACK_MAX = 200, EXPIRE_MAX = 200, FORGET_MAX = 500, THIN_MAX = 20, TRASH_MAX = 200, SHARDS_A_TURN = 64,
       SHARDS_A_TMP = SWEEP_SHARDS / 16 };

static const int64_t sweep_ns = 2000000000, expire_ns = 5000000000,
                     forget_ns = 60000000000, take_back_most_ns = 1000000000;

/* When a chore is due again that gave RC, PAUSE_NS after it usually. From now: one that took its time must not come
 * before the queue's own work again. One that other sessions (another runner, say) keep from its rows has time. */
static int64_t next_chore(struct dispatcher *d, const char *what, int rc, const struct error *e, int64_t pause_ns)
{
    static const int64_t held_ns = 10000000000;
    if (rc == ERR_DB_RETRY)
        log_info("%s: another session holds a row: later", what);
    else if (rc < 0)
        database_failed(d, what, e);
    return clock_mono_ns() + (rc == ERR_DB_RETRY ? held_ns : pause_ns);
}

/* What a worker that was ended, or a runner that is gone, has left of a claim. */
static void remove_claim_files(struct dispatcher *d, uint64_t id, uint64_t fence, enum result_rest rest)
{
    struct error e = {0};
    if (result_file_remove_claim(d->settings->files.directory, id, fence, rest, &e))
        log_error("task %llu: cannot remove the files of claim %llu: %s", (unsigned long long)id,
                  (unsigned long long)fence, e.text);
}

/* AGAIN: another claim may go on from the checkpoint. */
static enum result_rest rest_of(bool again)
{
    return again ? RESULT_KEEP_CHECKPOINT : RESULT_REMOVE_ALL;
}

/* --- progress ---------------------------------------------------------------------------------- */

/* What is to be written of one claim. */
struct news {
    struct run_claim *claim;
    unsigned version; /* of its progress */
};

/* Fills NOTE with the progress of C, which runs at SLOT, if it is news. */
static size_t collect(struct run_claim *c, const struct slot *slot, struct arena *arena, struct news *news,
                      struct progress_note *note)
{
    struct slot_progress p;
    unsigned version;
    if (!slot_read(slot, &p, &version) || version == c->noted)
        return 0;
    const char *json = claim_progress_json(arena, p.done, p.total, p.unit, p.message);
    *news = (struct news){c, version};
    *note = (struct progress_note){c->task.id, c->task.fence, json};
    return json != NULL;
}

/* What could not be written stays news. */
void note_progress(struct dispatcher *d)
{
    struct arena *arena = arena_create();
    size_t busy = pool_busy(&d->pool), count = 0;
    struct news *news = arena_alloc(arena, busy * sizeof *news);
    struct progress_note *notes = arena_alloc(arena, busy * sizeof *notes);
    bool *written = arena_alloc(arena, busy * sizeof *written);
    for (size_t i = 0; i < d->pool.place_count; i++) {
        const struct pool_place *place = &d->pool.places[i];
        if (place->claim)
            count += collect(place->claim, place->slot, arena, &news[count], &notes[count]);
    }
    struct error e = {0};
    int rc = count ? store_note_progress(d->store, notes, count, written, &e) : 0;
    if (rc)
        database_failed(d, "writing progress", &e);
    for (size_t i = 0; i < count && !rc; i++)
        if (written[i])
            news[i].claim->noted = news[i].version;
    /* from now: a database that took its time must not find the next ones due at once */
    d->note_at_ns = clock_mono_ns() + d->settings->runner.progress_usec * 1000;
    arena_destroy(&arena);
}

/* --- tasks of runners that are gone --------------------------------------------------------------- */

/* A deferred request may have reached the site: that only its runner knew. */
static bool may_repeat(struct dispatcher *d, const struct text *data)
{
    struct arena *arena = arena_create();
    struct deferred_request r;
    bool may = deferred_request_parse(data->p, data->len, arena, &r, NULL) == 0 &&
               deferred_request_is_repeatable(&r, settings_site(d->settings, r.site));
    arena_destroy(&arena);
    return may;
}

static struct lost_verdict judge_lost_task(void *ctx, const struct lost_task *task)
{
    struct dispatcher *d = ctx;
    struct task_limits limits;
    task_limits_get(d->settings, task->type, &limits);
    struct lost_verdict v = {.keep_usec = limits.retention_failure_usec};
    if (task->request.p && !may_repeat(d, &task->request))
        v.why = "; the request may have reached the site, and is not sent twice";
    else
        v.again = task->attempt < (task->max_attempts ? task->max_attempts : (unsigned)limits.max_attempts);
    return v;
}

int take_back_some(struct dispatcher *d, struct error *e)
{
    struct lost_claim *lost = xcalloc(TAKE_BACK_MAX, sizeof *lost);
    int n = store_take_back(d->store, &d->watch, TAKE_BACK_MAX, judge_lost_task, d, lost, e);
    for (int i = 0; i < n; i++)
        remove_claim_files(d, lost[i].id, lost[i].fence, rest_of(lost[i].again));
    free(lost);
    if (n > 0) {
        log_warning("tasks taken back from runners that are gone: %d", n);
        d->look_at_ns = 0;
    }
    return n;
}

void take_back(struct dispatcher *d, int64_t now_ns)
{
    struct error e = {0};
    int n = take_back_some(d, &e);
    if (n < 0)
        database_failed(d, "taking tasks back from runners that are gone", &e);
    /* several runners: not all at the same moment */
    int64_t pause = d->lease_usec * 1000 / 12;
    if (pause > take_back_most_ns)
        pause = take_back_most_ns;
    d->take_back_at_ns = n > 0 ? now_ns : clock_mono_ns() + pause / 2 + (int64_t)random_below((uint64_t)pause);
}

/* --- files ------------------------------------------------------------------------------------------ */

static void remove_file(struct dispatcher *d, const char *path)
{
    struct error e = {0};
    if (result_file_remove(d->settings->files.directory, path, &e))
        log_error("cannot remove %s: %s", path, e.text);
}

void remove_files(struct dispatcher *d, struct run_claim *c, bool again)
{
    for (size_t i = 0; i < c->finish.file_count; i++)
        remove_file(d, c->finish.files[i].path);
    c->finish.file_count = 0;
    remove_claim_files(d, c->task.id, c->task.fence, rest_of(again));
}

/* Returns whether there may be more. */
static bool empty_trash(struct dispatcher *d)
{
    struct trash_entry *entries = xcalloc(TRASH_MAX, sizeof *entries);
    struct error e = {0};
    int n = store_list_trash(d->store, entries, TRASH_MAX, &e);
    for (int i = 0; i < n; i++)
        remove_file(d, entries[i].path); /* one that cannot be removed is left to the search for orphans */
    int rc = n > 0 ? store_drop_trash(d->store, entries, (size_t)n, &e) : n;
    d->sweep_at_ns = next_chore(d, "removing deleted files", rc, &e, sweep_ns);
    free(entries);
    return rc >= 0 && n == TRASH_MAX;
}

/* Removes PATH below the shared directory if it is old, no row names it and it is of no claim that runs: hosts may
 * not agree on what is old. */
static void sweep_one(struct dispatcher *d, const char *path, time_t now)
{
    char full[PATH_MAX];
    struct stat st;
    struct error e = {0};
    snprintf(full, sizeof full, "%s/%s", d->settings->files.directory, path);
    if (lstat(full, &st) < 0 || now - st.st_mtime < d->settings->files.orphan_age_usec / 1000000)
        return;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return;
    int known = store_file_known(d->store, path, &e);
    if (known < 0)
        database_failed(d, "looking for the row of a file", &e);
    if (known != 0)
        return;
    log_warning(S_ISDIR(st.st_mode) ? "%s: nobody works in this directory: removed"
                                    : "%s: no row names this file: removed", path);
    tree_remove(AT_FDCWD, full);
}

static void sweep_directory(struct dispatcher *d, const char *directory)
{
    char full[PATH_MAX];
    snprintf(full, sizeof full, "%s/%s", d->settings->files.directory, directory);
    DIR *list = opendir(full);
    struct dirent *entry;
    time_t now = time(NULL);
    while (list && database_ready(d, clock_mono_ns()) && (entry = readdir(list))) {
        char path[NAME_MAX + 16];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        sweep_one(d, path, now);
    }
    if (list)
        closedir(list);
}

/* Checkpoints of tasks that have ended: cancelled while they waited for another attempt, say, or written by
 * a stopped worker after that. A task that is tried again has a higher fence. One that was seen here a moment
 * before its task's success belongs to a file that a row names now. */
static void sweep_checkpoints(struct dispatcher *d)
{
    struct result_claim *claims;
    size_t count = result_file_checkpoints(d->settings->files.directory, &claims);
    if (!count)
        return;
    uint64_t *ids = xcalloc(count, sizeof *ids);
    bool *ended = xcalloc(count, sizeof *ended);
    struct error e = {0};
    for (size_t i = 0; i < count; i++)
        ids[i] = claims[i].id;
    if (store_find_ended(d->store, ids, count, ended, &e))
        database_failed(d, "looking for the tasks of checkpoints", &e);
    else
        for (size_t i = 0; i < count; i++)
            if (ended[i])
                remove_claim_files(d, claims[i].id, claims[i].fence, RESULT_KEEP_FINISHED);
    free(ended);
    free(ids);
    free(claims);
}

/* A little of the shared directory at a time: once round takes about half an hour, and begins anywhere, so that
 * runners that are started again and again come everywhere, too. Unfinished files have their turn at the beginning
 * and every two minutes. */
static void sweep_orphans(struct dispatcher *d)
{
    for (int i = 0; i < SHARDS_A_TURN; i++) {
        char shard[16];
        snprintf(shard, sizeof shard, "%02x/%02x", d->sweep_shard >> 8, d->sweep_shard & 255);
        sweep_directory(d, shard);
        d->sweep_shard = (d->sweep_shard + 1) % SWEEP_SHARDS;
        if (d->swept++ % SHARDS_A_TMP == 0)
            sweep_directory(d, "tmp");
    }
}

/* Without the shared directory (not mounted, say) nothing can be said of its files. */
static bool directory_there(struct dispatcher *d)
{
    if (access(d->settings->files.directory, W_OK | X_OK) == 0)
        return true;
    log_error("the directory of result files %s: %s", d->settings->files.directory, strerror(errno));
    return false;
}

void sweep_files(struct dispatcher *d, int64_t now_ns)
{
    bool more = false;
    d->sweep_at_ns = now_ns + sweep_ns;
    if (directory_there(d)) {
        more = empty_trash(d);
        sweep_checkpoints(d);
        if (!more && ages_count(&d->ages, clock_wall_usec(), now_ns, d->settings->files.orphan_age_usec))
            sweep_orphans(d);
    }
    /* the files of many tasks that are deleted at once must be gone within seconds, too */
    if (more)
        d->sweep_at_ns = now_ns;
}

/* The older ones of each configured backup. Those of a backup that is no longer configured stay. */
static void thin_backups(struct dispatcher *d)
{
    for (size_t i = 0; i < d->settings->backup_count; i++) {
        const struct backup_def *b = &d->settings->backups[i];
        char series[RESULT_SERIES_SIZE];
        struct error e = {0};
        backup_series(b->name, series);
        int n = store_keep_newest(d->store, series, (size_t)b->keep, THIN_MAX, &e);
        if (n < 0 && n != ERR_DB_RETRY) /* then somebody downloads one, say: the next time */
            database_failed(d, "removing old backups", &e);
        else if (n > 0)
            log_info("backup %s: %d older than the newest %lld removed", b->name, n, (long long)b->keep);
    }
}

void expire(struct dispatcher *d)
{
    struct error e = {0};
    thin_backups(d);
    int n = store_expire(d->store, EXPIRE_MAX, &e);
    /* a backlog goes in small transactions with pauses: the queue's own work comes first */
    d->expire_at_ns = next_chore(d, "deleting what has expired", n, &e, n >= EXPIRE_MAX ? expire_ns / 50 : expire_ns);
}

void forget(struct dispatcher *d)
{
    struct error e = {0};
    int n = store_forget(d->store, FORGET_MAX, &e);
    d->forget_at_ns = next_chore(d, "deleting what nobody asks for any more", n, &e,
                                 n >= FORGET_MAX ? forget_ns / 600 : forget_ns);
}
