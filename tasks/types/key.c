/* SPDX-License-Identifier: MIT */
/* key.c: checks, remembers and hands out the key of the last row. */
#include "key.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

enum {
    KEY_BYTES_MAX = 3072, /* the longest key of an InnoDB index */
    SORT_BYTES = 1024,    /* max_sort_length where nobody changed it */
    PART_START = 64,      /* bytes kept ready for a value */
};

static const struct db_column *find(const char *name, const struct db_column *columns,
                                    unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (strcmp(columns[i].name, name) == 0)
            return &columns[i];
    for (unsigned i = 0; i < count; i++) /* names of columns know no case */
        if (strcasecmp(columns[i].name, name) == 0)
            return &columns[i];
    return NULL;
}

/* Why a column cannot be a key; NULL where it can. */
static const char *unfit(const struct db_column *c)
{
    if (c->is_enum)
        return "ENUM and SET are sorted by number but compared as text";
    switch (c->type) {
    case DB_TYPE_FLOAT:
    case DB_TYPE_DOUBLE:
        return "FLOAT and DOUBLE have no exact text";
    case DB_TYPE_JSON:
        return "JSON has no order";
    case DB_TYPE_NULL:
        return "it is always NULL";
    case DB_TYPE_TEXT:
    case DB_TYPE_BYTES:
        return c->max_bytes > KEY_BYTES_MAX ? "its values may be too long" : NULL;
    case DB_TYPE_INTEGER:
    case DB_TYPE_DECIMAL:
    case DB_TYPE_DATE:
    case DB_TYPE_TIME:
    case DB_TYPE_DATETIME:
    case DB_TYPE_YEAR:
    case DB_TYPE_BIT:
        return NULL;
    }
    return "its type is not known";
}

int key_init(struct key *k, const struct str_list *names, const struct db_column *columns,
             unsigned count, struct error *e)
{
    if (names->count > KEY_PARTS_MAX)
        return error_set(e, ERR_INVALID, "the key has more than %d columns", KEY_PARTS_MAX);
    for (size_t i = 0; i < names->count; i++) {
        const struct db_column *c = find(names->items[i], columns, count);
        if (!c)
            return error_set(e, ERR_INVALID, "the key column \"%s\" is not in the result",
                             names->items[i]);
        const char *why = unfit(c);
        if (why)
            return error_set(e, ERR_INVALID, "column \"%s\" cannot be a key: %s", c->name, why);
        struct key_part *p = &k->parts[k->count++];
        p->column = (unsigned)(c - columns);
        p->type = c;
        p->last_cap = PART_START;
        p->last = xmalloc(p->last_cap);
        bool is_string = c->type == DB_TYPE_TEXT || c->type == DB_TYPE_BYTES;
        k->has_text |= c->type == DB_TYPE_TEXT;
        k->has_instant |= c->is_timestamp;
        k->is_wide |= is_string && c->max_bytes > SORT_BYTES;
    }
    return 0;
}

void key_free(struct key *k)
{
    for (unsigned i = 0; i < k->count; i++)
        free(k->parts[i].last);
    *k = (struct key){0};
}

enum key_state key_check(const struct key *k, char *const *values, const unsigned long *lengths)
{
    bool same = k->has_last;
    for (unsigned i = k->count; i-- > 0;) { /* the last part differs most often */
        const struct key_part *p = &k->parts[i];
        if (!values[p->column])
            return KEY_HAS_NULL;
        same = same && lengths[p->column] == p->last_len &&
               memcmp(values[p->column], p->last, p->last_len) == 0;
    }
    return same ? KEY_SAME : KEY_NEW;
}

static void store_part(struct key_part *p, const char *value, size_t len)
{
    if (len >= p->last_cap) {
        p->last_cap = 2 * len;
        p->last = xrealloc(p->last, p->last_cap);
    }
    memcpy(p->last, value, len);
    p->last[len] = '\0';
    p->last_len = len;
}

void key_store(struct key *k, char *const *values, const unsigned long *lengths)
{
    k->has_last = true;
    for (unsigned i = 0; i < k->count; i++) {
        struct key_part *p = &k->parts[i];
        store_part(p, values[p->column], lengths[p->column]);
    }
}

unsigned key_save(const struct key *k, struct checkpoint_bytes *out)
{
    for (unsigned i = 0; i < k->count; i++)
        out[i] = (struct checkpoint_bytes){k->parts[i].last, k->parts[i].last_len};
    return k->count;
}

bool key_restore(struct key *k, const struct checkpoint_bytes *parts, unsigned count)
{
    if (count != k->count)
        return false;
    for (unsigned i = 0; i < count; i++)
        store_part(&k->parts[i], parts[i].p, parts[i].len);
    k->has_last = true;
    return true;
}

/* The value with the type that it has on the server. */
static struct db_value part_value(const struct key_part *p)
{
    switch (p->type->type) {
    case DB_TYPE_INTEGER:
    case DB_TYPE_YEAR:
        return p->type->is_unsigned ? db_uint(strtoull(p->last, NULL, 10))
                                    : db_int(strtoll(p->last, NULL, 10));
    case DB_TYPE_BIT: {
        uint64_t n = 0;
        for (size_t i = 0; i < p->last_len; i++)
            n = n << 8 | (unsigned char)p->last[i];
        return db_uint(n);
    }
    case DB_TYPE_DECIMAL:
        return (struct db_value){.kind = DB_DECIMAL, .s = {p->last, p->last_len}};
    case DB_TYPE_BYTES:
        return db_bytes(p->last, p->last_len);
    default:
        return db_textn(p->last, p->last_len);
    }
}

unsigned key_after(const struct key *k, struct db_value *out)
{
    unsigned n = 0;
    if (k->count > 1)
        out[n++] = part_value(&k->parts[0]);
    for (unsigned i = 0; i < k->count; i++) {
        out[n++] = part_value(&k->parts[i]);
        if (i < k->count - 1) {
            out[n] = out[n - 1];
            n++;
        }
    }
    return n;
}

unsigned key_equal(const struct key *k, struct db_value *out)
{
    for (unsigned i = 0; i < k->count; i++)
        out[i] = part_value(&k->parts[i]);
    return k->count;
}

bool key_is_integer(const struct key *k)
{
    return k->count == 1 && k->parts[0].type->type == DB_TYPE_INTEGER;
}

uint64_t key_place_of(const struct key *k, const char *text)
{
    if (k->parts[0].type->is_unsigned)
        return strtoull(text, NULL, 10);
    return (uint64_t)strtoll(text, NULL, 10) ^ UINT64_C(1) << 63; /* the least is 0 */
}

uint64_t key_place(const struct key *k)
{
    return key_place_of(k, k->parts[0].last);
}

struct db_value key_value_at(const struct key *k, uint64_t place)
{
    return k->parts[0].type->is_unsigned ? db_uint(place) : db_int((int64_t)(place ^ UINT64_C(1) << 63));
}
