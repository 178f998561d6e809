/* SPDX-License-Identifier: MIT */
/* query.c: named parameters of a query into placeholders, by a small lexer. */
#include "task/query.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"

struct lexer {
    const char *text;
    const char *p;
    const char *end;
    struct arena *arena;
    struct query *query;
    struct error *error;
    struct buf out;
    const char *names[QUERY_PARAMS_MAX];
    bool began; /* the first word has been seen */
    bool ended; /* a semicolon has been seen */
};

static int fault(struct lexer *x, const char *at, const char *text)
{
    x->query->line = 1;
    for (const char *p = x->text; p < at; p++)
        x->query->line += *p == '\n';
    return error_set(x->error, ERR_INVALID, "%s", text);
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_name(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9');
}

/* Bytes of identifiers that a parameter's name must not be followed by. */
static bool is_foreign(char c)
{
    return c == '$' || (unsigned char)c >= 0x80;
}

static bool at(const struct lexer *x, const char *text)
{
    size_t len = strlen(text);
    return (size_t)(x->end - x->p) >= len && memcmp(x->p, text, len) == 0;
}

static void copy(struct lexer *x, size_t len)
{
    buf_add(&x->out, x->p, len);
    x->p += len;
}

/* '...', "..." or `...`; a doubled quote reads as two strings side by side, which comes to the
 * same. */
static int quoted(struct lexer *x)
{
    const char *start = x->p;
    char quote = *start;
    for (x->p++; x->p < x->end; x->p++) {
        if (*x->p == '\\' && quote != '`' && x->p + 1 < x->end) {
            x->p++;
        } else if (*x->p == quote) {
            x->p++;
            buf_add(&x->out, start, (size_t)(x->p - start));
            return 0;
        }
    }
    return fault(x, start, "a quote is not closed");
}

/* Two minus signs that no white space followed are operators; they would begin a comment where the
 * comment behind them is taken away. */
static int check_minus(struct lexer *x, const char *where)
{
    if (x->out.len < 2 || memcmp(x->out.data + x->out.len - 2, "--", 2) != 0)
        return 0;
    return fault(x, where, "-- in front of this would become a comment: put a space between them");
}

static void line_comment(struct lexer *x)
{
    while (x->p < x->end && *x->p != '\n')
        x->p++;
}

/* Comments become a space, so that none of them can swallow what is put behind the query. Optimizer
 * hints stay. */
static int block_comment(struct lexer *x)
{
    const char *start = x->p;
    bool hint = at(x, "/*+");
    if (at(x, "/*!") || at(x, "/*M!"))
        return fault(x, start, "an executable comment hides SQL from this check: write it openly");
    for (x->p += 2; !at(x, "*/"); x->p++)
        if (x->p == x->end)
            return fault(x, start, "a comment is not closed");
    x->p += 2;
    if (hint)
        buf_add(&x->out, start, (size_t)(x->p - start));
    else
        buf_addc(&x->out, ' ');
    return 0;
}

static int parameter(struct lexer *x)
{
    const char *start = x->p++, *name = x->p;
    while (x->p < x->end && is_name(*x->p))
        x->p++;
    size_t len = (size_t)(x->p - name);
    if (len > QUERY_NAME_MAX)
        return fault(x, start, "the name of a parameter is longer than 64 bytes");
    if (x->p < x->end && is_foreign(*x->p))
        return fault(x, start, "the name of a parameter is made of letters, digits and _");
    if (x->query->count == QUERY_PARAMS_MAX)
        return fault(x, start, "more than 1000 parameters");
    x->names[x->query->count++] = arena_strndup(x->arena, name, len);
    buf_addc(&x->out, '?');
    return 0;
}

static int word(struct lexer *x)
{
    size_t len = 0;
    while (x->p + len < x->end && (is_name(x->p[len]) || is_foreign(x->p[len])))
        len++;
    if (!x->began && !(len == 6 && strncasecmp(x->p, "select", 6) == 0) &&
        !(len == 4 && strncasecmp(x->p, "with", 4) == 0))
        return fault(x, x->p, "an export only reads: the query must begin with SELECT or WITH");
    x->began = true;
    copy(x, len);
    return 0;
}

/* The code that is no word, string, comment or parameter. */
static int other(struct lexer *x)
{
    char c = *x->p;
    if (c == '?')
        return fault(x, x->p, "a ? has no name: write a parameter, such as :since");
    if (c == ';') {
        x->ended = true;
        x->p++;
        return 0;
    }
    if (!x->began && c != '(')
        return fault(x, x->p, "an export only reads: the query must begin with SELECT or WITH");
    copy(x, at(x, "::") || at(x, ":=") ? 2 : 1);
    return 0;
}

static int token(struct lexer *x)
{
    char c = *x->p, next = x->p + 1 < x->end ? x->p[1] : '\0';
    char third = x->p + 2 < x->end ? x->p[2] : '\0';
    if (is_space(c)) {
        copy(x, 1);
        return 0;
    }
    /* MySQL takes -- for a comment only in front of white space or a control character */
    bool minus = c == '-' && next == '-' && ((unsigned char)third <= ' ' || third == 0x7f);
    bool block = c == '/' && next == '*';
    if (c == '#' || minus || block || c == ';') {
        int rc = check_minus(x, x->p);
        if (rc)
            return rc;
    }
    if (c == '#' || minus) {
        line_comment(x);
        return 0;
    }
    if (block)
        return block_comment(x);
    if (x->ended && c != ';')
        return fault(x, x->p, "there is more than one statement: an export has one query");
    if (x->began && (c == '\'' || c == '"' || c == '`'))
        return quoted(x);
    if (x->began && c == ':' && is_name_start(next))
        return parameter(x);
    if (is_name(c) || is_foreign(c))
        return word(x);
    return other(x);
}

int query_parse(const char *sql, size_t len, struct arena *arena, struct query *out,
                struct error *e)
{
    int rc = 0;
    *out = (struct query){0};
    struct lexer x = {.text = sql, .p = sql, .end = sql + len, .arena = arena, .query = out};
    x.error = e;
    const char *nul = memchr(sql, '\0', len);
    if (nul)
        rc = fault(&x, nul, "a NUL byte");
    while (!rc && x.p < x.end)
        rc = token(&x);
    if (!rc && !x.began)
        rc = fault(&x, x.end, "the query is empty");
    if (!rc) {
        while (x.out.len && is_space(x.out.data[x.out.len - 1]))
            x.out.len--;
        out->len = x.out.len;
        out->text = arena_strndup(arena, buf_str(&x.out), x.out.len);
        out->names = arena_alloc(arena, (out->count + 1) * sizeof *out->names);
        memcpy(out->names, x.names, out->count * sizeof *out->names);
    }
    buf_free(&x.out);
    return rc;
}

bool query_uses(const struct query *q, const char *name)
{
    for (size_t i = 0; i < q->count; i++)
        if (strcmp(q->names[i], name) == 0)
            return true;
    return false;
}
