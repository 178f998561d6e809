/* SPDX-License-Identifier: MIT */
/* clock.c: clocks, and instants to and from text. */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

#include "base/error.h"

enum { USEC = 1000000, DAY_SECONDS = 86400 };

int64_t clock_mono_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_wall_usec(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * USEC + t.tv_nsec / 1000;
}

bool ages_count(struct age_watch *w, int64_t wall_usec, int64_t mono_ns, int64_t hold_usec)
{
    int64_t ahead = wall_usec - mono_ns / 1000;
    if (w->begun && ahead - w->ahead_usec > 60 * (int64_t)USEC)
        w->doubt_until_ns = mono_ns + hold_usec * 1000;
    w->begun = true;
    w->ahead_usec = ahead;
    return mono_ns >= w->doubt_until_ns;
}

/* Days since 1970-01-01. Counts years from March, so that the leap day is the last of its year:
 * the "days from civil" arithmetic of Howard Hinnant's chrono-compatible date algorithms. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

int64_t civil_to_instant(const struct civil *c)
{
    int64_t days = days_from_civil(c->year, c->month, c->day);
    int64_t seconds = days * DAY_SECONDS + c->hour * 3600 + c->minute * 60 + c->second;
    return seconds * USEC + c->usec;
}

struct civil civil_from_instant(int64_t usec)
{
    int64_t seconds = usec / USEC, rest = usec % USEC;
    if (rest < 0) {
        rest += USEC;
        seconds--;
    }
    int64_t days = seconds / DAY_SECONDS, second_of_day = seconds % DAY_SECONDS;
    if (second_of_day < 0) {
        second_of_day += DAY_SECONDS;
        days--;
    }
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int month = (int)(mp < 10 ? mp + 3 : mp - 9);
    return (struct civil){
        .year = (int)(yoe + era * 400 + (month <= 2)),
        .month = month,
        .day = (int)(doy - (153 * mp + 2) / 5 + 1),
        .hour = (int)(second_of_day / 3600),
        .minute = (int)(second_of_day / 60 % 60),
        .second = (int)(second_of_day % 60),
        .usec = (int)rest,
    };
}

bool civil_is_day(const struct civil *c)
{
    static const int length[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;
    return c->month >= 1 && c->month <= 12 && c->day >= 1 && c->day <= length[c->month - 1] + (c->month == 2 && leap);
}

void instant_format(int64_t usec, char out[INSTANT_TEXT_SIZE])
{
    struct civil c = civil_from_instant(usec);
    snprintf(out, INSTANT_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ",
             (unsigned)c.year % 10000, (unsigned)c.month % 100, (unsigned)c.day % 100,
             (unsigned)c.hour % 100, (unsigned)c.minute % 100, (unsigned)c.second % 100,
             (unsigned)c.usec % 1000000);
}

/* Reads exactly N digits at *P and moves it on. */
static bool digits(const char **p, const char *end, int n, int *value)
{
    *value = 0;
    for (int i = 0; i < n; i++, (*p)++) {
        if (*p >= end || **p < '0' || **p > '9')
            return false;
        *value = *value * 10 + (**p - '0');
    }
    return true;
}

static bool one_of(const char **p, const char *end, const char *set)
{
    if (*p >= end)
        return false;
    for (; *set; set++)
        if (**p == *set) {
            (*p)++;
            return true;
        }
    return false;
}

static bool parse_fraction(const char **p, const char *end, int *usec)
{
    *usec = 0;
    if (!one_of(p, end, "."))
        return true;
    int scale = USEC / 10;
    const char *start = *p;
    for (; *p < end && **p >= '0' && **p <= '9'; (*p)++, scale /= 10)
        *usec += (**p - '0') * scale;
    return *p > start;
}

/* "Z" or "+hh:mm" / "-hh:mm"; the offset in seconds. */
static bool parse_offset(const char **p, const char *end, int *offset)
{
    *offset = 0;
    if (one_of(p, end, "Zz"))
        return true;
    bool minus = *p < end && **p == '-';
    int hour, minute;
    if (!one_of(p, end, "+-") || !digits(p, end, 2, &hour) || !one_of(p, end, ":") ||
        !digits(p, end, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *offset = (hour * 3600 + minute * 60) * (minus ? -1 : 1);
    return true;
}

int instant_parse(const char *text, size_t len, int64_t *usec)
{
    const char *p = text, *end = text + len;
    struct civil c;
    int offset;
    if (!digits(&p, end, 4, &c.year) || !one_of(&p, end, "-") || !digits(&p, end, 2, &c.month) ||
        !one_of(&p, end, "-") || !digits(&p, end, 2, &c.day) || !one_of(&p, end, "Tt ") ||
        !digits(&p, end, 2, &c.hour) || !one_of(&p, end, ":") || !digits(&p, end, 2, &c.minute) ||
        !one_of(&p, end, ":") || !digits(&p, end, 2, &c.second) ||
        !parse_fraction(&p, end, &c.usec) || !parse_offset(&p, end, &offset) || p != end)
        return ERR_INVALID;
    if (!civil_is_day(&c) || c.hour > 23 || c.minute > 59 || c.second > 60)
        return ERR_INVALID;
    if (c.second == 60)
        c.second = 59;
    int64_t instant = civil_to_instant(&c) - (int64_t)offset * USEC;
    int year = civil_from_instant(instant).year; /* in UTC it may be another */
    if (year < 0 || year > 9999)
        return ERR_INVALID;
    *usec = instant;
    return 0;
}
