/* SPDX-License-Identifier: MIT */
/* xlsx_cell.c: numbers, dates and text within Excel's limits. */
#include "xlsx_cell.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "scan.h"

/* --- numbers -------------------------------------------------------------------------------------- */

/* As Excel's specifications have them; numbers nearer to 0 than the least one become 0. */
static const double number_max = 9.99999999999999e307, number_min = 2.2250738585072014e-308;

enum {
    EXACT_POWER = 22, /* 10 to this is the last power that a double holds exactly */
    EXPONENT_MAX = 1000,
};

static const double powers[EXACT_POWER + 1] = {
    1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The digits of a number from the first to the last that is not 0, as an integer, and the power of ten
 * to which they are multiplied. False for more than 15 of them. */
static bool significant(const char *v, const char *end, int64_t *mantissa, long *power)
{
    int digits = 0, zeros = 0;
    bool point = false;
    *mantissa = 0;
    *power = 0;
    for (; v < end && (is_digit(*v) || *v == '.'); v++) {
        if (*v == '.') {
            point = true;
            continue;
        }
        *power -= point;
        if (*v == '0') {
            zeros += *mantissa != 0;
            continue;
        }
        digits += zeros + 1;
        if (digits > XLSX_DIGITS_MAX)
            return false;
        for (; zeros; zeros--)
            *mantissa *= 10;
        *mantissa = *mantissa * 10 + (*v - '0');
    }
    *power += zeros;
    if (v < end && (*v == 'e' || *v == 'E')) {
        char *stop;
        long exponent = strtol(v + 1, &stop, 10);
        if (exponent < -EXPONENT_MAX || exponent > EXPONENT_MAX)
            return false;
        *power += exponent;
        v = stop;
    }
    return v == end;
}

bool xlsx_number(const char *v, size_t len, double *out)
{
    int64_t mantissa;
    long power;
    bool negative = len && *v == '-';
    if (!significant(v + negative, v + len, &mantissa, &power))
        return false;
    double n = (double)mantissa;
    if (mantissa == 0)
        n = 0;
    else if (power >= 0 && power <= EXACT_POWER)
        n *= powers[power]; /* both exact, so that the result is the nearest double */
    else if (power < 0 && power >= -EXACT_POWER)
        n /= powers[-power];
    else
        n = strtod(v + negative, NULL);
    *out = negative && mantissa ? -n : n;
    return mantissa == 0 || (n <= number_max && n >= number_min);
}

/* --- dates and times ------------------------------------------------------------------------------ */

static const int64_t day_usec = INT64_C(86400000000), last_day = 2958465; /* 9999-12-31 */

/* Reads exactly COUNT digits at *V, before END; -1 where there are none. */
static int number(const char **v, const char *end, int count)
{
    int n = 0;
    for (; count; count--, (*v)++) {
        if (*v == end || !is_digit(**v))
            return -1;
        n = n * 10 + (**v - '0');
    }
    return n;
}

static bool skip(const char **v, const char *end, char c)
{
    if (*v == end || **v != c)
        return false;
    (*v)++;
    return true;
}

/* YYYY-MM-DD at *V, to days since 1899-12-30. */
static bool read_day(const char **v, const char *end, int64_t *out)
{
    static const struct civil epoch = {.year = 1899, .month = 12, .day = 30};
    struct civil c = {0};
    c.year = number(v, end, 4);
    if (!skip(v, end, '-'))
        return false;
    c.month = number(v, end, 2);
    if (!skip(v, end, '-'))
        return false;
    c.day = number(v, end, 2);
    bool before = c.year < 1900 || (c.year == 1900 && c.month < 3);
    if (before || !civil_is_day(&c))
        return false;
    *out = (civil_to_instant(&c) - civil_to_instant(&epoch)) / day_usec;
    return true;
}

/* [H]HH:MM:SS[.ffffff] from V to END, to microseconds. */
static bool read_clock(const char *v, const char *end, int64_t *out)
{
    const char *colon = memchr(v, ':', (size_t)(end - v));
    int hours = colon && colon - v <= 3 ? number(&v, end, (int)(colon - v)) : -1;
    if (hours < 0 || !skip(&v, end, ':'))
        return false;
    int minutes = number(&v, end, 2);
    if (minutes < 0 || !skip(&v, end, ':'))
        return false;
    int seconds = number(&v, end, 2), usec = 0;
    if (seconds < 0)
        return false;
    if (skip(&v, end, '.'))
        for (int scale = 100000; v < end && is_digit(*v); scale /= 10)
            usec += (*v++ - '0') * scale;
    *out = ((hours * INT64_C(60) + minutes) * 60 + seconds) * 1000000 + usec;
    return v == end;
}

/* The library writes 16 digits: the last microseconds of all would become the year 10000. */
static double as_days(int64_t days, int64_t usec)
{
    if (days == last_day)
        usec -= usec % 1000;
    return (double)days + (double)usec / (double)day_usec;
}

bool xlsx_date(const char *v, size_t len, double *out)
{
    const char *end = v + len;
    int64_t days;
    if (!read_day(&v, end, &days) || v != end)
        return false;
    *out = as_days(days, 0);
    return true;
}

bool xlsx_datetime(const char *v, size_t len, double *out)
{
    const char *end = v + len;
    int64_t days, usec;
    if (!read_day(&v, end, &days) || !skip(&v, end, ' ') || !read_clock(v, end, &usec))
        return false;
    *out = as_days(days, usec);
    return true;
}

bool xlsx_time(const char *v, size_t len, double *out)
{
    int64_t usec;
    if (!read_clock(v, v + len, &usec)) /* a minus sign is no digit */
        return false;
    *out = as_days(0, usec);
    return true;
}

/* --- text ----------------------------------------------------------------------------------------- */

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Whether text begins with _xHHHH_. */
static bool is_escape(const char *v, size_t len)
{
    return len >= 7 && v[1] == 'x' && is_hex(v[2]) && is_hex(v[3]) && is_hex(v[4]) &&
           is_hex(v[5]) && v[6] == '_';
}

/* What one character becomes. */
struct piece {
    const char *text;
    size_t len;
    size_t units; /* of UTF-16 */
    size_t taken; /* bytes of the value */
};

#define PIECE(literal, units, taken) (struct piece){literal, sizeof(literal) - 1, units, taken}

static struct piece next_piece(const char *v, size_t len)
{
    unsigned char c = (unsigned char)*v;
    if (c == 0)
        return PIECE("_x0000_", 7, 1);
    if (c == '_' && is_escape(v, len))
        return PIECE("_x005F_", 7, 1);
    if (c < 0x80)
        return (struct piece){v, 1, 1, 1};
    size_t n = utf8_sequence((const unsigned char *)v, len);
    if (n == 0)
        return PIECE("\xef\xbf\xbd", 1, 1);
    if (n == 3 && memcmp(v, "\xef\xbf\xbe", 3) == 0)
        return PIECE("_xFFFE_", 7, 3);
    if (n == 3 && memcmp(v, "\xef\xbf\xbf", 3) == 0)
        return PIECE("_xFFFF_", 7, 3);
    return (struct piece){v, n, n == 4 ? 2 : 1, n};
}

bool xlsx_text(char *out, const char *text, size_t len)
{
    const char *end = text + len;
    size_t units = 0;
    while (text < end) {
        if (end - text >= 8 && units + 8 <= XLSX_TEXT_MAX) {
            uint64_t w = scan_load(text);
            if (!(scan_zero(w) | scan_byte(w, '_') | (w & SCAN_HIGHS))) {
                memcpy(out, text, 8);
                out += 8;
                text += 8;
                units += 8;
                continue;
            }
        }
        struct piece p = next_piece(text, (size_t)(end - text));
        units += p.units;
        if (units > XLSX_TEXT_MAX)
            break;
        memcpy(out, p.text, p.len);
        out += p.len;
        text += p.taken;
    }
    *out = '\0';
    return text == end;
}
