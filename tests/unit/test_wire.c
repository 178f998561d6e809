/* SPDX-License-Identifier: MIT */
/* test_wire.c: frames between dispatcher and worker: what goes in comes out, and nothing that is cut,
 * stretched or bent is taken for a frame. */
#include <stdlib.h>

#include "tasks/runner/wire.h"
#include "unit.h"

static const struct run_task sample = {
    .id = UINT64_MAX,
    .fence = 7,
    .attempt = 3,
    .max_attempts = 5,
    .created_by = -1,
    .created_at = INT64_MIN,
    .type = "csv_export",
    .data = "{\"a\":\"\0b\"}",
    .data_len = 10,
};

static void put_result(struct buf *b, const char *result)
{
    struct run_outcome o = {.end = RUN_SUCCESS, .retry_usec = INT64_MAX};
    if (result)
        buf_adds(&o.result, result);
    wire_put_done(b, 1023, &o);
    buf_free(&o.result);
}

static void test_a_task_there_and_back(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    struct arena *arena = arena_create();
    struct run_task t;
    wire_put_task(&b, 3, &sample);
    wire_put_task(&b, 3, &sample);
    assert_int_equal(wire_frame(&b) * 2, b.len);
    for (int i = 0; i < 2; i++) {
        size_t place;
        assert_true(wire_peek_place(&b, &place));
        assert_int_equal(place, 3);
        assert_true(wire_get_task(&b, arena, &t));
        assert_true(t.id == sample.id && t.fence == 7 && t.attempt == 3 && t.max_attempts == 5);
        assert_true(t.created_by == -1 && t.created_at == INT64_MIN);
        assert_string_equal(t.type, "csv_export");
        assert_int_equal(t.data_len, 10);
        assert_memory_equal(t.data, sample.data, 11);
        wire_drop(&b, wire_frame(&b));
    }
    assert_int_equal(b.len, 0);
    assert_int_equal(wire_frame(&b), 0);
    arena_destroy(&arena);
    buf_free(&b);
}

static void test_an_answer_there_and_back(void **state)
{
    (void)state;
    static const char *const results[] = {NULL, "{}", "\"long\""};
    for (size_t i = 0; i < COUNT_OF(results); i++) {
        struct buf b = BUF_INIT;
        struct arena *arena = arena_create();
        struct wire_done done;
        put_result(&b, results[i]);
        size_t place;
        assert_true(wire_peek_place(&b, &place));
        assert_int_equal(place, 1023);
        assert_true(wire_get_done(&b, arena, &done));
        assert_int_equal(done.end, RUN_SUCCESS);
        assert_true(done.retry_usec == INT64_MAX);
        assert_int_equal(done.file_count, 0);
        if (results[i])
            assert_string_equal(done.result, results[i]);
        else
            assert_null(done.result);
        arena_destroy(&arena);
        buf_free(&b);
    }
}

static void test_a_part_is_no_frame(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    wire_put_task(&b, 3, &sample);
    size_t whole = b.len;
    for (b.len = 0; b.len < whole; b.len++)
        assert_int_equal(wire_frame(&b), 0);
    assert_int_equal(wire_frame(&b), whole);
    buf_free(&b);
}

/* Reads it as both kinds, in memory of exactly its size, so that a sanitizer sees a step too far. */
static bool is_taken(const char *bytes, size_t len)
{
    struct buf b = BUF_INIT;
    struct arena *arena = arena_create();
    struct run_task task;
    struct wire_done done;
    b.data = malloc(len ? len : 1);
    memcpy(b.data, bytes, len);
    b.len = b.cap = len;
    size_t place;
    if (wire_frame(&b) && !wire_peek_place(&b, &place))
        CHECK_CASE(len, "no place, but a frame", !wire_get_task(&b, arena, &task) && !wire_get_done(&b, arena, &done));
    bool as_task = wire_frame(&b) && wire_get_task(&b, arena, &task);
    bool as_done = wire_frame(&b) && wire_get_done(&b, arena, &done);
    bool taken = as_task || as_done;
    arena_destroy(&arena);
    free(b.data);
    return taken;
}

static void set_length(char *frame, uint64_t len)
{
    memcpy(frame, &len, sizeof len);
}

static void test_a_length_that_is_wrong(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {0, 1, 7, 8, 9, 15, 16, UINT64_C(1) << 31, UINT64_C(1) << 63, UINT64_MAX};
    struct buf b = BUF_INIT;
    wire_put_task(&b, 3, &sample);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        set_length(b.data, lengths[i]);
        CHECK_CASE(i, "length", !is_taken(b.data, b.len));
        /* one that no frame can have must be noticed at once, not waited for */
        CHECK_CASE(i, "noticed", wire_frame(&b) > 0);
    }
    buf_free(&b);
}

static void test_fields_that_are_wrong(void **state)
{
    (void)state;
    struct buf frames[2] = {BUF_INIT, BUF_INIT};
    wire_put_task(&frames[0], 3, &sample);
    put_result(&frames[1], "{\"a\":1}");
    for (size_t f = 0; f < COUNT_OF(frames); f++) {
        struct buf *b = &frames[f];
        /* shorter and longer than its fields */
        for (size_t len = 8; len < b->len; len++) {
            set_length(b->data, len);
            CHECK_CASE(len, "cut", !is_taken(b->data, len));
        }
        size_t whole = b->len;
        buf_addc(b, 'x');
        set_length(b->data, b->len);
        CHECK_CASE(f, "more", !is_taken(b->data, b->len));
        b->len = whole;
        set_length(b->data, whole);
        assert_true(is_taken(b->data, b->len));
        /* every byte bent: whatever is made of it, no memory but the frame's is read */
        for (size_t at = 8; at < whole; at++) {
            char kept = b->data[at];
            for (int bit = 0; bit < 8; bit++) {
                b->data[at] = (char)(kept ^ 1 << bit);
                (void)is_taken(b->data, b->len);
            }
            b->data[at] = kept;
        }
        buf_free(b);
    }
}

static void test_more_files_than_there_are_places(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    put_result(&b, NULL);
    uint64_t count = RUN_FILES_MAX + 2;
    memcpy(b.data + b.len - sizeof count, &count, sizeof count); /* the last field */
    assert_false(is_taken(b.data, b.len));
    count = UINT64_C(1) << 32; /* 0 in 32 bits */
    memcpy(b.data + b.len - sizeof count, &count, sizeof count);
    assert_false(is_taken(b.data, b.len));
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_task_there_and_back),
        cmocka_unit_test(test_an_answer_there_and_back),
        cmocka_unit_test(test_a_part_is_no_frame),
        cmocka_unit_test(test_a_length_that_is_wrong),
        cmocka_unit_test(test_fields_that_are_wrong),
        cmocka_unit_test(test_more_files_than_there_are_places),
    };
    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
