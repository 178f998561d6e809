/* SPDX-License-Identifier: MIT */
/* dispatcher.c: the runner's loop. Each round: take what has happened (signals, doorbell, answers, the turn that
 * was under way), then, unless one is, what is due in a fixed order: lease, due tasks, look, progress, sweeping, and
 * the next turn. */
#include "dispatcher.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/process.h"
#include "base/random.h"
#include "db/db.h"
#include "impl.h"
#include "notify.h"
#include "store/doorbell.h"
#include "task/command.h"

enum {
    EVENTS_MAX = 64,
    ROUND_MOST_MS = 1000,
    ROUND_WAITING_MS = 250, /* while claims wait for a worker */
};

/* epoll's data for what is no worker; workers have their index. */
static const uint64_t ev_signals = UINT64_MAX, ev_bell = UINT64_MAX - 1, ev_turn = UINT64_MAX - 2;

static const int64_t second_ns = 1000000000;

/* How long what is due may wait for a look. */
static const int64_t look_together_ns = 100000000;

/* No round takes so long by itself: the database did, or the process was stopped. */
static const int64_t stood_still_ns = 500000000;

/* At shutdown: how long tasks may take to stop before they are killed, how long the database may take to be told of
 * it, and how long at the very last other sessions may hold rows. */
static const int64_t stop_margin_ns = 1000000000, write_margin_ns = 10000000000, held_margin_ns = 2000000000;

bool database_ready(const struct dispatcher *d, int64_t now_ns)
{
    return now_ns >= d->database_at_ns;
}

void database_failed(struct dispatcher *d, const char *what, const struct error *e)
{
    log_error("%s: %s", what, e->text);
    /* a lost connection, but also any other failure: never in a tight loop */
    int64_t pause = d->database_pause_ns ? d->database_pause_ns * 2 : second_ns / 10;
    d->database_pause_ns = pause < second_ns ? pause : second_ns;
    d->database_at_ns = clock_mono_ns() + d->database_pause_ns;
}

/* --- configuration -------------------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void choose_types(struct dispatcher *d)
{
    const struct str_list *wanted = &d->settings->runner.types;
    d->types.count = 0;
    for (size_t i = 0; i < catalogue_type_count(d->catalogue) && d->types.count < RUNNER_TYPES_MAX; i++) {
        const struct task_type *type = catalogue_type_at(d->catalogue, i);
        const struct type_code *code = type_code_find(type);
        if (!code || (wanted->count && !str_list_has(wanted, type->name)) ||
            (code->many && !d->settings->runner.replays))
            continue;
        d->types.kinds[d->types.count] = code->many ? WORKER_MANY : WORKER_SINGLE;
        d->types.names[d->types.count++] = type->name;
    }
}

/* Its place in d->types, or their number. */
static size_t find_type(const struct dispatcher *d, const char *type)
{
    size_t i = 0;
    while (i < d->types.count && strcmp(d->types.names[i], type) != 0)
        i++;
    return i;
}

/* Whether TYPE is one of d->types: lanes of others are never remembered. */
static bool takes(const struct dispatcher *d, const char *type)
{
    return find_type(d, type) < d->types.count;
}

static bool takes_kind(const struct dispatcher *d, enum worker_kind kind)
{
    for (size_t i = 0; i < d->types.count; i++)
        if (d->types.kinds[i] == kind)
            return true;
    return false;
}

static size_t worker_count(const struct settings *s)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return s->runner.workers > 0 ? (size_t)s->runner.workers : cores > 0 ? (size_t)cores : 1;
}

/* OLD: the settings so far, or NULL. */
static void configure_pool(struct dispatcher *d, const struct settings *old)
{
    size_t many = takes_kind(d, WORKER_MANY) ? (size_t)d->settings->runner.replays : 0;
    bool many_anew = !old || !settings_same_sites(old, d->settings);
    pool_configure(&d->pool, d->catalogue, worker_count(d->settings), many, many_anew);
}

static void take_settings(struct dispatcher *d, struct settings *settings, struct catalogue *catalogue)
{
    d->settings = settings;
    d->catalogue = catalogue;
    log_open("taskrunner", (enum log_level)settings->log.level);
    choose_types(d);
}

/* Seconds after which a round trip counts as lost: it must not outlast the lease. */
static int database_timeout(const struct settings *s)
{
    int64_t usec = least(s->database.read_timeout_usec, s->runner.lease_usec / 3);
    return (int)((usec + 999999) / 1000000);
}

static void log_report(struct settings_report *report)
{
    settings_log_warnings(report);
    settings_report_free(report);
}

/* What only the process that runs them can say: accounts that it cannot become are an error. */
static int check_commands(const struct settings *settings, struct error *e)
{
    struct settings_report report = SETTINGS_REPORT_INIT;
    commands_warn(settings, &report);
    log_report(&report);
    return commands_check_accounts(settings, e);
}

/* Of types that it takes no more: they would wait for ever, or for a worker that does not know them. */
static void hand_back_strangers(struct dispatcher *d)
{
    for (int kind = 0; kind < WORKER_KINDS; kind++)
        for (size_t left = d->waiting[kind].count; left; left--) {
            struct run_claim *c = claim_list_pop(&d->waiting[kind]);
            bool stays = takes(d, c->task.type);
            if (!stays)
                claim_end_hand_back(c);
            claim_list_push(stays ? &d->waiting[kind] : &d->ended, c);
        }
}

/* SIGHUP. Workers that run keep their configuration, by the fork, until they are idle. */
static void reload(struct dispatcher *d)
{
    struct settings *settings = NULL;
    struct catalogue *catalogue = NULL;
    struct error e = {0};
    d->reload_wanted = false;
    int rc = catalogue_load(d->config, &settings, &catalogue, &e);
    if (!rc) {
        struct settings_report report = SETTINGS_REPORT_INIT;
        settings_keep(settings, d->settings, &report);
        log_report(&report);
        rc = check_commands(settings, &e);
    }
    if (rc) {
        catalogue_free(&catalogue);
        settings_free(&settings);
        log_error("the configuration stays as it was: %s", e.text);
        return;
    }
    int timeout = database_timeout(d->settings);
    struct catalogue *old_catalogue = d->catalogue;
    struct settings *old_settings = d->settings;
    take_settings(d, settings, catalogue);
    configure_pool(d, old_settings);
    hand_back_strangers(d);
    catalogue_free(&old_catalogue);
    if (old_settings != d->first_settings)
        settings_free(&old_settings);
    if (database_timeout(settings) != timeout)
        store_set_timeout(d->store, database_timeout(settings));
    lanes_free(&d->lanes); /* some may be of types that it takes no more */
    d->look_at_ns = 0;
    d->pauses_at_ns = 0;
    d->card_changed = true;
    d->renew_at_ns = 0;
    log_info("configuration read again: %zu types, %zu workers", d->types.count,
             pool_capacity(&d->pool, WORKER_SINGLE));
}

static int make_name(struct dispatcher *d, struct error *e)
{
    char uuid[UUID_TEXT_SIZE];
    const struct runner_settings *r = &d->settings->runner;
    if (r->uuid)
        snprintf(uuid, sizeof uuid, "%s", r->uuid);
    else
        uuid_text(uuid);
    for (char *p = uuid; *p; p++)
        if (*p >= 'A' && *p <= 'F')
            *p += 'a' - 'A';
    int n = r->nickname ? snprintf(d->name, sizeof d->name, "%s:%s", r->nickname, uuid)
                        : snprintf(d->name, sizeof d->name, "%s", uuid);
    snprintf(d->bell_name, sizeof d->bell_name, "%s", uuid);
    return n < (int)sizeof d->name ? 0 : error_set(e, ERR_INVALID, "runner.nickname is too long");
}

/* --- events --------------------------------------------------------------------------------------- */

static void begin_drain(struct dispatcher *d, int64_t now_ns)
{
    if (d->draining) {
        log_info("told to end again: at once");
        d->drain_until_ns = now_ns;
        d->end_by_ns = least(d->end_by_ns, now_ns + stop_margin_ns);
        pool_stop_all(&d->pool, STOP_SHUTDOWN, now_ns);
        return;
    }
    d->draining = true;
    d->drain_until_ns = now_ns + d->settings->runner.shutdown_grace_usec * 1000;
    d->end_by_ns = d->drain_until_ns + write_margin_ns;
    log_info("ending: %zu tasks run, %zu are handed back", pool_busy(&d->pool), waiting_count(d));
    notify_stopping();
    hand_back_waiting(d);
}

static void read_signals(struct dispatcher *d, int64_t now_ns)
{
    struct signalfd_siginfo info;
    while (read(d->signals, &info, sizeof info) == sizeof info) {
        switch (info.ssi_signo) {
        case SIGCHLD:
            pool_reap(&d->pool, now_ns);
            break;
        case SIGHUP:
            d->reload_wanted = true;
            break;
        default:
            begin_drain(d, now_ns);
            break;
        }
    }
}

enum worker_kind runner_kind(const struct dispatcher *d, const char *type)
{
    size_t i = find_type(d, type);
    return i < d->types.count ? d->types.kinds[i] : WORKER_SINGLE;
}

static void read_bell(struct dispatcher *d)
{
    struct doorbell_message m;
    while (doorbell_read(d->bell, &m))
        if (takes(d, m.type))
            lanes_note(&d->lanes, m.type, m.priority, m.turn);
}

static void wait_for_events(struct dispatcher *d, int64_t until_ns)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t left_ms = (until_ns - clock_mono_ns() + 999999) / 1000000;
    int64_t most_ms = waiting_count(d) ? ROUND_WAITING_MS : ROUND_MOST_MS;
    int n = epoll_wait(d->epoll, events, EVENTS_MAX, left_ms < 0 ? 0 : (int)least(left_ms, most_ms));
    int64_t now = clock_mono_ns();
    if (now - d->woken_ns > stood_still_ns)
        excuse_waiting(d, now);
    d->woken_ns = now;
    lease_check(d, now); /* first: this process may have been stopped, and what its workers did is void */
    for (int i = 0; i < n; i++) {
        uint64_t what = events[i].data.u64;
        if (what == ev_signals)
            read_signals(d, now);
        else if (what == ev_bell)
            read_bell(d);
        else if (what == ev_turn)
            turnover_take(d);
        else
            pool_receive(&d->pool, what);
    }
}

/* --- the round --------------------------------------------------------------------------------------- */

/* Work with the database that is due now. */
static void serve_queue(struct dispatcher *d)
{
    int64_t now = clock_mono_ns();
    if (now >= d->renew_at_ns && database_ready(d, now))
        lease_renew(d, now);
    if (now >= d->promote_at_ns && database_ready(d, now))
        promote(d, now);
    if (now >= d->look_at_ns && turnover_wants(d) && database_ready(d, now))
        look(d, now);
    if (now >= d->note_at_ns && database_ready(d, now))
        note_progress(d);
    if (now >= d->take_back_at_ns && database_ready(d, now) && !d->draining)
        take_back(d, now);
    if (now >= d->sweep_at_ns && database_ready(d, now) && !d->draining)
        sweep_files(d, now);
    if (now >= d->expire_at_ns && database_ready(d, now) && !d->draining)
        expire(d);
    if (now >= d->forget_at_ns && database_ready(d, now) && !d->draining)
        forget(d);
    if (database_ready(d, clock_mono_ns()) && d->last_turn == TURN_DONE)
        d->database_pause_ns = 0;
    if (turnover_due(d, clock_mono_ns()))
        turnover_begin(d, clock_mono_ns());
}

/* Where the loop has the process and the database to itself. */
static void between_turns(struct dispatcher *d, int64_t now_ns)
{
    if (d->reload_wanted)
        reload(d);
    if (!d->draining && lease_holds(d, now_ns))
        pool_maintain(&d->pool, d->waiting[WORKER_MANY].count > 0, now_ns);
    assign_waiting(d, now_ns);
    serve_queue(d);
}

/* AT, or the look for work that comes soon after it: an idle machine is then woken once for both. */
static int64_t with_look(const struct dispatcher *d, int64_t at, int64_t now_ns)
{
    bool soon = turnover_wants(d) && d->look_at_ns > at && d->look_at_ns - at <= look_together_ns;
    return at > now_ns && soon ? d->look_at_ns : at;
}

/* When what the queue needs now and then is due. */
static int64_t chores_due_at(const struct dispatcher *d)
{
    int64_t removals = least(d->sweep_at_ns, least(d->expire_at_ns, d->forget_at_ns));
    return d->draining ? INT64_MAX : least(d->take_back_at_ns, removals);
}

/* When the next round is due if nothing happens before. */
static int64_t next_round(const struct dispatcher *d, int64_t now_ns, int64_t enforce_at)
{
    int64_t next = with_look(d, least(d->renew_at_ns, chores_due_at(d)), now_ns);
    if (turnover_wants(d))
        next = least(next, d->look_at_ns);
    if (!d->draining)
        next = least(next, d->promote_at_ns);
    if (pool_busy(&d->pool))
        next = least(next, d->note_at_ns);
    next = least(next, endings_due_at(d));
    if (turnover_due(d, now_ns))
        next = 0;
    if (next < d->database_at_ns) /* nothing of these can be done before */
        next = d->database_at_ns;
    if (turnover_runs(d)) /* nor before its end, which wakes the loop */
        next = INT64_MAX;
    if (d->draining)
        next = least(next, now_ns < d->drain_until_ns ? d->drain_until_ns : d->end_by_ns);
    return least(next, enforce_at);
}

/* True once everything has been handed back or written, or there is no more time for it. */
static bool drained(struct dispatcher *d, int64_t now_ns)
{
    if (!d->draining)
        return false;
    if (now_ns >= d->drain_until_ns)
        pool_stop_all(&d->pool, STOP_SHUTDOWN, now_ns + stop_margin_ns);
    bool written = !pool_busy(&d->pool) && !d->ended.count && !d->apart.count && !turnover_runs(d);
    return written || now_ns >= d->end_by_ns;
}

static void loop(struct dispatcher *d)
{
    for (;;) {
        int64_t now = clock_mono_ns();
        lease_check(d, now);
        if (drained(d, now))
            return;
        if (turnover_runs(d))
            assign_waiting(d, now);
        else
            between_turns(d, now);
        notify_alive();
        now = clock_mono_ns();
        int64_t enforce_at = pool_enforce(&d->pool, now, d->settings->runner.cancel_grace_usec * 1000);
        wait_for_events(d, next_round(d, now, enforce_at));
    }
}

/* --- start and end --------------------------------------------------------------------------------------- */

static void watch(struct dispatcher *d, int fd, uint64_t what)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = what};
    epoll_ctl(d->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static int open_signals(struct error *e)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return fd >= 0 ? fd : error_errno(e, ERR_SYSTEM, "signalfd");
}

static int start(struct dispatcher *d, struct error *e)
{
    struct settings *settings = NULL;
    struct catalogue *catalogue = NULL;
    d->signals = open_signals(e); /* first: a SIGTERM while it starts is for the loop to find */
    if (d->signals < 0)
        return d->signals;
    int rc = catalogue_load(d->config, &settings, &catalogue, e);
    if (rc)
        return rc;
    d->first_settings = settings;
    take_settings(d, settings, catalogue);
    rc = process_become(settings->runner.user, e);
    if (rc)
        error_prefix(e, "%s:%d: runner user", settings->path, settings_line(settings, &settings->runner.user));
    if (!rc)
        rc = check_commands(settings, e);
    if (!rc)
        rc = make_name(d, e);
    if (!rc)
        rc = settings_queue_address(settings, "runner", &d->address, e);
    if (rc)
        return rc;
    d->address.connect_timeout_usec = least(d->address.connect_timeout_usec, settings->runner.lease_usec / 3);
    d->store = store_create(&d->address, STORE_RUNNER, database_timeout(settings));
    rc = store_check(d->store, e);
    if (rc)
        return rc;
    d->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (d->epoll < 0)
        return error_errno(e, ERR_SYSTEM, "epoll_create1");
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* what a dead worker leaves comes here, and is ended */
    watch(d, d->signals, ev_signals);
    d->aside = aside_start(db_thread_end, e);
    if (!d->aside)
        return ERR_SYSTEM;
    watch(d, aside_fd(d->aside), ev_turn);
    const struct pool_size most = {WORKERS_MAX, MANY_WORKERS_MAX, MANY_PLACES_MAX};
    rc = pool_init(&d->pool, &most, d->epoll, &d->ended, e);
    if (rc)
        return rc;
    configure_pool(d, NULL);
    rc = lease_enter(d, e);
    if (rc) /* a runner of this name may live, and its bell is not ours to touch */
        return rc;
    d->bell_directory = settings->runner.doorbell;
    d->bell = doorbell_bind(d->bell_directory, d->bell_name, e);
    if (d->bell < 0)
        return d->bell;
    watch(d, d->bell, ev_bell);
    return 0;
}

static void sleep_ns(int64_t ns)
{
    const struct timespec pause = {ns / 1000000000, ns % 1000000000};
    if (ns > 0)
        nanosleep(&pause, NULL);
}

/* What ended while the last turn was under way; and for a moment what failed, or other sessions hold. A failure is no
 * reason to give up: nobody else knows how these ended. */
static void write_last(struct dispatcher *d)
{
    int64_t until_ns = clock_mono_ns() + held_margin_ns;
    while ((d->ended.count || d->apart.count) && clock_mono_ns() < until_ns) {
        sleep_ns(d->database_at_ns - clock_mono_ns());
        d->last_apart = d->ended.count > 0; /* these first ... */
        d->last_turn = TURN_FAILED_ENDING;  /* ... and without a wait for a row */
        turnover_begin(d, INT64_MAX);
        turnover_finish(d);
        if (d->apart.count)
            sleep_ns(20000000);
    }
}

static void finish(struct dispatcher *d)
{
    if (d->bell >= 0)
        doorbell_unbind(d->bell_directory, d->bell_name, d->bell);
    if (d->pool.workers)
        pool_destroy(&d->pool);
    turnover_finish(d);
    write_last(d);
    aside_stop(&d->aside);
    if (d->entered && database_ready(d, clock_mono_ns()))
        lease_leave(d); /* else others find out by the lease */
    struct run_claim *c;
    while ((c = waiting_pop(d)) || (c = claim_list_pop(&d->ended)) || (c = claim_list_pop(&d->apart)))
        claim_free(&c);
    lanes_free(&d->lanes);
    runner_watch_free(&d->watch);
    store_destroy(&d->store);
    catalogue_free(&d->catalogue);
    if (d->settings != d->first_settings)
        settings_free(&d->settings);
    settings_free(&d->first_settings);
    if (d->signals >= 0)
        close(d->signals);
    if (d->epoll >= 0)
        close(d->epoll);
}

int dispatcher_run(const char *config, struct error *e)
{
    struct dispatcher d = {.config = config, .epoll = -1, .signals = -1, .bell = -1,
                           .promote_at_ns = INT64_MAX};
    d.counter_slot = (unsigned)random_below(COUNTER_SLOTS);
    d.sweep_shard = (unsigned)random_below(SWEEP_SHARDS);
    for (int kind = 0; kind < WORKER_KINDS; kind++)
        claim_list_init(&d.waiting[kind]);
    claim_list_init(&d.ended);
    claim_list_init(&d.apart);
    db_library_init();
    int rc = start(&d, e);
    if (!rc) {
        log_info("%s: %zu workers, %zu types", d.name, pool_capacity(&d.pool, WORKER_SINGLE), d.types.count);
        notify_ready();
        loop(&d);
        log_info("%s: ended", d.name);
    }
    finish(&d);
    db_library_end();
    return rc;
}
