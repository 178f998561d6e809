/* SPDX-License-Identifier: MIT */
/* test_claim.c: what becomes of a claim: every way to end, with and without attempts left, asked to stop or
 * not; pauses; what may go into the database. */
#include <signal.h>
#include <stdlib.h>

#include "tasks/runner/claim.h"
#include "unit.h"

static const char config[] =
    "queue {\n"
    "  backoff = 1s\n  backoff_max = 5s\n  retention_success = 1h\n  retention_failure = 2h\n"
    "  max_attempts = 3\n  timeout = 7s\n"
    "}\n"
    "type \"dummy\" { enabled = yes }\n";

static const int64_t hour = INT64_C(3600000000);

static int setup(void **state)
{
    static struct settings *settings;
    static struct catalogue *catalogue;
    struct memory_file f = memory_file(config, 0600);
    struct error e = {0};
    if (catalogue_load(f.path, &settings, &catalogue, &e))
        fail_msg("%s", e.text);
    close(f.fd);
    catalogue_free(&catalogue);
    *state = settings;
    return 0;
}

static int teardown(void **state)
{
    struct settings *settings = *state;
    settings_free(&settings);
    return 0;
}

static struct run_claim *make(const struct settings *settings, unsigned attempt, unsigned max)
{
    const struct claimed task = {
        .id = 17, .fence = 4, .attempt = attempt, .max_attempts = max, .created_by = 3, .data = {"{}", 2},
    };
    return claim_create(settings, "dummy", &task);
}

/* How it ended: a worker's answer, or the status of waitpid. */
enum { DIED = 100 };
#define SIGNALLED(signo) (signo)
#define EXITED(status) ((status) << 8)

static const struct {
    const char *name;
    int how; /* enum run_end, or DIED */
    int status;
    enum stop_reason stop;
    unsigned attempt, max;
    enum finish_kind kind;
    bool died;
    const char *error; /* must stand in it; NULL = no error */
    int64_t keep;
} cases[] = {
    {"success", RUN_SUCCESS, 0, STOP_NONE, 1, 3, FINISH_SUCCESS, false, NULL, 1},
    {"faster than the cancel", RUN_SUCCESS, 0, STOP_CANCELLED, 1, 3, FINISH_SUCCESS, false, NULL, 1},
    {"faster than the timeout", RUN_SUCCESS, 0, STOP_TIMEOUT, 3, 3, FINISH_SUCCESS, false, NULL, 1},
    {"faster than the shutdown", RUN_SUCCESS, 0, STOP_SHUTDOWN, 1, 3, FINISH_SUCCESS, false, NULL, 1},
    {"an end without a lease is decided by the fence", RUN_SUCCESS, 0, STOP_LEASE, 1, 3, FINISH_SUCCESS, false,
     NULL, 1},
    {"failed, again", RUN_FAILED, 0, STOP_NONE, 1, 3, FINISH_RETRY, false, "\"code\":\"own_code\"", 2},
    {"failed, last but one", RUN_FAILED, 0, STOP_NONE, 2, 3, FINISH_RETRY, false, "own_code", 2},
    {"failed, the last", RUN_FAILED, 0, STOP_NONE, 3, 3, FINISH_FAILURE, false, "own_code", 2},
    {"failed, more than the last", RUN_FAILED, 0, STOP_NONE, 9, 3, FINISH_FAILURE, false, "own_code", 2},
    {"failed, the only one", RUN_FAILED, 0, STOP_NONE, 1, 1, FINISH_FAILURE, false, "own_code", 2},
    {"failed for good", RUN_FAILED_FINAL, 0, STOP_NONE, 1, 3, FINISH_FAILURE, false, "own_code", 2},
    {"failed while it was cancelled", RUN_FAILED, 0, STOP_CANCELLED, 1, 3, FINISH_CANCELLED, false, "cancelled", 2},
    {"failed while the lease ran out", RUN_FAILED, 0, STOP_LEASE, 1, 3, FINISH_RETRY, false, "own_code", 2},
    {"stopped, cancelled", RUN_STOPPED, 0, STOP_CANCELLED, 3, 3, FINISH_CANCELLED, false, "cancelled", 2},
    {"stopped, timeout", RUN_STOPPED, 0, STOP_TIMEOUT, 1, 3, FINISH_RETRY, false, "\"code\":\"timeout\"", 2},
    {"stopped, last timeout", RUN_STOPPED, 0, STOP_TIMEOUT, 3, 3, FINISH_FAILURE, false, "longer than its 7 s", 2},
    {"stopped, shutdown", RUN_STOPPED, 0, STOP_SHUTDOWN, 3, 3, FINISH_HAND_BACK, false, NULL, 2},
    {"stopped, lease", RUN_STOPPED, 0, STOP_LEASE, 1, 3, FINISH_RETRY, true, "lease_lost", 2},
    {"stopped, lease, the last", RUN_STOPPED, 0, STOP_LEASE, 3, 3, FINISH_DROPPED, true, "lease_lost", 2},
    {"stopped for nothing", RUN_STOPPED, 0, STOP_NONE, 3, 3, FINISH_FAILURE, false, "internal", 2},
    {"crashed", DIED, SIGNALLED(SIGSEGV), STOP_NONE, 1, 3, FINISH_RETRY, true, "SIGSEGV", 2},
    {"crashed, the last", DIED, SIGNALLED(SIGABRT), STOP_NONE, 3, 3, FINISH_DROPPED, true, "SIGABRT", 2},
    {"crashed with a core", DIED, SIGNALLED(SIGBUS) | 0x80, STOP_NONE, 3, 3, FINISH_DROPPED, true, "SIGBUS", 2},
    {"killed", DIED, SIGNALLED(SIGKILL), STOP_NONE, 3, 3, FINISH_DROPPED, true, "SIGKILL (out of memory", 2},
    {"exited", DIED, EXITED(3), STOP_NONE, 3, 3, FINISH_DROPPED, true, "exit status 3", 2},
    {"exited well without an answer", DIED, EXITED(0), STOP_NONE, 3, 3, FINISH_DROPPED, true, "exit status 0", 2},
    {"killed for a cancel", DIED, SIGNALLED(SIGKILL), STOP_CANCELLED, 1, 3, FINISH_CANCELLED, false, "cancelled", 2},
    {"killed for a timeout", DIED, SIGNALLED(SIGKILL), STOP_TIMEOUT, 3, 3, FINISH_FAILURE, false, "timeout", 2},
    {"killed for the shutdown", DIED, SIGNALLED(SIGKILL), STOP_SHUTDOWN, 1, 3, FINISH_HAND_BACK, false, NULL, 2},
    {"killed for the lease", DIED, SIGNALLED(SIGKILL), STOP_LEASE, 3, 3, FINISH_DROPPED, true, "lease_lost", 2},
    {"nobody knows", RUN_DROPPED, 0, STOP_NONE, 1, 3, FINISH_DROPPED, true, "own_code", 2},
    {"nobody knows, cancelled", RUN_DROPPED, 0, STOP_CANCELLED, 1, 3, FINISH_CANCELLED, false, "cancelled", 2},
    {"as the setting says, again", RUN_FAILED, 0, STOP_NONE, 2, 0, FINISH_RETRY, false, "own_code", 2},
    {"as the setting says, the last", RUN_FAILED, 0, STOP_NONE, 3, 0, FINISH_FAILURE, false, "own_code", 2},
};

static void test_every_end(void **state)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct run_claim *c = make(*state, cases[i].attempt, cases[i].max);
        const struct wire_done done = {.end = (enum run_end)cases[i].how, .code = "own_code", .message = "why"};
        c->stop = cases[i].stop;
        if (cases[i].how == DIED)
            claim_end_died(c, cases[i].status);
        else
            claim_end_done(c, &done);
        const struct finish *f = &c->finish;
        CHECK_CASE(i, cases[i].name, f->kind == cases[i].kind);
        CHECK_CASE(i, cases[i].name, f->died == cases[i].died);
        CHECK_CASE(i, cases[i].name, f->keep_usec == cases[i].keep * hour);
        CHECK_CASE(i, cases[i].name, !f->error == !cases[i].error);
        CHECK_CASE(i, cases[i].name, !f->error || strstr(f->error, cases[i].error));
        CHECK_CASE(i, cases[i].name, f->id == 17 && f->fence == 4 && f->owner == 3);
        CHECK_CASE(i, cases[i].name, (f->kind == FINISH_RETRY) == (f->retry_usec > 0));
        claim_free(&c);
        assert_null(c);
    }
}

/* No other attempt of a task that has committed itself, whatever ends this one. */
static void test_committed(void **state)
{
    static const struct {
        const char *name;
        int how;
        enum stop_reason stop;
        enum finish_kind kind;
        const char *error;
    } ends[] = {
        {"success", RUN_SUCCESS, STOP_NONE, FINISH_SUCCESS, NULL},
        {"failed", RUN_FAILED, STOP_NONE, FINISH_FAILURE, "own_code"},
        {"crashed", DIED, STOP_NONE, FINISH_DROPPED, "SIGKILL"},
        {"timeout", RUN_STOPPED, STOP_TIMEOUT, FINISH_FAILURE, "timeout"},
        {"cancelled", RUN_STOPPED, STOP_CANCELLED, FINISH_CANCELLED, "cancelled"},
        {"shutdown", RUN_STOPPED, STOP_SHUTDOWN, FINISH_DROPPED, "runner_stopped"},
        {"killed for the shutdown", DIED, STOP_SHUTDOWN, FINISH_DROPPED, "runner_stopped"},
        {"lease", RUN_STOPPED, STOP_LEASE, FINISH_DROPPED, "lease_lost"},
    };
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        struct run_claim *c = make(*state, 1, 3);
        const struct wire_done done = {.end = (enum run_end)ends[i].how, .code = "own_code", .message = "why"};
        c->committed = true;
        c->stop = ends[i].stop;
        if (ends[i].how == DIED)
            claim_end_died(c, SIGNALLED(SIGKILL));
        else
            claim_end_done(c, &done);
        CHECK_CASE(i, ends[i].name, c->finish.kind == ends[i].kind);
        CHECK_CASE(i, ends[i].name, !ends[i].error || strstr(c->finish.error, ends[i].error));
        claim_free(&c);
    }
}

static void test_a_pause_that_was_asked_for(void **state)
{
    struct run_claim *c = make(*state, 1, 3);
    struct wire_done done = {.end = RUN_FAILED, .code = "x", .message = "", .retry_usec = hour};
    claim_end_done(c, &done);
    assert_int_equal(c->finish.kind, FINISH_RETRY);
    assert_true(c->finish.retry_usec == hour);
    claim_free(&c);
    c = make(*state, 1, 3);
    done.retry_usec = 1; /* the backoff is longer */
    claim_end_done(c, &done);
    assert_true(c->finish.retry_usec >= 500000);
    claim_free(&c);
}

static void test_pauses_double_up_to_the_most(void **state)
{
    static const struct {
        unsigned attempt;
        int64_t most; /* seconds; half of it at the least */
    } pauses[] = {{1, 1}, {2, 2}, {3, 4}, {4, 5}, {5, 5}, {64, 5}, {1000000, 5}};
    for (size_t i = 0; i < COUNT_OF(pauses); i++)
        for (int n = 0; n < 50; n++) {
            struct run_claim *c = make(*state, pauses[i].attempt, 2000000);
            const struct wire_done done = {.end = RUN_FAILED, .code = "x", .message = ""};
            claim_end_done(c, &done);
            int64_t most = pauses[i].most * 1000000, pause = c->finish.retry_usec;
            claim_free(&c);
            CHECK_CASE(i, "pause", pause >= most / 2 && pause <= most);
        }
}

static void test_files_and_result_are_copied(void **state)
{
    struct run_claim *c = make(*state, 1, 1);
    struct wire_done done = {.end = RUN_SUCCESS, .result = "{\"a\":1}", .file_count = 2};
    for (int i = 0; i < 2; i++) {
        snprintf(done.files[i].path, sizeof done.files[i].path, "aa/bb/%d", i);
        snprintf(done.files[i].filename, sizeof done.files[i].filename, "name%d", i);
        done.files[i].bytes = 10;
        done.files[i].rows = 5;
    }
    claim_end_done(c, &done);
    memset(&done, 'x', sizeof done);
    assert_string_equal(c->finish.result, "{\"a\":1}");
    assert_int_equal(c->finish.file_count, 2);
    assert_string_equal(c->finish.files[1].path, "aa/bb/1");
    assert_string_equal(c->finish.files[1].filename, "name1");
    assert_true(c->finish.files[1].bytes == 10 && c->finish.files[1].rows == 5);
    claim_free(&c);
}

static void test_a_file_of_a_series_is_kept(void **state)
{
    struct run_claim *c = make(*state, 1, 1);
    struct wire_done done = {.end = RUN_SUCCESS, .file_count = 1};
    snprintf(done.files[0].role, sizeof done.files[0].role, "admin");
    snprintf(done.files[0].series, sizeof done.files[0].series, "backup:site");
    done.files[0].rows = RESULT_NO_ROWS;
    c->limits.retention_success_usec = 5;
    claim_end_done(c, &done);
    assert_int_equal(c->finish.keep_usec, 0);
    assert_string_equal(c->finish.files[0].role, "admin");
    assert_string_equal(c->finish.files[0].series, "backup:site");
    assert_true(c->finish.files[0].no_rows && !c->finish.files[0].is_result);
    claim_free(&c);
}

static void test_what_the_database_refused_is_said_shorter(void **state)
{
    struct run_claim *c = make(*state, 1, 3);
    const struct wire_done done = {.end = RUN_SUCCESS, .result = "{}", .file_count = 1};
    claim_end_done(c, &done);
    claim_end_notes(c, "{}", "log");
    claim_end_refused(c, "Data too long for column \"x\"\n\xff");
    const struct finish *f = &c->finish;
    assert_int_equal(f->kind, FINISH_FAILURE);
    assert_true(!f->result && !f->progress && !f->log && !f->file_count && c->refused);
    assert_string_equal(f->error, "{\"code\":\"result_refused\",\"message\":\"the database refused the result: "
                                  "Data too long for column \\\"x\\\"\\n\xef\xbf\xbd\"}");
    claim_free(&c);
}

static void test_logs_become_utf8(void **state)
{
    static const struct {
        const char *log, *wanted;
    } logs[] = {
        {"", ""},
        {"plain\n", "plain\n"},
        {"caf\xc3\xa9 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xf0\x9f\x98\x80"},
        {"\xa9 cut at the front", "\xef\xbf\xbd cut at the front"},
        {"cut at the end \xe2\x82", "cut at the end \xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"}, /* a surrogate */
        {"a\xff\xfe" "b", "a\xef\xbf\xbd\xef\xbf\xbd" "b"},
    };
    for (size_t i = 0; i < COUNT_OF(logs); i++) {
        struct run_claim *c = make(*state, 1, 3);
        claim_end_notes(c, NULL, logs[i].log);
        CHECK_CASE_TEXT(i, "log", c->finish.log, logs[i].wanted);
        claim_free(&c);
    }
    struct run_claim *c = make(*state, 1, 3);
    claim_end_notes(c, NULL, NULL);
    assert_null(c->finish.log);
    claim_free(&c);
}

static void test_what_no_post_writes(void **state)
{
    static const struct {
        int64_t created_by;
        int priority;
        const char *error; /* must stand in it; NULL: it may run */
    } rows[] = {
        {1, 0, NULL}, {INT64_MAX, 9, NULL}, {0, 5, "created_by"}, {-1, 99, "created_by"}, {INT64_MIN, 5, "created_by"},
        {1, 10, "priority"}, {1, 255, "priority"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct claimed task = {.created_by = rows[i].created_by, .priority = rows[i].priority, .data = {"{}", 2}};
        struct run_claim *c = make(*state, 1, 3);
        CHECK_CASE(i, "ends", claim_end_invalid(c, &task) == !!rows[i].error);
        CHECK_CASE(i, "error", !c->finish.error == !rows[i].error);
        if (rows[i].error) {
            CHECK_CASE(i, "final", c->finish.kind == FINISH_FAILURE && c->finish.keep_usec == 2 * hour);
            CHECK_CASE(i, "error", strstr(c->finish.error, "invalid_data") && strstr(c->finish.error, rows[i].error));
        }
        claim_free(&c);
    }
}

static void test_progress(void **state)
{
    static const struct {
        uint64_t done, total;
        const char *unit, *message, *wanted;
    } said[] = {
        {0, 0, "", "", NULL},
        {0, 10, "rows", "", "{\"done\":0,\"total\":10,\"unit\":\"rows\",\"percent\":0,\"message\":null}"},
        {1, 3, "", "x\"y", "{\"done\":1,\"total\":3,\"unit\":null,\"percent\":33,\"message\":\"x\\\"y\"}"},
        {299, 300, "", "", "{\"done\":299,\"total\":300,\"unit\":null,\"percent\":99,\"message\":null}"},
        {7, 0, "rows", "", "{\"done\":7,\"total\":null,\"unit\":\"rows\",\"percent\":null,\"message\":null}"},
        {11, 10, "", "", "{\"done\":11,\"total\":10,\"unit\":null,\"percent\":100,\"message\":null}"},
        {UINT64_MAX - 1, UINT64_MAX, "", "", "{\"done\":18446744073709551614,\"total\":18446744073709551615,"
                                             "\"unit\":null,\"percent\":100,\"message\":null}"},
        {0, 0, "", "\xe2\x82", "{\"done\":0,\"total\":null,\"unit\":null,\"percent\":null,"
                               "\"message\":\"\xef\xbf\xbd\xef\xbf\xbd\"}"},
    };
    (void)state;
    struct arena *arena = arena_create();
    for (size_t i = 0; i < COUNT_OF(said); i++) {
        const char *json = claim_progress_json(arena, said[i].done, said[i].total, said[i].unit, said[i].message);
        CHECK_CASE(i, "progress", !json == !said[i].wanted);
        if (json)
            CHECK_CASE_TEXT(i, "progress", json, said[i].wanted);
    }
    /* the longest there can be fits into the table's 1,000 characters */
    char message[121], unit[16];
    memset(message, '\x01', sizeof message - 1);
    memset(unit, '\x01', sizeof unit - 1);
    message[sizeof message - 1] = unit[sizeof unit - 1] = '\0';
    assert_true(strlen(claim_progress_json(arena, UINT64_MAX, UINT64_MAX, unit, message)) <= 1000);
    arena_destroy(&arena);
}

static void test_first_in_first_out(void **state)
{
    struct claim_list l;
    claim_list_init(&l);
    assert_null(claim_list_pop(&l));
    struct run_claim *all[3];
    for (int round = 0; round < 2; round++) { /* also after it has been empty */
        for (int i = 0; i < 3; i++)
            claim_list_push(&l, all[i] = make(*state, (unsigned)i + 1, 9));
        assert_int_equal(l.count, 3);
        for (int i = 0; i < 3; i++) {
            struct run_claim *c = claim_list_pop(&l);
            assert_ptr_equal(c, all[i]);
            claim_free(&c);
        }
        assert_int_equal(l.count, 0);
        assert_null(claim_list_pop(&l));
    }
    struct run_claim *none = NULL;
    claim_free(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_end),
        cmocka_unit_test(test_committed),
        cmocka_unit_test(test_a_pause_that_was_asked_for),
        cmocka_unit_test(test_pauses_double_up_to_the_most),
        cmocka_unit_test(test_files_and_result_are_copied),
        cmocka_unit_test(test_a_file_of_a_series_is_kept),
        cmocka_unit_test(test_what_the_database_refused_is_said_shorter),
        cmocka_unit_test(test_logs_become_utf8),
        cmocka_unit_test(test_what_no_post_writes), cmocka_unit_test(test_progress),
        cmocka_unit_test(test_first_in_first_out),
    };
    return cmocka_run_group_tests_name("claim", tests, setup, teardown);
}
