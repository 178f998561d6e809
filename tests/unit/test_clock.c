/* SPDX-License-Identifier: MIT */
/* test_clock.c: instants to and from text (RFC 3339), and the calendar between them. */
#include "base/clock.h"
#include "base/error.h"
#include "unit.h"

static const struct {
    const char *in;
    const char *out; /* NULL: refused */
} instants[] = {
    {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"},
    {"2026-11-21T09:30:00.5Z", "2026-11-21T09:30:00.500000Z"},
    {"2026-11-21T09:30:00.1234567Z", "2026-11-21T09:30:00.123456Z"},
    {"2026-11-21T09:30:00+02:00", "2026-11-21T07:30:00.000000Z"},
    {"2026-11-21t09:30:00-23:59", "2026-11-22T09:29:00.000000Z"},
    {"2026-11-21 09:30:00z", "2026-11-21T09:30:00.000000Z"},
    {"2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000000Z"},
    {"2000-02-29T23:59:59Z", "2000-02-29T23:59:59.000000Z"},
    {"2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000000Z"},
    {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
    {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000000Z"},
    {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
    {"9999-12-31T23:59:59.999999+00:01", "9999-12-31T23:58:59.999999Z"},
    {"9999-12-31T22:59:59-01:00", "9999-12-31T23:59:59.000000Z"},
    {"9999-12-31T23:00:00-01:00", NULL},
    {"9999-12-31T23:59:59-05:00", NULL},
    {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z"},
    {"0000-01-01T00:59:59+01:00", NULL},
    {"", NULL},
    {"2026-11-21", NULL},
    {"2026-11-21T09:30:00", NULL},
    {"2026-11-21T09:30:00.Z", NULL},
    {"2026-11-21T09:30Z", NULL},
    {"2026-11-21T24:00:00Z", NULL},
    {"2026-11-21T09:60:00Z", NULL},
    {"2026-11-21T09:30:61Z", NULL},
    {"2026-02-29T00:00:00Z", NULL},
    {"1900-02-29T00:00:00Z", NULL},
    {"2026-13-01T00:00:00Z", NULL},
    {"2026-00-01T00:00:00Z", NULL},
    {"2026-04-31T00:00:00Z", NULL},
    {"2026-11-21T09:30:00+24:00", NULL},
    {"2026-11-21T09:30:00+0200", NULL},
    {"2026-11-21T09:30:00Zx", NULL},
    {"2026-11-21T09:30:00Z ", NULL},
    {"+026-11-21T09:30:00Z", NULL},
};

static void test_instants(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(instants); i++) {
        const char *in = instants[i].in;
        int64_t usec = 0;
        int rc = instant_parse(in, strlen(in), &usec);
        CHECK_CASE(i, in, rc == (instants[i].out ? 0 : ERR_INVALID));
        if (rc)
            continue;
        char out[INSTANT_TEXT_SIZE];
        instant_format(usec, out);
        CHECK_CASE_TEXT(i, in, out, instants[i].out);
    }
}

/* Every day of 1896 to 2105: each follows the one before, and comes back from its fields. */
static void test_calendar(void **state)
{
    (void)state;
    const int64_t day = INT64_C(86400000000);
    struct civil first = {.year = 1896, .month = 1, .day = 1};
    int64_t usec = civil_to_instant(&first);
    struct civil before = civil_from_instant(usec - 1);
    assert_int_equal(before.year, 1895);
    assert_int_equal(before.second, 59);
    for (; before.year < 2105; usec += day) {
        struct civil c = civil_from_instant(usec);
        assert_int_equal(civil_to_instant(&c), usec);
        assert_true(c.day == before.day + 1 || (c.day == 1 && before.day >= 28));
        assert_true(civil_is_day(&c));
        before.day++;
        assert_true(civil_is_day(&before) == (c.day != 1));
        assert_int_equal(c.hour + c.minute + c.second + c.usec, 0);
        before = c;
    }
    assert_false(civil_is_day(&(struct civil){.year = 2026, .month = 0, .day = 1}));
    assert_false(civil_is_day(&(struct civil){.year = 2026, .month = 13, .day = 1}));
    assert_false(civil_is_day(&(struct civil){.year = 2026, .month = 1, .day = 0}));
}

static void test_ages_after_a_step(void **state)
{
    static const int64_t second = 1000000, hour = 3600 * second;
    struct age_watch w = {0};
    int64_t wall = 1700000000 * second, mono = 5000000000;
    (void)state;
    assert_true(ages_count(&w, wall, mono, hour));
    wall += 30 * second; /* slewed, or a runner that slept: no step */
    mono += 2000000000;
    assert_true(ages_count(&w, wall, mono, hour));
    wall += hour;
    assert_false(ages_count(&w, wall, mono, hour));
    wall -= 2 * hour; /* back: what looks younger than it is only waits */
    assert_false(ages_count(&w, wall, mono, hour));
    mono += hour * 1000 - 1;
    wall += hour;
    assert_false(ages_count(&w, wall, mono, hour));
    mono += 1;
    assert_true(ages_count(&w, wall, mono, hour));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instants),
        cmocka_unit_test(test_calendar),
        cmocka_unit_test(test_ages_after_a_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
