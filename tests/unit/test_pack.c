/* SPDX-License-Identifier: MIT */
/* test_pack.c: what is packed comes out again; what is cut, bent or stretched is noticed; and what a whole dump is. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tasks/types/dump_mark.h"
#include "tasks/types/pack.h"
#include "unit.h"

static const enum backup_compression kinds[] = {BACKUP_ZSTD, BACKUP_GZIP, BACKUP_PLAIN};

static int collect(void *ctx, const void *data, size_t len, struct error *e)
{
    (void)e;
    buf_add(ctx, data, len);
    return 0;
}

static int refuse(void *ctx, const void *data, size_t len, struct error *e)
{
    (void)ctx, (void)data, (void)len;
    return error_set(e, ERR_IO, "full");
}

/* Feeds IN in pieces of STEP bytes. */
static int feed(struct pack *p, const struct buf *in, size_t step, struct error *e)
{
    int rc = 0;
    for (size_t at = 0; at < in->len && !rc; at += step)
        rc = pack_put(p, in->data + at, in->len - at < step ? in->len - at : step, e);
    return rc ? rc : pack_end(p, e);
}

static void pack_all(enum backup_compression kind, const struct buf *in, size_t step, struct buf *out)
{
    struct pack *p = NULL;
    struct error e = {0};
    assert_int_equal(pack_open(kind, SETTING_UNSET, collect, out, &p, &e), 0);
    assert_int_equal(feed(p, in, step, &e), 0);
    pack_close(&p);
}

static int unpack_all(enum backup_compression kind, const struct buf *in, size_t step, struct buf *out)
{
    struct pack *p = NULL;
    struct error e = {0};
    assert_int_equal(unpack_open(kind, collect, out, &p, &e), 0);
    int rc = feed(p, in, step, &e);
    pack_close(&p);
    assert_int_equal(rc, e.code);
    return rc;
}

/* LEN bytes, half of them compressible. */
static struct buf sample(size_t len)
{
    struct buf b = BUF_INIT;
    uint32_t x = 1;
    while (b.len < len) {
        x = x * 1664525 + 1013904223;
        buf_addc(&b, b.len / 1000 % 2 ? 'a' : (char)(x >> 24));
    }
    return b;
}

static void test_there_and_back(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 1000, 128 * 1024, 128 * 1024 + 1, 1500000}, steps[] = {1 << 20, 77777};
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        for (size_t k = 0; k < COUNT_OF(sizes); k++)
            for (size_t m = 0; m < COUNT_OF(steps); m++) {
                struct buf in = sample(sizes[k]), packed = BUF_INIT, out = BUF_INIT;
                pack_all(kinds[i], &in, steps[m], &packed);
                assert_int_equal(unpack_all(kinds[i], &packed, steps[1 - m], &out), 0);
                CHECK_CASE(k, "same bytes", out.len == in.len && (!in.len || !memcmp(out.data, in.data, in.len)));
                CHECK_CASE(k, "smaller", kinds[i] == BACKUP_PLAIN || in.len < 10000 || packed.len < in.len);
                buf_free(&in);
                buf_free(&packed);
                buf_free(&out);
            }
}

static void test_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct buf in = sample(300000), packed = BUF_INIT, out = BUF_INIT;
        pack_all(kinds[i], &in, 50000, &packed);
        size_t whole = packed.len;
        for (packed.len = 0; packed.len < whole; packed.len += whole / 50 + 1)
            assert_int_equal(unpack_all(kinds[i], &packed, 4096, &out), ERR_INVALID);
        packed.len = whole;
        for (size_t at = 20; at < whole; at += whole / 50 + 1) {
            packed.data[at] ^= 0x10;
            assert_int_equal(unpack_all(kinds[i], &packed, 4096, &out), ERR_INVALID);
            packed.data[at] ^= 0x10;
        }
        buf_adds(&packed, "and more");
        assert_int_equal(unpack_all(kinds[i], &packed, 4096, &out), ERR_INVALID);
        buf_free(&in);
        buf_free(&packed);
        buf_free(&out);
    }
}

static void test_an_error_of_the_sink_is_handed_on(void **state)
{
    (void)state;
    struct buf in = sample(1000000);
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct pack *p = NULL;
        struct error e = {0};
        assert_int_equal(pack_open(kinds[i], 1, refuse, NULL, &p, &e), 0);
        assert_int_equal(feed(p, &in, in.len, &e), ERR_IO);
        assert_string_equal(e.text, "full");
        pack_close(&p);
    }
    buf_free(&in);
}

static void mark(struct dump_mark *m, const char *text, size_t step)
{
    struct error e = {0};
    assert_int_equal(dump_mark_begin(m, &e), 0);
    for (size_t at = 0, len = strlen(text); at < len; at += step)
        assert_int_equal(dump_mark_add(m, text + at, len - at < step ? len - at : step, &e), 0);
    assert_int_equal(dump_mark_end(m, &e), 0);
}

static void test_the_last_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool whole;
    } cases[] = {
        {"", false},
        {"-- Dump completed", false},
        {"-- Dump completed\n", true},
        {"-- Dump completed on 2026-11-21  9:30:00\n", true},
        {"INSERT;\n\n-- Dump completed on 2026-11-21  9:30:00\n\n", true},
        {"x -- Dump completed\n", false},
        {"-- Dump completed\nmore\n", false},
        {"-- Dump complet\n", false},
        {"\n\n\n", false},
        {"INSERT INTO t VALUES ('a long line, longer than what is kept of the end: ...........................'),"
         "('..............................................................................');\n"
         "-- Dump completed on 2026-11-21  9:30:00\n",
         true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (size_t step = 1; step < 200; step += 33) {
            struct dump_mark m, same;
            mark(&m, cases[i].text, step);
            mark(&same, cases[i].text, 1000);
            CHECK_CASE(i, cases[i].text, dump_mark_complete(&m) == cases[i].whole);
            CHECK_CASE(i, "bytes", m.bytes == strlen(cases[i].text) && dump_mark_equal(&m, &same));
        }
    struct dump_mark a, b;
    mark(&a, "one", 1);
    mark(&b, "two", 1);
    assert_false(dump_mark_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_an_error_of_the_sink_is_handed_on),
        cmocka_unit_test(test_the_last_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
