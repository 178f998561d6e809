/* SPDX-License-Identifier: MIT */
/* run_type.c: runs one task of any type from the command line, without queue and runner, and prints
 * how it ended as JSON: for tests and for measuring. SIGTERM asks the task to stop.
 *
 *   run_type [-n TIMES] [-i ID] [-f FENCE] CONFIG TYPE OWNER DATA */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/db.h"
#include "task/run.h"

static const char created[] = "2026-11-21T09:30:00Z"; /* of every task that is run here */

enum { PROGRESS_MAX = 1000 };

struct run {
    struct run_task task;
    const struct settings *settings;
    struct catalogue *catalogue;
    struct arena *arena;
    struct buf log;      /* JSON strings, comma separated */
    struct buf progress; /* JSON arrays [msec, done, total, unit] */
    unsigned progress_count;
    int64_t start_ns;
    bool ended;
};

static volatile sig_atomic_t stopping;

static void on_term(int signo)
{
    (void)signo;
    stopping = 1;
}

/* --- what a runner offers --------------------------------------------------------------------- */

const struct run_task *run_task(const struct run *r)
{
    return &r->task;
}

const struct settings *run_settings(const struct run *r)
{
    return r->settings;
}

const struct catalogue *run_catalogue(const struct run *r)
{
    return r->catalogue;
}

struct arena *run_arena(struct run *r)
{
    return r->arena;
}

void run_progress(struct run *r, uint64_t done, uint64_t total, const char *unit)
{
    if (r->progress_count++ >= PROGRESS_MAX)
        return;
    buf_addf(&r->progress, "%s[%lld, %llu, %llu, \"%s\"]", r->progress.len ? ", " : "",
             (long long)((clock_mono_ns() - r->start_ns) / 1000000), (unsigned long long)done,
             (unsigned long long)total, unit);
}

void run_progress_message(struct run *r, const char *message)
{
    (void)r;
    (void)message;
}

void run_commit(struct run *r)
{
    (void)r;
}

bool run_stopping(const struct run *r)
{
    (void)r;
    return stopping;
}

void run_log(struct run *r, const char *fmt, ...)
{
    va_list ap;
    char line[1000];
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    if (r->log.len)
        buf_addc(&r->log, ',');
    buf_json_s(&r->log, line);
}

/* --- the outcome as JSON ---------------------------------------------------------------------- */

/* Peak resident memory of this program alone, in KiB. */
static long peak_kib(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long kib = -1;
    while (f && kib < 0 && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    if (f)
        fclose(f);
    return kib;
}

static void add_file(struct buf *b, const struct result_info *i)
{
    buf_adds(b, "{\"path\": ");
    buf_json_s(b, i->path);
    buf_adds(b, ", \"filename\": ");
    buf_json_s(b, i->filename);
    buf_adds(b, ", \"format\": ");
    buf_json_s(b, i->format);
    buf_addf(b, ", \"sha256\": \"%s\", \"bytes\": %llu, \"role\": ", i->sha256,
             (unsigned long long)i->bytes);
    buf_json_s(b, i->role);
    buf_adds(b, ", \"series\": ");
    buf_json_s(b, i->series);
    if (i->rows == RESULT_NO_ROWS)
        buf_adds(b, ", \"rows\": null}");
    else
        buf_addf(b, ", \"rows\": %llu}", (unsigned long long)i->rows);
}

static void print_outcome(struct run *r, const struct run_outcome *o, struct buf *result)
{
    static const char *const ends[] = {"success", "failed", "failed_final", "stopped", "dropped"};
    struct buf b = BUF_INIT;
    buf_addf(&b, "{\"end\": \"%s\", \"code\": ", ends[o->end]);
    buf_json_s(&b, o->code);
    buf_adds(&b, ", \"message\": ");
    buf_json_s(&b, o->message);
    buf_addf(&b, ", \"result\": %s, \"files\": [", result->len ? buf_str(result) : "null");
    for (unsigned i = 0; i < o->file_count; i++) {
        buf_adds(&b, i ? ", " : "");
        add_file(&b, result_file_info(o->files[i]));
    }
    buf_addf(&b, "], \"log\": [%s], ", buf_str(&r->log));
    buf_addf(&b, "\"progress\": [%s], \"msec\": %lld, \"peak_kib\": %ld}", buf_str(&r->progress),
             (long long)((clock_mono_ns() - r->start_ns) / 1000000), peak_kib());
    puts(buf_str(&b));
    fflush(stdout);
    buf_free(&b);
}

/* --- one run ---------------------------------------------------------------------------------- */

void run_end(struct run *r, struct run_outcome *o)
{
    print_outcome(r, o, &o->result);
    for (unsigned i = 0; i < o->file_count; i++)
        result_file_release(&o->files[i]);
    buf_free(&o->result);
    r->ended = true;
}

/* A type that could carry many has this one only. */
static void run_many(struct run *r, const struct many_code *code)
{
    int ends[2];
    void *state = code->open(r->settings, r->catalogue);
    if (pipe(ends) == 0) { /* nobody writes into it */
        code->begin(state, r);
        while (!r->ended)
            code->serve(state, ends[0], 100);
        close(ends[0]);
        close(ends[1]);
    }
    code->close(&state);
}

static void run_once(struct run *r, const struct type_code *code, void **state)
{
    struct run_outcome o = {.end = RUN_FAILED, .code = "internal"};
    r->arena = arena_create();
    r->start_ns = clock_mono_ns();
    buf_clear(&r->log);
    buf_clear(&r->progress);
    r->progress_count = 0;
    r->ended = false;
    if (code->many) {
        run_many(r, code->many);
    } else {
        code->run(r, &o, state);
        run_end(r, &o);
    }
    arena_destroy(&r->arena);
}

static const struct type_code *find_code(const struct catalogue *c, const char *name)
{
    const struct task_type *type = catalogue_known_type(c, name);
    return type ? type_code_find(type) : NULL;
}

static int usage(void)
{
    fprintf(stderr, "usage: run_type [-n TIMES] [-i ID] [-f FENCE] CONFIG TYPE OWNER DATA\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct run r = {.task = {.id = 1, .fence = 1, .attempt = 1}};
    int times = 1, option;
    while ((option = getopt(argc, argv, "n:i:f:")) != -1) {
        if (option == 'n')
            times = atoi(optarg);
        else if (option == 'i')
            r.task.id = strtoull(optarg, NULL, 10);
        else if (option == 'f')
            r.task.fence = strtoull(optarg, NULL, 10);
        else
            return usage();
    }
    if (argc - optind != 4)
        return usage();
    char **arg = argv + optind;
    log_open("run_type", LOG_LEVEL_INFO);
    signal(SIGTERM, on_term);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    db_library_init();

    struct settings *settings = NULL;
    struct error e = {0};
    int status = 1;
    void *state = NULL;
    const struct type_code *code = NULL;
    if (catalogue_load(arg[0], &settings, &r.catalogue, &e)) {
        fprintf(stderr, "%s\n", e.text);
        goto out;
    }
    code = find_code(r.catalogue, arg[1]);
    if (!code) {
        fprintf(stderr, "no code for type %s\n", arg[1]);
        goto out;
    }
    r.settings = settings;
    r.task.type = arg[1];
    r.task.created_by = strtoll(arg[2], NULL, 10);
    r.task.data = arg[3];
    r.task.data_len = strlen(arg[3]);
    if (instant_parse(created, sizeof created - 1, &r.task.created_at))
        goto out;
    while (times-- > 0)
        run_once(&r, code, &state);
    status = 0;

out:
    if (code && code->close && state)
        code->close(&state);
    buf_free(&r.log);
    buf_free(&r.progress);
    catalogue_free(&r.catalogue);
    settings_free(&settings);
    db_library_end();
    return status;
}
