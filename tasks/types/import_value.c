/* SPDX-License-Identifier: MIT */
/* import_value.c: reads fields by the type of their column. What passes here the server takes as it is, without
 * rounding or cutting; what only the server can judge (ENUM, JSON, character sets) is left to it. */
#include "import_value.h"

#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/hex.h"
#include "base/utf8.h"

enum { NUMBER_MAX = 400 /* longest text of a number that is looked at */ };

struct text_part {
    const char *p;
    size_t len;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(const char *p, size_t len)
{
    size_t n = 0;
    while (n < len && is_digit(p[n]))
        n++;
    return n;
}

/* --- numbers ---------------------------------------------------------------------------------------- */

/* [+-]digits, without overflow. */
static bool read_integer(struct text_part t, bool *negative, uint64_t *out)
{
    *negative = t.len && *t.p == '-';
    if (t.len && (*t.p == '-' || *t.p == '+'))
        t.p++, t.len--;
    *out = 0;
    for (size_t i = 0; i < t.len; i++) {
        unsigned d = (unsigned)(t.p[i] - '0');
        if (!is_digit(t.p[i]) || *out > (UINT64_MAX - d) / 10)
            return false;
        *out = *out * 10 + d;
    }
    return t.len > 0;
}

static const char *value_integer(const struct import_column *c, struct text_part t, struct arena *arena,
                                 struct db_value *out)
{
    uint64_t n, most = UINT64_MAX >> (64 - 8 * c->size), signed_most = most >> 1;
    bool negative;
    bool good = read_integer(t, &negative, &n);
    if (c->is_unsigned && good && n <= most && (!negative || !n)) {
        *out = db_uint(n);
        return NULL;
    }
    if (!c->is_unsigned && good && n <= signed_most + negative) {
        *out = db_int(negative ? (int64_t)(0 - n) : (int64_t)n);
        return NULL;
    }
    if (c->is_unsigned)
        return arena_printf(arena, "must be an integer from 0 to %llu", (unsigned long long)most);
    return arena_printf(arena, "must be an integer from -%llu to %llu", (unsigned long long)signed_most + 1,
                        (unsigned long long)signed_most);
}

/* [+-]digits[.digits] */
static bool read_decimal(struct text_part t, struct text_part *whole, struct text_part *fraction)
{
    if (t.len && (*t.p == '-' || *t.p == '+'))
        t.p++, t.len--;
    size_t n = digits(t.p, t.len);
    *whole = (struct text_part){t.p, n};
    *fraction = (struct text_part){t.p + n, 0};
    if (n < t.len && t.p[n] == '.') {
        *fraction = (struct text_part){t.p + n + 1, digits(t.p + n + 1, t.len - n - 1)};
        n += 1 + fraction->len;
    }
    return n == t.len && whole->len + fraction->len > 0;
}

static const char *value_decimal(const struct import_column *c, struct text_part t, struct arena *arena,
                                 struct db_value *out)
{
    struct text_part whole, fraction;
    bool good = read_decimal(t, &whole, &fraction);
    while (whole.len && *whole.p == '0')
        whole.p++, whole.len--;
    while (fraction.len && fraction.p[fraction.len - 1] == '0')
        fraction.len--;
    bool negative = t.len && *t.p == '-';
    if (good && whole.len <= c->size - c->scale && fraction.len <= c->scale &&
        (!negative || !c->is_unsigned || !(whole.len + fraction.len))) {
        *out = db_textn(t.p, t.len);
        return NULL;
    }
    return arena_printf(arena, "must be a number%s with at most %u digits before the point and %u behind it",
                        c->is_unsigned ? " of at least 0" : "", c->size - c->scale, c->scale);
}

/* The grammar that the server takes: [+-]digits[.digits][e[+-]digits]. */
static bool read_number(struct text_part t, double *out)
{
    char copy[NUMBER_MAX + 1], *end;
    if (!t.len || t.len > NUMBER_MAX)
        return false;
    for (size_t i = 0; i < t.len; i++) {
        if (!is_digit(t.p[i]) && (!t.p[i] || !strchr("+-.eE", t.p[i])))
            return false;
        copy[i] = t.p[i];
    }
    copy[t.len] = '\0';
    *out = strtod(copy, &end);
    return !*end && isfinite(*out);
}

static const char *value_float(const struct import_column *c, struct text_part t, struct db_value *out)
{
    double d;
    if (!read_number(t, &d) || (c->is_unsigned && d < 0))
        return c->is_unsigned ? "must be a number of at least 0" : "must be a number";
    *out = db_textn(t.p, t.len);
    return NULL;
}

static const char *value_bit(const struct import_column *c, struct text_part t, struct arena *arena,
                             struct db_value *out)
{
    uint64_t n;
    bool negative;
    if (!read_integer(t, &negative, &n) || negative || (c->size < 64 && n >> c->size))
        return arena_printf(arena, "must be an integer of at least 0 and at most %u bits", c->size);
    *out = db_uint(n);
    return NULL;
}

/* --- dates and times ---------------------------------------------------------------------------------- */

/* Exactly COUNT digits at *T, which moves behind them. */
static bool take_number(struct text_part *t, size_t count, unsigned *out)
{
    if (t->len < count || digits(t->p, count) != count)
        return false;
    *out = 0;
    for (size_t i = 0; i < count; i++)
        *out = *out * 10 + (unsigned)(t->p[i] - '0');
    t->p += count;
    t->len -= count;
    return true;
}

static bool take_char(struct text_part *t, char c)
{
    if (!t->len || *t->p != c)
        return false;
    t->p++;
    t->len--;
    return true;
}

/* YYYY-MM-DD. Parts that are zero are let pass, as the server does where it holds such dates already. */
static bool take_date(struct text_part *t)
{
    unsigned year, month, day;
    if (!take_number(t, 4, &year) || !take_char(t, '-') || !take_number(t, 2, &month) || !take_char(t, '-') ||
        !take_number(t, 2, &day) || month > 12 || day > 31)
        return false;
    if (!month || !day)
        return true;
    struct civil c = {.year = (int)year, .month = (int)month, .day = (int)day};
    return civil_is_day(&c);
}

/* :MM[:SS[.fraction]], as many digits as the column has but for zeros. *LAST: it is behind :59:59. */
static bool take_minutes(struct text_part *t, unsigned scale, bool *last)
{
    unsigned minute, second;
    *last = false;
    if (!take_char(t, ':') || !take_number(t, 2, &minute) || minute > 59)
        return false;
    if (!t->len)
        return true;
    if (!take_char(t, ':') || !take_number(t, 2, &second) || second > 59)
        return false;
    if (!take_char(t, '.'))
        return true;
    size_t n = digits(t->p, t->len), used = n;
    while (used && t->p[used - 1] == '0')
        used--;
    t->p += n;
    t->len -= n;
    *last = minute == 59 && second == 59 && used > 0;
    return n > 0 && n <= 6 && used <= scale;
}

static const char *value_date(struct text_part t, struct db_value *out)
{
    struct text_part rest = t;
    if (!take_date(&rest) || rest.len)
        return "must be a date such as 2026-11-21";
    *out = db_textn(t.p, t.len);
    return NULL;
}

static bool is_datetime(struct text_part t, unsigned scale)
{
    unsigned hour;
    bool last;
    if (!take_date(&t))
        return false;
    if (!t.len)
        return true;
    return (take_char(&t, ' ') || take_char(&t, 'T')) && take_number(&t, 2, &hour) && hour <= 23 &&
           take_minutes(&t, scale, &last) && !t.len;
}

static const char *value_datetime(const struct import_column *c, struct text_part t, struct arena *arena,
                                  struct db_value *out)
{
    if (!is_datetime(t, c->scale))
        return arena_printf(arena, "must be a date and time such as 2026-11-21 09:30:00, the second with at most "
                                   "%u digits behind the point", c->scale);
    *out = db_textn(t.p, t.len);
    return NULL;
}

static bool is_time(struct text_part t, unsigned scale)
{
    unsigned hour;
    bool last;
    (void)take_char(&t, '-');
    size_t n = digits(t.p, t.len);
    if (n < 1 || n > 3 || !take_number(&t, n, &hour) || !take_minutes(&t, scale, &last) || t.len)
        return false;
    return hour < 838 || (hour == 838 && !last); /* the latest is 838:59:59, without a fraction */
}

static const char *value_time(const struct import_column *c, struct text_part t, struct arena *arena,
                              struct db_value *out)
{
    if (!is_time(t, c->scale))
        return arena_printf(arena, "must be a time from -838:59:59 to 838:59:59, the second with at most %u digits "
                                   "behind the point", c->scale);
    *out = db_textn(t.p, t.len);
    return NULL;
}

static const char *value_year(struct text_part t, struct db_value *out)
{
    struct text_part rest = t;
    unsigned year;
    if (!take_number(&rest, 4, &year) || rest.len || (year && (year < 1901 || year > 2155)))
        return "must be a year from 1901 to 2155, or 0000";
    *out = db_uint(year);
    return NULL;
}

/* --- text and bytes ------------------------------------------------------------------------------------- */

/* What the formula guard of an export has put there: one apostrophe before ^'*[=+\-@\t\r\n]. */
static struct text_part unguard(struct text_part t)
{
    size_t i = 0;
    while (i < t.len && t.p[i] == '\'')
        i++;
    if (i && i < t.len && memchr("=+-@\t\r\n", t.p[i], 7))
        t.p++, t.len--;
    return t;
}

/* Whether the server would read it as a number: [spaces of any character set][+-]digits. */
static bool is_number_to_server(struct text_part t)
{
    while (t.len && *t.p && strchr(" \t\n\v\f\r\xc2\xa0", *t.p))
        t.p++, t.len--;
    if (t.len && (*t.p == '-' || *t.p == '+'))
        t.p++, t.len--;
    return t.len && digits(t.p, t.len) == t.len;
}

/* Whether T stands in MEMBERS: 'a','b''c' */
static bool is_member(const char *members, struct text_part t)
{
    for (const char *p = members; *p == '\''; p += *p == ',') {
        const char *begin = ++p;
        while (*p && (*p != '\'' || *++p == '\''))
            p++;
        if ((size_t)(p - begin) == t.len + 1 && memcmp(begin, t.p, t.len) == 0)
            return true;
    }
    return false;
}

/* Which text is a member only the server's collation can say; but where none is, it takes a number for the place of
 * one (of a SET: for its bits), and says nothing. */
static bool is_place(const struct import_column *c, struct text_part t)
{
    while (t.len && t.p[t.len - 1] == ' ')
        t.len--;
    return is_number_to_server(t) && !is_member(c->members, t);
}

static const char *value_text(const struct import_style *s, const struct import_column *c, struct text_part t,
                              struct arena *arena, struct db_value *out)
{
    if (s->guard)
        t = unguard(t);
    if (c->max_chars && t.len > c->max_chars) {
        size_t chars = utf8_count(t.p, t.len);
        if (chars > c->max_chars)
            return arena_printf(arena, "has %zu characters, at most %llu may be", chars,
                                (unsigned long long)c->max_chars);
    }
    if (c->members && is_place(c, t))
        return "is no value that the column takes";
    *out = db_textn(t.p, t.len);
    return NULL;
}

static bool decode_hex(struct text_part t, char *out, size_t *len)
{
    *len = t.len / 2;
    for (size_t i = 0; i < *len; i++) {
        int high = hex_digit(t.p[2 * i]), low = hex_digit(t.p[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (char)(high << 4 | low);
    }
    return t.len % 2 == 0;
}

/* Strictly as it is written: whole groups of four, = at the end only. */
static bool decode_base64(struct text_part t, char *out, size_t *len)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t pad = 0;
    while (pad < 2 && pad < t.len && t.p[t.len - 1 - pad] == '=')
        pad++;
    *len = 0;
    if (t.len % 4)
        return false;
    for (size_t i = 0; i < t.len - pad; i++)
        if (!t.p[i] || !strchr(letters, t.p[i]))
            return false;
    int n = t.len ? EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)t.p, (int)t.len) : 0;
    if (n < 0)
        return false;
    *len = (size_t)n - pad;
    return true;
}

static const char *value_bytes(const struct import_style *s, const struct import_column *c, struct text_part t,
                               struct arena *arena, struct db_value *out)
{
    size_t len;
    char *bytes = arena_alloc(arena, t.len + 4);
    if (!(s->hex ? decode_hex(t, bytes, &len) : decode_base64(t, bytes, &len)))
        return s->hex ? "must be bytes in hexadecimal" : "must be bytes in base64";
    if (c->max_bytes && len > c->max_bytes)
        return arena_printf(arena, "has %zu bytes, at most %llu may be", len, (unsigned long long)c->max_bytes);
    *out = db_bytes(bytes, len);
    return NULL;
}

/* --- by the column's section in the configuration ------------------------------------------------------ */

static bool is_word(struct text_part t, const char *word)
{
    return strlen(word) == t.len && strncasecmp(t.p, word, t.len) == 0;
}

/* Yes and no as people write them. */
static bool read_boolean(struct text_part *t)
{
    static const char *const words[2][4] = {{"0", "no", "false", "off"}, {"1", "yes", "true", "on"}};
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < COUNT_OF(words[i]); k++)
            if (is_word(*t, words[i][k])) {
                *t = (struct text_part){words[i][0], 1};
                return true;
            }
    return false;
}

static const char *check_kind(const struct column_def *def, struct text_part *t)
{
    struct text_part whole, fraction, rest = *t;
    bool negative;
    uint64_t n;
    double d;
    switch ((enum column_kind)def->kind) {
    case COLUMN_INTEGER:
        return read_integer(*t, &negative, &n) ? NULL : "must be an integer";
    case COLUMN_NUMBER:
        return read_decimal(*t, &whole, &fraction) || read_number(*t, &d) ? NULL : "must be a number";
    case COLUMN_BOOLEAN:
        return read_boolean(t) ? NULL : "must be yes or no";
    case COLUMN_DATE:
        return take_date(&rest) && !rest.len ? NULL : "must be a date such as 2026-11-21";
    case COLUMN_DATETIME:
        return is_datetime(*t, 6) ? NULL : "must be a date and time such as 2026-11-21 09:30:00";
    case COLUMN_TIME:
        return is_time(*t, 6) ? NULL : "must be a time such as 09:30:00";
    case COLUMN_AUTO:
        break;
    }
    return NULL;
}

static bool is_among(const struct str_list *list, struct text_part t)
{
    for (size_t i = 0; i < list->count; i++)
        if (strlen(list->items[i]) == t.len && memcmp(list->items[i], t.p, t.len) == 0)
            return true;
    return false;
}

static const char *check_def(const struct column_def *def, struct text_part *t)
{
    const char *wrong = check_kind(def, t);
    if (!wrong && def->values.count && !is_among(&def->values, *t))
        wrong = "is none of the values that this column takes";
    return wrong;
}

static struct text_part trim(struct text_part t)
{
    while (t.len && (*t.p == ' ' || *t.p == '\t'))
        t.p++, t.len--;
    while (t.len && (t.p[t.len - 1] == ' ' || t.p[t.len - 1] == '\t'))
        t.len--;
    return t;
}

/* --- a field --------------------------------------------------------------------------------------------- */

static const char *convert(const struct import_style *s, const struct import_column *c, struct text_part t,
                           struct arena *arena, struct db_value *out)
{
    switch (c->kind) {
    case IMPORT_INTEGER:
        return value_integer(c, t, arena, out);
    case IMPORT_DECIMAL:
        return value_decimal(c, t, arena, out);
    case IMPORT_FLOAT:
        return value_float(c, t, out);
    case IMPORT_BIT:
        return value_bit(c, t, arena, out);
    case IMPORT_DATE:
        return value_date(t, out);
    case IMPORT_DATETIME:
        return value_datetime(c, t, arena, out);
    case IMPORT_TIME:
        return value_time(c, t, arena, out);
    case IMPORT_YEAR:
        return value_year(t, out);
    case IMPORT_BYTES:
        return value_bytes(s, c, t, arena, out);
    case IMPORT_JSON:
        *out = db_textn(t.p, t.len);
        return NULL;
    case IMPORT_TEXT:
        break;
    }
    return value_text(s, c, t, arena, out);
}

/* Whether the field stands for NULL. One in quotes does only where NULL itself is written in quotes. */
static bool is_null(const struct import_style *s, const struct csv_field *f)
{
    if (f->quoted)
        return s->null_len == f->len + 2 && s->null_text[0] == '"' && memcmp(s->null_text + 1, f->p, f->len) == 0;
    return !f->len || (f->len == s->null_len && memcmp(s->null_text, f->p, f->len) == 0);
}

static const char *fallback(const struct import_column *c, const char **text, struct db_value *out)
{
    *text = c->def ? c->def->default_text : NULL;
    *out = db_null();
    if (*text)
        return NULL;
    return c->nullable && !(c->def && c->def->required) ? NULL : "must have a value";
}

const char *import_value(const struct import_style *s, const struct import_column *c, const struct csv_field *f,
                         struct arena *arena, struct db_value *out)
{
    static const struct import_style bare = {0};
    struct text_part t;
    const char *text;
    if (f && !is_null(s, f)) {
        t = (struct text_part){f->p, f->len};
        if (f->escaped) {
            char *copy = arena_alloc(arena, f->len + 1);
            t = (struct text_part){copy, csv_unescape(f, copy)};
        }
        if (c->def && c->def->trim)
            t = trim(t);
    } else {
        const char *wrong = fallback(c, &text, out);
        if (!text)
            return wrong;
        t = (struct text_part){text, strlen(text)};
        s = c->kind == IMPORT_TEXT ? &bare : s;
    }
    const char *wrong = c->def ? check_def(c->def, &t) : NULL;
    return wrong ? wrong : convert(s, c, t, arena, out);
}
