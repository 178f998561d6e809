/* SPDX-License-Identifier: MIT */
/* backup.c: runs a backup: asks the database, has the dump program write into a compressed file, and lets the file
 * out only after it has been read back. */
#include "backup.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backup_plan.h"
#include "backup_verify.h"
#include "base/clock.h"
#include "base/process.h"
#include "dump_mark.h"
#include "dump_process.h"
#include "dump_program.h"
#include "pack.h"
#include "task/validate.h"

enum { LAST_LINE = 400, VERSION_SIZE = 200, LINES_MAX = 200 };

struct backup {
    struct run *run;
    struct run_outcome *outcome;
    const struct backup_def *def;
    struct source_def source;
    struct backup_plan plan;
    struct result_file *file;
    struct pack *pack;
    struct dump_mark mark;
    bool storage_failed;      /* the error of a call came from the file */
    char last_line[LAST_LINE]; /* of what the program has complained of */
    unsigned lines;
    char version[VERSION_SIZE]; /* the beginning of what the program says it is */
    size_t version_len;
};

static int stopped(struct backup *b)
{
    return run_fail(b->outcome, RUN_STOPPED, "stopped", "the task was asked to stop");
}

static int storage_failed(struct backup *b, const struct error *e)
{
    return run_fail(b->outcome, RUN_FAILED, "storage_failed", "%s", e->text);
}

static int bind(struct backup *b)
{
    const struct run_task *t = run_task(b->run);
    const struct catalogue *c = run_catalogue(b->run);
    const struct task_type *type = catalogue_type(c, t->type);
    struct bound_params params;
    struct error e = {0};
    if (!type)
        return run_fail(b->outcome, RUN_FAILED_FINAL, "unknown_type", "no backup is set up here");
    if (task_bind(c, type, t->data, t->data_len, run_arena(b->run), &params, &e))
        return run_fail(b->outcome, RUN_FAILED_FINAL, "invalid_data", "%s", e.text);
    b->def = settings_backup(run_settings(b->run), bound_param(&params, "backup")->text);
    b->source = settings_backup_source(run_settings(b->run), b->def);
    return 0;
}

/* --- the program's output ------------------------------------------------------------------------ */

static bool should_stop(void *ctx)
{
    const struct backup *b = ctx;
    return run_stopping(b->run);
}

static void note_line(void *ctx, const char *line)
{
    struct backup *b = ctx;
    snprintf(b->last_line, sizeof b->last_line, "%s", line);
    if (b->lines++ < LINES_MAX)
        run_log(b->run, "%s", line);
}

static int take_version(void *ctx, const void *data, size_t len, struct error *e)
{
    (void)e;
    struct backup *b = ctx;
    size_t room = sizeof b->version - 1 - b->version_len;
    len = len < room ? len : room;
    memcpy(b->version + b->version_len, data, len);
    b->version_len += len;
    return 0;
}

static int take_dump(void *ctx, const void *data, size_t len, struct error *e)
{
    struct backup *b = ctx;
    int rc = dump_mark_add(&b->mark, data, len, e);
    if (!rc)
        rc = pack_put(b->pack, data, len, e);
    run_progress(b->run, b->mark.bytes, 0, "bytes"); /* the whole is an estimate, so no per cent */
    return rc;
}

static int write_file(void *ctx, const void *data, size_t len, struct error *e)
{
    struct backup *b = ctx;
    int rc = result_file_write(b->file, data, len, e);
    b->storage_failed |= rc != 0;
    return rc;
}

/* --- the program ------------------------------------------------------------------------------- */

static int program_failed(struct backup *b, const struct error *e)
{
    if (e->code == ERR_CANCELLED)
        return stopped(b);
    if (b->storage_failed)
        return storage_failed(b, e);
    if (e->code == ERR_NOT_FOUND)
        return run_fail(b->outcome, RUN_FAILED, "dump_program_missing", "%s", e->text);
    return run_fail(b->outcome, RUN_FAILED, "dump_failed", "%s", e->text);
}

/* The end of a program that was read to its end. */
static int check_status(struct backup *b, const char *path, int status)
{
    const char *colon = *b->last_line ? ": " : "";
    if (WIFSIGNALED(status))
        return run_fail(b->outcome, RUN_FAILED, "dump_failed", "%s was ended by %s%s%s", path,
                        process_signal_name(WTERMSIG(status)), colon, b->last_line);
    if (WEXITSTATUS(status))
        return run_fail(b->outcome, RUN_FAILED, "dump_failed", "%s ended with exit status %d%s%s", path,
                        WEXITSTATUS(status), colon, b->last_line);
    return 0;
}

static int run_program(struct backup *b, const char *const *argv, int secret,
                       int (*data)(void *, const void *, size_t, struct error *))
{
    const struct dump_reader reader = {data, note_line, should_stop, b};
    struct dump_process *p = NULL;
    struct error e = {0};
    int status = 0;
    int rc = dump_process_start(argv[0], argv, secret, &p, &e);
    if (!rc)
        rc = dump_process_read(p, &reader, &status, &e);
    dump_process_close(&p);
    return rc ? program_failed(b, &e) : check_status(b, argv[0], status);
}

/* Finds the program and asks whose it is, since the two differ in their options. */
static int find_program(struct backup *b, const char **path, bool *mysql)
{
    struct error e = {0};
    if (dump_program_find(b->def, run_arena(b->run), path, &e))
        return program_failed(b, &e);
    const char *const argv[] = {*path, "--version", NULL};
    int rc = run_program(b, argv, -1, take_version);
    b->version[strcspn(b->version, "\n")] = '\0';
    *mysql = !strstr(b->version, "MariaDB");
    if (!rc)
        run_log(b->run, "%s", b->version);
    return rc;
}

static int dump(struct backup *b)
{
    const char *path;
    bool mysql = false;
    struct db_address address;
    struct error e = {0};
    int secret = -1;
    int rc = find_program(b, &path, &mysql);
    if (rc)
        return rc;
    if (settings_source_address(&b->source, &address, &e) || dump_program_secret(&address, mysql, &secret, &e))
        return program_failed(b, &e);
    const char *const *argv =
        dump_program_arguments(b->def, path, mysql, b->source.database, run_arena(b->run));
    rc = run_program(b, argv, secret, take_dump);
    close(secret);
    return rc;
}

/* --- the file ----------------------------------------------------------------------------------- */

static int open_file(struct backup *b)
{
    const struct result_place place = result_place_of(&run_settings(b->run)->files);
    const struct run_task *t = run_task(b->run);
    enum backup_compression kind = (enum backup_compression)b->def->compression;
    struct error e = {0};
    if (result_file_create(&place, t->id, t->fence, pack_extension(kind), &b->file, &e))
        return storage_failed(b, &e);
    if (dump_mark_begin(&b->mark, &e) || pack_open(kind, b->def->level, write_file, b, &b->pack, &e))
        return run_fail(b->outcome, RUN_FAILED, "internal", "%s", e.text);
    return 0;
}

/* "site-2026-11-21T093000Z.sql.zst": the instant at which the task was created. */
static void name_file(struct backup *b)
{
    char series[RESULT_SERIES_SIZE];
    const char *extension = pack_extension((enum backup_compression)b->def->compression);
    struct civil at = civil_from_instant(run_task(b->run)->created_at);
    const char *name = arena_printf(run_arena(b->run), "%s-%04d-%02d-%02dT%02d%02d%02dZ.%s", b->def->name,
                                    at.year, at.month, at.day, at.hour, at.minute, at.second, extension);
    result_file_name(b->file, name, extension);
    backup_series(b->def->name, series);
    result_file_set_keeping(b->file, "admin", series);
}

static int finish_file(struct backup *b)
{
    struct error e = {0};
    if (!dump_mark_complete(&b->mark))
        return run_fail(b->outcome, RUN_FAILED, "dump_incomplete",
                        "the dump has no line that says it is complete: it was cut off");
    if (pack_end(b->pack, &e) || dump_mark_end(&b->mark, &e))
        return b->storage_failed ? storage_failed(b, &e)
                                 : run_fail(b->outcome, RUN_FAILED, "internal", "%s", e.text);
    name_file(b);
    return result_file_finish(b->file, RESULT_NO_ROWS, &e) ? storage_failed(b, &e) : 0;
}

static int verify(struct backup *b)
{
    struct error e = {0};
    run_progress_message(b->run, "reading it back");
    int rc = backup_verify(b->run, result_file_info(b->file), (enum backup_compression)b->def->compression,
                           &b->mark, &e);
    if (rc == ERR_CANCELLED)
        return stopped(b);
    if (rc)
        return run_fail(b->outcome, RUN_FAILED, "verify_failed", "the backup was read back and is not good: %s",
                        e.text);
    return 0;
}

/* Values of bytes are twice as long in a dump as in a row. */
static void tell_packet(struct backup *b)
{
    if (b->mark.longest >= b->plan.packet_bytes)
        run_log(b->run, "warning: a row takes a statement of %llu bytes: only a server with a larger "
                        "max_allowed_packet takes it back; the one that it comes from has %llu",
                (unsigned long long)b->mark.longest, (unsigned long long)b->plan.packet_bytes);
}

static void succeed(struct backup *b)
{
    struct run_outcome *o = b->outcome;
    const struct result_info *info = result_file_info(b->file);
    run_progress_message(b->run, NULL);
    run_progress(b->run, b->mark.bytes, b->mark.bytes, "bytes");
    tell_packet(b);
    buf_clear(&o->result);
    buf_adds(&o->result, "{\"backup\":");
    buf_json_s(&o->result, b->def->name);
    buf_adds(&o->result, ",\"filename\":");
    buf_json_s(&o->result, info->filename);
    buf_addf(&o->result, ",\"tables\":%llu,\"views\":%llu,\"bytes\":%llu,\"uncompressed_bytes\":%llu,"
             "\"longest_line\":%llu,\"sha256\":",
             (unsigned long long)b->plan.tables, (unsigned long long)b->plan.views,
             (unsigned long long)info->bytes, (unsigned long long)b->mark.bytes,
             (unsigned long long)b->mark.longest);
    buf_json_s(&o->result, info->sha256);
    buf_addc(&o->result, '}');
    o->files[o->file_count++] = b->file;
    b->file = NULL;
    run_succeed(o);
}

/* What the progress is measured by, for a person: the server only estimates. */
static void tell_estimate(struct backup *b)
{
    const uint64_t mebibyte = UINT64_C(1) << 20;
    char text[100];
    snprintf(text, sizeof text, "about %llu MiB of table data in %llu tables",
             (unsigned long long)((b->plan.bytes + mebibyte - 1) / mebibyte), (unsigned long long)b->plan.tables);
    run_progress_message(b->run, text);
}

void backup_run(struct run *r, struct run_outcome *o, void **state)
{
    (void)state;
    struct backup b = {.run = r, .outcome = o};
    if (bind(&b) || backup_plan_make(r, b.def, &b.source, &b.plan, o))
        return;
    tell_estimate(&b);
    if (!open_file(&b) && !dump(&b) && !finish_file(&b) && !verify(&b))
        succeed(&b);
    pack_close(&b.pack);
    dump_mark_free(&b.mark);
    result_file_discard(&b.file);
}
