/* SPDX-License-Identifier: MIT */
/* csv_read.c: one pass over the bytes by a machine of five states. The row being read is kept whole up to
 * its limit; behind that its bytes only move the machine. */
#include "csv_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

enum {
    CHUNK = 64 * 1024,
    HEAD = 1024, /* what is kept of a row that is too long */
    FIELDS_START = 32,
};

enum state {
    AT_START, /* of a field */
    PLAIN,
    QUOTED,
    QUOTE, /* within quotes, behind a quote: the end, or the first of two */
};

/* Offsets of a field in its row. */
struct span {
    size_t begin, end;
    bool quoted, escaped;
};

/* Invariant: data[at..len) is the present row and what has been read behind it; data[at] is byte OFFSET of
 * the file, less DROPPED bytes of the present row that were not kept. */
struct csv_reader {
    struct csv_rules rules;
    csv_source *source;
    void *context;
    char *data;
    size_t at, len, cap;
    uint64_t offset, dropped, line;
    bool eof;

    /* the present row */
    size_t pos;
    enum state state;
    enum csv_fault fault;
    bool skipping; /* too long: only its head is kept */
    bool cr;       /* within quotes, the last byte was CR */
    uint64_t quote_line; /* where the last field in quotes begins */
    struct span span;
    struct span *spans;
    unsigned count, span_cap;
    struct csv_field *fields;
    unsigned field_cap;
};

static const char *const fault_texts[] = {
    [CSV_GOOD] = "nothing is wrong",
    [CSV_TOO_LONG] = "the row is too long",
    [CSV_TOO_MANY] = "the row has too many fields",
    [CSV_BEHIND_QUOTE] = "there is text behind a closing quote",
    [CSV_UNCLOSED] = "a quote is opened and never closed",
    [CSV_NOT_UTF8] = "the row is not valid UTF-8",
};

const char *csv_fault_text(enum csv_fault fault)
{
    return fault_texts[fault];
}

struct csv_reader *csv_reader_create(const struct csv_rules *rules, csv_source *source, void *context,
                                     uint64_t offset, uint64_t line)
{
    struct csv_reader *r = xcalloc(1, sizeof *r);
    r->rules = *rules;
    r->source = source;
    r->context = context;
    r->offset = offset;
    r->line = line;
    return r;
}

void csv_reader_destroy(struct csv_reader **rp)
{
    struct csv_reader *r = *rp;
    if (!r)
        return;
    *rp = NULL;
    free(r->data);
    free(r->spans);
    free(r->fields);
    free(r);
}

/* --- bytes -------------------------------------------------------------------------------------- */

/* Moves the present row to the buffer's beginning; of a row that is too long only the head stays. */
static void compact(struct csv_reader *r)
{
    if (r->at) {
        memmove(r->data, r->data + r->at, r->len - r->at);
        r->len -= r->at;
        r->pos -= r->at;
        r->at = 0;
    }
    if (r->skipping && r->pos > HEAD) {
        memmove(r->data + HEAD, r->data + r->pos, r->len - r->pos);
        r->dropped += r->pos - HEAD;
        r->len -= r->pos - HEAD;
        r->pos = HEAD;
    }
}

/* Reads on: 1, 0 at the end of the file, or the source's error. */
static int fill(struct csv_reader *r, struct error *e)
{
    if (r->eof)
        return 0;
    compact(r);
    if (r->cap - r->len < CHUNK) {
        r->cap = r->cap + (r->cap > CHUNK ? r->cap : CHUNK);
        r->data = xrealloc(r->data, r->cap);
    }
    int n = r->source(r->context, r->data + r->len, CHUNK, e);
    if (n > 0)
        r->len += (size_t)n;
    r->eof = n == 0;
    return n > 0 ? 1 : n;
}

/* Passes over a byte order mark. */
static int begin_file(struct csv_reader *r, struct error *e)
{
    int rc = 1;
    while (r->len < 3 && rc > 0)
        rc = fill(r, e);
    if (rc < 0)
        return rc;
    if (r->len >= 2 && (memcmp(r->data, "\xff\xfe", 2) == 0 || memcmp(r->data, "\xfe\xff", 2) == 0))
        return error_set(e, ERR_INVALID, "the file is UTF-16: save it as CSV in UTF-8");
    if (r->len >= 3 && memcmp(r->data, "\xef\xbb\xbf", 3) == 0) {
        r->at = r->pos = 3;
        r->offset = 3;
    }
    return 0;
}

/* --- the machine ----------------------------------------------------------------------------------- */

static void blame(struct csv_reader *r, enum csv_fault fault)
{
    if (!r->fault)
        r->fault = fault;
}

static void end_field(struct csv_reader *r)
{
    struct span *s = &r->span;
    s->end = r->pos - r->at - (r->state == QUOTE ? 1 : 0);
    r->state = AT_START;
    if (r->skipping)
        return;
    if (r->count == r->rules.fields_max) {
        blame(r, CSV_TOO_MANY);
        return;
    }
    if (r->count == r->span_cap) {
        r->span_cap = r->span_cap ? 2 * r->span_cap : FIELDS_START;
        r->spans = xrealloc(r->spans, r->span_cap * sizeof *r->spans);
    }
    r->spans[r->count++] = *s;
}

static void begin_field(struct csv_reader *r, char c)
{
    bool quoted = c == '"';
    r->span = (struct span){.begin = r->pos - r->at + quoted, .quoted = quoted};
    r->state = quoted ? QUOTED : PLAIN;
    r->cr = false;
    r->quote_line = quoted ? r->line : r->quote_line;
    r->pos += quoted;
}

/* Over what can neither end the field nor count as a line. */
static void run_plain(struct csv_reader *r)
{
    const char delimiter = r->rules.delimiter;
    while (r->pos < r->len) {
        char c = r->data[r->pos];
        if (c == delimiter || c == '\n' || c == '\r')
            break;
        r->pos++;
    }
}

static void run_quoted(struct csv_reader *r)
{
    while (r->pos < r->len) {
        char c = r->data[r->pos++];
        if (c == '"') {
            r->state = QUOTE;
            break;
        }
        if (c == '\r' || (c == '\n' && !r->cr))
            r->line++;
        r->cr = c == '\r';
    }
}

/* Moves on over some of the bytes that are there. True at the row's end: pos is then at its line end. */
static bool step(struct csv_reader *r)
{
    char c = r->data[r->pos];
    switch (r->state) {
    case QUOTED:
        run_quoted(r);
        return false;
    case QUOTE:
        if (c == '"') {
            r->span.escaped = true;
            r->state = QUOTED;
            r->cr = false;
            r->pos++;
            return false;
        }
        if (c != r->rules.delimiter && c != '\n' && c != '\r') {
            blame(r, CSV_BEHIND_QUOTE);
            r->state = PLAIN;
            return false;
        }
        break;
    case AT_START:
        begin_field(r, c);
        return false;
    case PLAIN:
        run_plain(r);
        if (r->pos == r->len)
            return false;
        c = r->data[r->pos];
        break;
    }
    end_field(r);
    if (c != r->rules.delimiter)
        return true;
    r->pos++;
    return false;
}

/* Over the line end at pos: LF, CR LF or CR. */
static int end_line(struct csv_reader *r, struct error *e)
{
    int rc = 1;
    bool cr = r->data[r->pos++] == '\r';
    r->line++;
    if (cr && r->pos == r->len)
        rc = fill(r, e);
    if (cr && rc > 0 && r->data[r->pos] == '\n')
        r->pos++;
    return rc < 0 ? rc : 0;
}

/* --- a row ------------------------------------------------------------------------------------------ */

static void begin_row(struct csv_reader *r)
{
    r->at = r->pos;
    r->dropped = 0;
    r->state = AT_START;
    r->fault = CSV_GOOD;
    r->skipping = false;
    r->count = 0;
}

/* Reads up to the row's line end; *LENGTH is what is kept of it. */
static int read_row(struct csv_reader *r, size_t *length, struct error *e)
{
    for (;;) {
        if (r->pos == r->len) {
            int rc = fill(r, e);
            if (rc < 0)
                return rc;
            if (!rc) {
                if (r->state == QUOTED)
                    r->fault = CSV_UNCLOSED;
                if (r->state == AT_START) /* behind a delimiter, or nothing at all */
                    r->span = (struct span){.begin = r->pos - r->at};
                end_field(r);
                break;
            }
        }
        if (step(r))
            break;
        if (!r->skipping && r->pos - r->at > r->rules.row_max) {
            r->skipping = true;
            r->fault = CSV_TOO_LONG;
        }
    }
    *length = r->pos - r->at;
    if (!r->skipping && *length > r->rules.row_max) {
        r->skipping = true;
        r->fault = CSV_TOO_LONG;
    }
    if (r->skipping && *length > HEAD)
        *length = HEAD;
    return 0;
}

static void take_fields(struct csv_reader *r, struct csv_row *row)
{
    if (r->field_cap < r->span_cap) {
        r->field_cap = r->span_cap;
        r->fields = xrealloc(r->fields, r->field_cap * sizeof *r->fields);
    }
    for (unsigned i = 0; i < r->count; i++) {
        const struct span *s = &r->spans[i];
        r->fields[i] = (struct csv_field){r->data + r->at + s->begin, s->end - s->begin, s->quoted, s->escaped};
    }
    row->fields = r->fields;
    row->count = r->count;
}

int csv_reader_next(struct csv_reader *r, struct csv_row *row, struct error *e)
{
    int rc = 0;
    size_t length = 0;
    if (!r->offset && !r->data)
        rc = begin_file(r, e);
    begin_row(r);
    row->line = r->line;
    if (!rc && r->pos == r->len) {
        rc = fill(r, e);
        if (rc == 0)
            return 0;
        rc = rc < 0 ? rc : 0;
    }
    if (!rc)
        rc = read_row(r, &length, e);
    if (!rc && r->pos < r->len)
        rc = end_line(r, e);
    if (rc)
        return rc;
    row->text = r->data + r->at;
    row->len = length;
    if (!r->fault && utf8_valid_prefix(row->text, length) != length)
        r->fault = CSV_NOT_UTF8;
    row->fault = r->fault;
    row->quote_line = r->quote_line;
    r->count = r->fault ? 0 : r->count;
    take_fields(r, row);
    r->offset += r->dropped + (r->pos - r->at);
    row->end = r->offset;
    row->next_line = r->line;
    return 1;
}

size_t csv_unescape(const struct csv_field *f, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < f->len; i++) {
        out[n++] = f->p[i];
        i += f->escaped && f->p[i] == '"';
    }
    return n;
}
