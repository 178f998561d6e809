/* SPDX-License-Identifier: MIT */
/* check_db.c: what layer db promises of a connection, against the server whose socket is the argument; its
 * account root has no password. Run by test_db.py. */
#include <stdbool.h>
#include <stdlib.h>

#include "../unit/unit.h"
#include "base/clock.h"
#include "base/mem.h"
#include "db/rows.h"

static struct db_address address = {.user = "root"};

static int connect_to_server(void **state)
{
    struct error e = {0};
    struct db_options options = {.session = DB_SESSION_QUEUE, .timeout_s = 30};
    struct db *d;
    if (db_open(&address, &options, &d, &e))
        fail_msg("%s", e.text);
    *state = d;
    return 0;
}

static int disconnect(void **state)
{
    struct db *d = *state;
    db_close(&d);
    return 0;
}

static struct db_stmt *prepare(struct db *d, const char *sql)
{
    struct error e = {0};
    struct db_stmt *s;
    if (db_prepare(d, sql, &s, &e))
        fail_msg("%s: %s", sql, e.text);
    return s;
}

/* The first column of the only row. */
static int64_t number_of(struct db *d, const char *sql)
{
    struct error e = {0};
    struct db_stmt *s = prepare(d, sql);
    assert_int_equal(db_run(s, NULL, 0, &e), 1);
    assert_int_equal(db_next(s, &e), 1);
    int64_t n = db_col_int(s, 0);
    db_stmt_close(&s);
    return n;
}

/* --- numbers ------------------------------------------------------------------------------------------ */

static const struct {
    const char *sql;
    int64_t as_int;
    uint64_t as_uint;
} numbers[] = {
    {"NULL", 0, 0},
    {"-5", -5, 0},
    {"18446744073709551615", INT64_MAX, UINT64_MAX},
    {"CAST(18446744073709551615 AS UNSIGNED)", INT64_MAX, UINT64_MAX},
    {"CAST(12.9 AS DECIMAL(9,1))", 12, 12},
    {"CAST(-12.9 AS DECIMAL(9,1))", -12, 0},
    {"CAST(9223372036854775808 AS DECIMAL(30))", INT64_MAX, UINT64_C(9223372036854775808)},
    {"99999999999999999999", INT64_MAX, UINT64_MAX},
    {"-99999999999999999999", INT64_MIN, 0},
    {"12.9e0", 12, 12},
    {"-12.9e0", -12, 0},
    {"1e19", INT64_MAX, UINT64_C(10000000000000000000)},
    {"1e30", INT64_MAX, UINT64_MAX},
    {"-1e30", INT64_MIN, 0},
};

static void test_numbers_beyond_64_bits(void **state)
{
    struct error e = {0};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        char sql[100];
        snprintf(sql, sizeof sql, "SELECT %s", numbers[i].sql);
        struct db_stmt *s = prepare(*state, sql);
        assert_int_equal(db_run(s, NULL, 0, &e), 1);
        assert_int_equal(db_next(s, &e), 1);
        CHECK_CASE(i, numbers[i].sql, db_col_int(s, 0) == numbers[i].as_int);
        CHECK_CASE(i, numbers[i].sql, db_col_uint(s, 0) == numbers[i].as_uint);
        db_stmt_close(&s);
    }
}

/* --- statements that are too long ------------------------------------------------------------------------ */

/* A connection of the time when the server's max_allowed_packet was BYTES. */
static struct db *with_packet(struct db *d, unsigned long bytes)
{
    struct error e = {0};
    char sql[100];
    void *limited;
    int64_t before = number_of(d, "SELECT @@GLOBAL.max_allowed_packet");
    snprintf(sql, sizeof sql, "SET GLOBAL max_allowed_packet = %lu", bytes);
    assert_int_equal(db_exec(d, sql, &e), 0);
    connect_to_server(&limited);
    snprintf(sql, sizeof sql, "SET GLOBAL max_allowed_packet = %lld", (long long)before);
    assert_int_equal(db_exec(d, sql, &e), 0);
    return limited;
}

static const unsigned long packets[] = {1024, 65536, 1048576, 20971520}; /* the last is sent in two */

static void test_what_is_too_long_is_refused_before_it_is_sent(void **state)
{
    enum { NEARLY = 48, STEP = 4 };
    size_t most = packets[COUNT_OF(packets) - 1] + STEP;
    char *text = xmalloc(most);
    memset(text, 'x', most);
    for (size_t i = 0; i < COUNT_OF(packets); i++) {
        struct error e = {0};
        struct db *d = with_packet(*state, packets[i]);
        struct db_stmt *s = prepare(d, "SELECT LENGTH(?)");
        for (size_t len = packets[i] - NEARLY; len <= packets[i] + STEP; len += STEP) {
            struct db_value value = db_bytes(text, len);
            int64_t rc = db_run(s, &value, 1, &e);
            CHECK_CASE(len, "refused", len > packets[i] - NEARLY || rc == 1);
            CHECK_CASE(len, "sent", len < packets[i] || rc == ERR_DB_REFUSED);
            CHECK_CASE(len, "lost", rc == 1 || (rc == ERR_DB_REFUSED && e.db_errno == 1153));
            assert_true(db_usable(d));
            error_clear(&e);
        }
        assert_int_equal(number_of(d, "SELECT 7"), 7);
        db_close(&d);
    }
    free(text);
}

/* --- many rows ------------------------------------------------------------------------------------------- */

static void test_many_rows(void **state)
{
    enum { ROWS = 100, LEN = 12000 };
    struct error e = {0};
    struct db *d = with_packet(*state, 1048576);
    if (!db_takes_rows(d)) {
        db_close(&d);
        skip();
    }
    assert_int_equal(db_exec(d, "CREATE DATABASE check_db", &e), 0);
    assert_int_equal(db_exec(d, "CREATE TEMPORARY TABLE check_db.t (n INT, v MEDIUMTEXT)", &e), 0);
    struct db_stmt *s = prepare(d, "INSERT INTO check_db.t VALUES (?, ?)");
    char text[LEN];
    memset(text, 'x', sizeof text);
    struct db_value values[2 * ROWS];
    for (int i = 0; i < ROWS; i++) {
        values[2 * i] = i % 2 ? db_int(i) : db_null();
        values[2 * i + 1] = db_textn(text, LEN);
    }
    assert_int_equal(db_run_rows(s, values, ROWS / 2, &e), 0);
    assert_int_equal(db_run_rows(s, values, 0, &e), 0);
    assert_int_equal(db_run_rows(s, values, ROWS, &e), ERR_DB_REFUSED);
    assert_int_equal(e.db_errno, 1153);
    error_clear(&e);
    assert_int_equal(number_of(d, "SELECT COUNT(*) FROM check_db.t"), ROWS / 2);
    assert_int_equal(db_exec(d, "DROP DATABASE check_db", &e), 0);
    db_close(&d);
}

/* --- results of which the rest is not wanted ----------------------------------------------------------------- */

static bool says(void *context)
{
    return *(bool *)context;
}

static void test_a_result_is_left_at_once(void **state)
{
    struct db *d = *state;
    struct error e = {0};
    struct db_rows *rows;
    char **values;
    unsigned long *lengths;
    bool stop = false;
    db_set_stop(d, says, &stop);
    /* a row is longer than what the server gathers before it sends */
    const char *slow = "SELECT REPEAT('x', 40000), SLEEP(seq DIV 2) FROM mysql.seq_1_to_6";
    assert_int_equal(db_rows_open(d, slow, NULL, 0, &rows, &e), 0);
    assert_int_equal(db_rows_next(rows, &values, &lengths, &e), 1);
    stop = true;
    int64_t start = clock_mono_ns();
    db_rows_close(&rows);
    assert_true(clock_mono_ns() - start < INT64_C(500000000));
    assert_false(db_usable(d));
    assert_int_equal(db_exec(d, "DO 1", &e), ERR_CANCELLED);
    assert_int_equal(db_kill_query(&address, db_thread_id(d), &e), 0);
}

static void test_a_result_that_has_ended_costs_no_connection(void **state)
{
    struct db *d = *state;
    struct error e = {0};
    struct db_rows *rows;
    char **values;
    unsigned long *lengths;
    bool stop = false;
    db_set_stop(d, says, &stop);
    assert_int_equal(db_rows_open(d, "SELECT 1", NULL, 0, &rows, &e), 0);
    assert_int_equal(db_rows_next(rows, &values, &lengths, &e), 1);
    assert_int_equal(db_rows_next(rows, &values, &lengths, &e), 0);
    stop = true;
    db_rows_close(&rows);
    assert_true(db_usable(d));
    assert_int_equal(number_of(d, "SELECT 7"), 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, connect_to_server, disconnect)

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        TEST(test_numbers_beyond_64_bits),
        TEST(test_what_is_too_long_is_refused_before_it_is_sent),
        TEST(test_many_rows),
        TEST(test_a_result_is_left_at_once),
        TEST(test_a_result_that_has_ended_costs_no_connection),
    };
    if (argc != 2)
        return 2;
    address.socket = argv[1];
    db_library_init();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    db_library_end();
    return failed;
}
