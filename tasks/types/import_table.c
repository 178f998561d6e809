/* SPDX-License-Identifier: MIT */
/* import_table.c: reads the target table's columns and unique keys, and maps the file's header to them. */
#include "import_table.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "csv_read.h"

enum { COLUMNS_MAX = 4096, KEYS_MAX = 64, KEY_PARTS_MAX = 32 };

/* How each type's name in information_schema is read; types that are not here are TEXT. */
static const struct {
    const char *name;
    enum import_kind kind;
    unsigned size;
} type_names[] = {
    {"tinyint", IMPORT_INTEGER, 1},
    {"smallint", IMPORT_INTEGER, 2},
    {"mediumint", IMPORT_INTEGER, 3},
    {"int", IMPORT_INTEGER, 4},
    {"bigint", IMPORT_INTEGER, 8},
    {"decimal", IMPORT_DECIMAL, 0},
    {"float", IMPORT_FLOAT, 0},
    {"double", IMPORT_FLOAT, 0},
    {"bit", IMPORT_BIT, 0},
    {"date", IMPORT_DATE, 0},
    {"datetime", IMPORT_DATETIME, 0},
    {"timestamp", IMPORT_DATETIME, 0},
    {"time", IMPORT_TIME, 0},
    {"year", IMPORT_YEAR, 0},
    {"json", IMPORT_JSON, 0},
    {"binary", IMPORT_BYTES, 0},
    {"varbinary", IMPORT_BYTES, 0},
    {"tinyblob", IMPORT_BYTES, 0},
    {"blob", IMPORT_BYTES, 0},
    {"mediumblob", IMPORT_BYTES, 0},
    {"longblob", IMPORT_BYTES, 0},
    {"geometry", IMPORT_BYTES, 0},
    {"point", IMPORT_BYTES, 0},
    {"linestring", IMPORT_BYTES, 0},
    {"polygon", IMPORT_BYTES, 0},
    {"multipoint", IMPORT_BYTES, 0},
    {"multilinestring", IMPORT_BYTES, 0},
    {"multipolygon", IMPORT_BYTES, 0},
    {"geometrycollection", IMPORT_BYTES, 0},
    {"geomcollection", IMPORT_BYTES, 0},
};

static const char columns_sql[] =
    "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE = 'YES', COLUMN_DEFAULT IS NOT NULL, EXTRA,"
    " COALESCE(CHARACTER_MAXIMUM_LENGTH, 0), COALESCE(CHARACTER_OCTET_LENGTH, 0),"
    " COALESCE(NUMERIC_PRECISION, 0), COALESCE(NUMERIC_SCALE, 0), COALESCE(DATETIME_PRECISION, 0),"
    " COALESCE(GENERATION_EXPRESSION, '') <> ''"
    " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?"
    " ORDER BY ORDINAL_POSITION LIMIT ?";
static const char keys_sql[] =
    "SELECT INDEX_NAME, COLUMN_NAME, COALESCE(SUB_PART, 0) FROM information_schema.STATISTICS"
    " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ? AND NON_UNIQUE = 0"
    " ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX";
static const char engine_sql[] =
    "SELECT COALESCE(ENGINE, 'VIEW') FROM information_schema.TABLES"
    " WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?";

/* --- what the server says ------------------------------------------------------------------------ */

static bool has_word(const char *text, const char *word)
{
    return text && strcasestr(text, word);
}

/* Of "enum('a','b')" what is in the brackets, and behind them. */
static const char *read_members(const char *type, struct arena *arena)
{
    bool has = strncasecmp(type, "enum(", 5) == 0 || strncasecmp(type, "set(", 4) == 0;
    return has ? arena_strdup(arena, strchr(type, '(') + 1) : NULL;
}

static void read_column(struct db_stmt *r, struct arena *arena, struct import_column *c)
{
    const char *type = db_col_text(r, 1, NULL);
    bool counts = has_word(db_col_text(r, 5, NULL), "auto_increment");
    *c = (struct import_column){
        .name = arena_strdup(arena, db_col_text(r, 0, NULL)),
        .kind = IMPORT_TEXT,
        .is_unsigned = has_word(db_col_text(r, 2, NULL), "unsigned"),
        .nullable = db_col_int(r, 3) || counts,
        .optional = db_col_int(r, 3) || db_col_int(r, 4) || counts,
        .counts = counts,
        .taken = !db_col_int(r, 11),
        .members = read_members(db_col_text(r, 2, NULL), arena),
        .field = -1,
    };
    c->header = c->name;
    for (size_t i = 0; type && i < COUNT_OF(type_names); i++)
        if (strcasecmp(type_names[i].name, type) == 0) {
            c->kind = type_names[i].kind;
            c->size = type_names[i].size;
        }
    if (c->kind == IMPORT_DECIMAL || c->kind == IMPORT_BIT)
        c->size = (unsigned)db_col_uint(r, 8);
    c->scale = (unsigned)db_col_uint(r, c->kind == IMPORT_DECIMAL ? 9 : 10);
    c->max_chars = db_col_uint(r, 6);
    c->max_bytes = db_col_uint(r, 7);
}

static int read_columns(struct db *d, struct import_table *t, struct arena *arena, struct error *e)
{
    struct db_stmt *r = NULL;
    struct db_value params[] = {db_text(t->name), db_int(COLUMNS_MAX)};
    int64_t rc = db_prepare(d, columns_sql, &r, e);
    if (!rc)
        rc = db_run(r, params, COUNT_OF(params), e);
    if (rc > 0) {
        t->columns = arena_calloc(arena, (size_t)rc, sizeof *t->columns);
        while ((rc = db_next(r, e)) > 0)
            read_column(r, arena, &t->columns[t->count++]);
    }
    db_stmt_close(&r);
    return rc < 0 ? (int)rc : 0;
}

static int find_column(const struct import_table *t, const char *name)
{
    for (unsigned i = 0; name && i < t->count; i++)
        if (strcasecmp(t->columns[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* One more part of the last key. A part that is no column (MySQL's functional keys) spoils its key. */
static void add_part(struct import_table *t, struct import_key *key, bool *spoiled, int column, unsigned prefix)
{
    if (column < 0 || key->count == KEY_PARTS_MAX) {
        *spoiled = true;
        return;
    }
    const struct import_column *c = &t->columns[column];
    ((unsigned *)key->columns)[key->count] = (unsigned)column;
    ((unsigned *)key->prefix)[key->count++] = c->kind == IMPORT_TEXT || c->kind == IMPORT_BYTES ? prefix : 0;
}

static int read_keys(struct db *d, struct import_table *t, struct arena *arena, struct error *e)
{
    struct db_stmt *r = NULL;
    struct db_value params[] = {db_text(t->name)};
    bool spoiled = false;
    int64_t rc = db_prepare(d, keys_sql, &r, e);
    if (!rc)
        rc = db_run(r, params, COUNT_OF(params), e);
    t->keys = arena_calloc(arena, KEYS_MAX + 1, sizeof *t->keys);
    while (rc >= 0 && (rc = db_next(r, e)) > 0) {
        const char *name = db_col_text(r, 0, NULL);
        struct import_key *key = t->key_count ? &t->keys[t->key_count - 1] : NULL;
        if (!key || strcmp(key->name, name) != 0) {
            if (t->key_count && !spoiled && t->key_count == KEYS_MAX)
                break;
            t->key_count -= spoiled;
            spoiled = false;
            key = &t->keys[t->key_count++];
            key->name = arena_strdup(arena, name);
            key->count = 0;
            key->columns = arena_calloc(arena, KEY_PARTS_MAX, sizeof *key->columns);
            key->prefix = arena_calloc(arena, KEY_PARTS_MAX, sizeof *key->prefix);
        }
        add_part(t, key, &spoiled, find_column(t, db_col_text(r, 1, NULL)), (unsigned)db_col_uint(r, 2));
    }
    t->key_count -= spoiled;
    db_stmt_close(&r);
    return rc < 0 ? (int)rc : 0;
}

/* Only where a transaction can be rolled back is an import worth its name. */
static int check_engine(struct db *d, const struct import *m, struct error *e)
{
    struct db_stmt *r = NULL;
    struct db_value params[] = {db_text(m->def->table)};
    int64_t rc = db_prepare(d, engine_sql, &r, e);
    if (!rc)
        rc = db_run(r, params, COUNT_OF(params), e);
    if (rc >= 0)
        rc = db_next(r, e);
    if (rc == 0)
        rc = error_set(e, ERR_INVALID, "there is no table %s, or the account of source \"%s\" has no right to it",
                       m->def->table, m->target->name);
    else if (rc > 0)
        rc = strcasecmp(db_col_text(r, 0, NULL), "InnoDB") == 0
                 ? 0
                 : error_set(e, ERR_INVALID, "the table %s is no InnoDB table", m->def->table);
    db_stmt_close(&r);
    return (int)rc;
}

/* Puts the column sections of the configuration to the table's columns. */
static int apply_settings(struct import_table *t, const struct import_def *def, struct error *e)
{
    int owner = find_column(t, def->owner);
    if (owner < 0)
        return error_set(e, ERR_INVALID, "the table %s has no column %s for the owner", def->table, def->owner);
    t->owner = (unsigned)owner;
    for (unsigned i = 0; def->column_count && i < t->count; i++)
        t->columns[i].taken = false;
    for (size_t i = 0; i < def->column_count; i++) {
        const struct column_def *c = &def->columns[i];
        int at = find_column(t, c->name);
        if (at < 0)
            return error_set(e, ERR_INVALID, "the table %s has no column %s", def->table, c->name);
        t->columns[at].def = c;
        t->columns[at].header = c->header ? c->header : t->columns[at].name;
        t->columns[at].taken = true;
    }
    t->columns[owner].taken = false;
    return 0;
}

int import_table_read(struct db *d, const struct import *m, struct arena *arena, struct import_table *out,
                      struct error *e)
{
    *out = (struct import_table){.name = m->def->table};
    int rc = check_engine(d, m, e);
    if (!rc)
        rc = read_columns(d, out, arena, e);
    if (!rc)
        rc = read_keys(d, out, arena, e);
    return rc ? rc : apply_settings(out, m->def, e);
}

/* --- the file's header ------------------------------------------------------------------------------ */

/* The field's text, without spaces around it. */
static const char *header_text(const struct csv_field *f, struct arena *arena)
{
    char *text = arena_alloc(arena, f->len + 1);
    size_t len = csv_unescape(f, text);
    while (len && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    text[len] = '\0';
    while (*text == ' ' || *text == '\t')
        text++;
    return text;
}

/* Of the columns that may be filled: another one may have the name that the configuration gives to one of them. */
static int find_header(const struct import_table *t, const char *text)
{
    for (unsigned i = 0; i < t->count; i++)
        if (t->columns[i].taken && strcasecmp(t->columns[i].header, text) == 0)
            return (int)i;
    return -1;
}

static void complain(struct buf *out, const char *what, const char *name)
{
    if (out->len > 700)
        return;
    buf_adds(out, out->len ? "; " : "");
    buf_adds(out, what);
    buf_addc(out, ' ');
    buf_json_s(out, name);
}

/* What the file must have and has not. */
static void check_missing(const struct import_table *t, struct buf *faults)
{
    for (unsigned i = 0; i < t->count; i++) {
        const struct import_column *c = &t->columns[i];
        bool filled = c->field >= 0 || (c->def && c->def->default_text);
        if (c->taken && !filled && (!c->optional || (c->def && c->def->required)))
            complain(faults, "it has no column", c->header);
    }
}

/* Which columns are written. */
static void choose_written(struct import_table *t, struct arena *arena)
{
    t->written = arena_calloc(arena, t->count, sizeof *t->written);
    for (unsigned i = 0; i < t->count; i++) {
        const struct import_column *c = &t->columns[i];
        if (c->taken && (c->field >= 0 || (c->def && c->def->default_text)))
            t->written[t->written_count++] = i;
    }
    t->written[t->written_count++] = t->owner;
}

int import_table_map(struct import_table *t, const struct import *m, const struct csv_row *header,
                     struct arena *arena, struct error *e)
{
    struct buf faults = BUF_INIT;
    t->field_count = header->count;
    for (unsigned i = 0; i < header->count; i++) {
        const char *text = header_text(&header->fields[i], arena);
        int at = find_header(t, text);
        if (at < 0) {
            /* what the server or the import itself fills in may be there, and is passed over */
            bool known = find_column(t, text) >= 0 && (!m->def->column_count || find_column(t, text) == (int)t->owner);
            if (!known && !m->def->ignore_unknown)
                complain(&faults, "there is no column", text);
        } else if (t->columns[at].field >= 0) {
            complain(&faults, "twice there is column", text);
        } else {
            t->columns[at].field = (int)i;
        }
    }
    check_missing(t, &faults);
    choose_written(t, arena);
    int rc = 0;
    if (faults.len) {
        rc = error_set(e, ERR_INVALID, "the first row does not name the columns: %s", buf_str(&faults));
    } else if (t->written_count == 1) {
        rc = error_set(e, ERR_INVALID, "the first row names no column that can be filled");
    }
    buf_free(&faults);
    return rc;
}
