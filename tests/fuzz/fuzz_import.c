/* SPDX-License-Identifier: MIT */
/* fuzz_import.c: any bytes as a field for a column of any type: refused with a reason, or a value that the column
 * can hold; what an export writes of a text is read as that text. */
#include <string.h>

#include "fuzz.h"
#include "tasks/types/csv_cell.h"
#include "tasks/types/import_value.h"

enum { SIZE_MAX_TRIED = 600 };

static const struct column_def defs[] = {
    {.kind = COLUMN_INTEGER, .trim = true}, {.kind = COLUMN_NUMBER},   {.kind = COLUMN_BOOLEAN, .trim = true},
    {.kind = COLUMN_DATE},                  {.kind = COLUMN_DATETIME}, {.kind = COLUMN_TIME},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void check_value(const struct import_column *c, const struct csv_field *f, const struct db_value *v)
{
    const char *p = f->p;
    switch (v->kind) {
    case DB_INT:
        PROMISE(c->kind == IMPORT_INTEGER && !c->is_unsigned);
        PROMISE(c->size == 8 || (v->i >= -(INT64_C(1) << (8 * c->size - 1)) && v->i < INT64_C(1) << (8 * c->size - 1)));
        break;
    case DB_UINT:
        PROMISE(c->kind == IMPORT_YEAR ? v->u <= 2155 : c->kind == IMPORT_BIT ? v->u >> c->size == 0 : c->is_unsigned);
        break;
    case DB_BYTES:
        PROMISE(c->kind == IMPORT_BYTES && v->s.len <= c->max_bytes);
        break;
    case DB_TEXT: /* a part of the field, or a copy that is no longer */
        PROMISE(v->s.len <= f->len || c->def);
        PROMISE(!c->members || c->kind != IMPORT_TEXT || v->s.len != 1 || *v->s.p == '1' || !is_digit(*v->s.p));
        PROMISE(f->escaped || c->def || (v->s.p >= p && v->s.p + v->s.len <= p + f->len));
        break;
    default:
        PROMISE(v->kind == DB_NULL && c->nullable);
    }
}

/* Out and in again. */
static void there_and_back(const char *text, size_t len, bool guard, struct arena *arena)
{
    static const struct import_column any = {.kind = IMPORT_TEXT, .nullable = true};
    struct csv_style out = {.guard = guard};
    struct import_style in = {.guard = guard};
    char *cell = arena_alloc(arena, csv_room(&out, len));
    size_t n = (size_t)(csv_cell(cell, &out, CELL_TEXT, text, len) - cell);
    struct csv_field f = {cell, n, false, false};
    if (cell[0] == '"')
        f = (struct csv_field){cell + 1, n - 2, true, memchr(cell + 1, '"', n - 2) != NULL};
    struct db_value v;
    PROMISE(!import_value(&in, &any, &f, arena, &v));
    PROMISE(v.kind == DB_TEXT && v.s.len == len && memcmp(v.s.p, text, len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const unsigned sizes[] = {1, 2, 3, 4, 8};
    if (size < 4 || size > SIZE_MAX_TRIED)
        return 0;
    struct import_column c = {
        .kind = (enum import_kind)(data[0] % (IMPORT_BYTES + 1)),
        .is_unsigned = data[1] & 1,
        .nullable = data[1] & 2,
        .def = data[1] & 4 ? &defs[data[2] % COUNT_OF(defs)] : NULL,
        .scale = data[2] % 7,
        .max_chars = data[3],
        .max_bytes = data[3] + 1u,
        .members = data[1] & 64 ? "'a','1','x''2'',''3')" : NULL,
    };
    c.size = c.kind == IMPORT_INTEGER ? sizes[data[3] % COUNT_OF(sizes)] : 7u + data[3] % 57u;
    struct import_style style = {.guard = data[1] & 8, .hex = data[1] & 16, .null_text = "NULL", .null_len = 4};
    struct csv_field f = {(const char *)data + 4, size - 4, data[1] & 32, false};
    struct arena *arena = arena_create();
    struct db_value v = {.kind = DB_INSTANT};
    const char *wrong = import_value(&style, &c, &f, arena, &v);
    if (wrong)
        PROMISE(*wrong);
    else
        check_value(&c, &f, &v);
    there_and_back(f.p, f.len, data[1] & 8, arena);
    arena_destroy(&arena);
    return 0;
}
