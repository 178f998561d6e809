/* SPDX-License-Identifier: MIT */
/* drive_store.c: the store's verbs as a conversation in JSON, one line a command and one line an answer, so
 * that tests can play several API nodes and runners against each other.
 *
 *   drive_store api|runner SOCKET USER PASSWORD DATABASE TIMEOUT_S
 *
 * {"do": "get", "ids": [1]} is answered by {"ok": ...} or {"error": "ERR_...", "errno": N, "text": "..."}.
 * Between {"do": "transaction"} and {"do": "commit"} or {"do": "fail"} everything is one transaction; if the
 * database asks to repeat it, what was said so far is said to it again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "drive.h"

static const char *error_name(int code)
{
    switch (code) {
#define NAME(name, value, text) \
    case name:                  \
        return #name;
        ERR_TABLE(NAME)
#undef NAME
    default:
        return "?";
    }
}

static void answer(const struct driver *d, int rc, const struct buf *value, const struct error *e)
{
    struct buf line = BUF_INIT;
    if (rc >= 0) {
        buf_adds(&line, "{\"ok\":");
        buf_add(&line, value->len ? value->data : "null", value->len ? value->len : 4);
    } else {
        buf_addf(&line, "{\"error\":\"%s\",\"errno\":%d,\"unknown\":%s,\"text\":", error_name(rc), e->db_errno,
                 d->unknown ? "true" : "false");
        buf_json_s(&line, e->text);
    }
    buf_addc(&line, '}');
    puts(buf_str(&line));
    buf_free(&line);
}

static int do_transaction(struct driver *d, struct json_object *in, struct buf *out, struct error *e);

static verb_run *find_verb(const char *name)
{
    const struct verb *tables[] = {api_verbs, runner_verbs};
    for (size_t t = 0; t < COUNT_OF(tables); t++)
        for (const struct verb *v = tables[t]; v->name; v++)
            if (strcmp(v->name, name) == 0)
                return v->run;
    return strcmp(name, "transaction") == 0 ? do_transaction : NULL;
}

/* Runs one line; the answer's value into OUT. */
static int run_line(struct driver *d, const char *line, struct buf *out, struct error *e)
{
    struct json_object *in = json_tokener_parse(line);
    const char *name = in ? text_of(in, "do") : NULL;
    verb_run *run = name ? find_verb(name) : NULL;
    if (!run)
        log_bug("no such command: %s", line);
    int rc = run(d, in, out, e);
    json_object_put(in);
    return rc;
}

/* NULL at the end of the input; the caller frees. */
static char *read_line(void)
{
    char *line = NULL;
    size_t size = 0;
    if (getline(&line, &size, stdin) > 0)
        return line;
    free(line);
    return NULL;
}

static bool says(const char *line, const char *verb)
{
    struct json_object *in = json_tokener_parse(line);
    const char *name = in ? text_of(in, "do") : NULL;
    bool same = name && strcmp(name, verb) == 0;
    json_object_put(in);
    return same;
}

static int transaction_body(struct store *s, void *ctx, struct error *e)
{
    struct driver *d = ctx;
    (void)s;
    if (!d->runs++)
        puts("{\"ok\":\"begun\"}");
    for (size_t i = 0;; i++) {
        bool is_new = i == d->line_count;
        if (is_new && (d->line_count == LINES_MAX || !(d->lines[d->line_count++] = read_line())))
            log_bug("the input ends within a transaction");
        if (says(d->lines[i], "commit"))
            return 0;
        if (says(d->lines[i], "fail"))
            return error_set(e, ERR_CANCELLED, "told to fail");
        struct buf out = BUF_INIT;
        int rc = run_line(d, d->lines[i], &out, e);
        /* a line that made the transaction start again is answered by its repetition */
        if (rc >= 0 && i + 1 == d->line_count)
            answer(d, rc, &out, e);
        buf_free(&out);
        if (rc < 0)
            return rc;
    }
}

static int do_transaction(struct driver *d, struct json_object *in, struct buf *out, struct error *e)
{
    (void)in;
    d->line_count = d->runs = 0;
    int rc = store_transaction(d->store, transaction_body, d, &d->unknown, e);
    bool said = d->line_count && (says(d->lines[d->line_count - 1], "commit") ||
                                  says(d->lines[d->line_count - 1], "fail"));
    if (rc < 0 && !said)
        answer(d, rc, out, e); /* of the line that failed; the transaction's own follows */
    while (d->line_count)
        free(d->lines[--d->line_count]);
    buf_add_u64(out, d->runs);
    return rc;
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    log_open("drive_store", LOG_LEVEL_ERROR);
    store_library_init();
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct db_address address = {.socket = argv[2], .user = argv[3], .password = argv[4], .name = argv[5]};
    enum store_role role = strcmp(argv[1], "api") == 0 ? STORE_API : STORE_RUNNER;
    struct driver d = {.store = store_create(&address, role, atoi(argv[6])), .arena = arena_create()};
    char *line;
    while ((line = read_line())) {
        struct error e = {0};
        struct buf out = BUF_INIT;
        d.unknown = false;
        int rc = run_line(&d, line, &out, &e);
        answer(&d, rc, &out, &e);
        buf_free(&out);
        free(line);
        arena_reset(d.arena);
    }
    arena_destroy(&d.arena);
    store_destroy(&d.store);
    runner_watch_free(&d.watch);
    return 0;
}
