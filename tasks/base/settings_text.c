/* SPDX-License-Identifier: MIT */
/* settings_text.c: prepares the configuration's text for libconfuse. It knows strings, comments and
 * braces, nothing of settings. */
#include <string.h>

#include "base/utf8.h"
#include "settings_impl.h"

struct scan {
    char *p;
    char *end;
    int line;
    int *open; /* the lines of the braces that are open; a list's is negative */
    size_t depth;
    struct section_lines *sections;
};

/* Moves behind the string that starts at s->p. False if it has no end. */
static bool skip_string(struct scan *s)
{
    char quote = *s->p++;
    for (; s->p < s->end; s->p++) {
        if (*s->p == '\n')
            s->line++;
        else if (*s->p == quote) {
            s->p++;
            return true;
        } else if (*s->p == '\\' && s->p + 1 < s->end) {
            s->p++;
            s->line += *s->p == '\n';
        }
    }
    return false;
}

/* Blanks the comment that starts at s->p, if there is one. False if it has no end. */
static bool blank_comment(struct scan *s, bool *found)
{
    bool slash = *s->p == '/' && s->p + 1 < s->end;
    bool block = slash && s->p[1] == '*';
    *found = *s->p == '#' || block || (slash && s->p[1] == '/');
    if (!*found)
        return true;
    if (!block) {
        while (s->p < s->end && *s->p != '\n')
            *s->p++ = ' ';
        return true;
    }
    memset(s->p, ' ', 2);
    for (s->p += 2; s->p < s->end; s->p++) {
        if (s->p + 1 < s->end && s->p[0] == '*' && s->p[1] == '/') {
            memset(s->p, ' ', 2);
            s->p += 2;
            return true;
        }
        if (*s->p == '\n')
            s->line++;
        else
            *s->p = ' ';
    }
    return false;
}

/* A brace behind an equals sign opens a list, any other one a section. */
static void take_brace(struct scan *s, char before)
{
    if (*s->p == '{') {
        s->open[s->depth++] = before == '=' ? -s->line : s->line;
    } else if (s->depth) {
        int line = s->open[--s->depth];
        if (line > 0)
            s->sections->lines[s->sections->count++] = line;
    }
}

/* Braces in the text, an upper bound for those outside strings. */
static size_t count_braces(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += text[i] == '{' || text[i] == '}';
    return n;
}

static int not_closed(const char *what, int line, int *where, struct error *e)
{
    *where = line;
    return error_set(e, ERR_INVALID, "the %s that begins here is not closed", what);
}

int settings_text_prepare(char *text, size_t len, struct arena *arena, struct section_lines *lines,
                          int *line, struct error *e)
{
    size_t valid = utf8_valid_prefix(text, len);
    const char *nul = memchr(text, '\0', len);
    if (valid < len || nul) {
        const char *bad = nul && (size_t)(nul - text) < valid ? nul : text + valid;
        *line = 1;
        for (const char *p = text; p < bad; p++)
            *line += *p == '\n';
        return error_set(e, ERR_INVALID, "%s: write the file as UTF-8 text",
                         bad == nul ? "a NUL byte" : "bytes that are not UTF-8");
    }

    size_t braces = count_braces(text, len);
    *lines = (struct section_lines){arena_calloc(arena, braces + 1, sizeof(int)), 0};
    struct scan s = {text, text + len, 1, arena_calloc(arena, braces + 1, sizeof(int)), 0, lines};
    char before = '\n'; /* the last byte that is not white space */
    while (s.p < s.end) {
        int start = s.line;
        bool comment;
        if (*s.p == '"' || *s.p == '\'') {
            before = *s.p;
            if (!skip_string(&s))
                return not_closed("string", start, line, e);
            continue;
        }
        if (!blank_comment(&s, &comment))
            return not_closed("comment", start, line, e);
        if (comment)
            continue;
        if (*s.p == '{' || *s.p == '}')
            take_brace(&s, before);
        if (*s.p == '\n')
            s.line++;
        else if (*s.p != ' ' && *s.p != '\t' && *s.p != '\r')
            before = *s.p;
        s.p++;
    }
    if (s.depth) {
        int open = s.open[s.depth - 1];
        return open < 0 ? not_closed("list", -open, line, e) : not_closed("section", open, line, e);
    }
    return 0;
}
