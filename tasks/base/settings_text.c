/* SPDX-License-Identifier: MIT */
/* settings_text.c: prepares the configuration's text for libconfuse. It knows strings, comments and
 * braces, nothing of settings. */
#include <string.h>

#include "base/utf8.h"
#include "settings_impl.h"

struct scan {
    const char *begin;
    char *p;
    char *end;
    int line;
    int *open; /* the lines of the braces that are open; a list's is negative */
    size_t depth;
    struct text_lines *lines;
    int *fault_line;
    struct error *e;
};

static int not_closed(const struct scan *s, const char *what, int line)
{
    *s->fault_line = line;
    return error_set(s->e, ERR_INVALID, "the %s that begins here is not closed", what);
}

static int fault(const struct scan *s, const char *what)
{
    *s->fault_line = s->line;
    return error_set(s->e, ERR_INVALID, "%s", what);
}

/* Whether libconfuse takes C for a part of a text without quotes. */
static bool is_plain(char c)
{
    return !strchr(" \t\r\n#\"'={}()+,*", c);
}

/* Whether a text without quotes goes on at s->p. */
static bool within_text(const struct scan *s)
{
    return s->p > s->begin && is_plain(s->p[-1]);
}

static bool at_variable(const struct scan *s)
{
    return s->p[0] == '$' && s->p[1] == '{';
}

/* Moves behind the ${VARIABLE} at s->p. libconfuse takes all up to the brace for its name, quotes too, and does not
 * count lines there. */
static int skip_variable(struct scan *s)
{
    size_t len = strcspn(s->p, "}\n");
    if (s->p[len] != '}')
        return fault(s, "the ${ that begins here is not closed in its line: write ${VARIABLE}, or \\${ in double "
                        "quotes for the signs themselves");
    s->p += len + 1;
    return 0;
}

/* Whether the backslash at P, within double quotes, makes a NUL byte, where libconfuse's text would end. */
static bool makes_nul(const char *p)
{
    bool hex = p[1] == 'x';
    p += hex ? 2 : 1;
    size_t most = hex ? 2 : 3, digits = strspn(p, hex ? "0123456789abcdefABCDEF" : "01234567");
    return digits && strspn(p, "0") >= (digits < most ? digits : most);
}

/* Moves behind the string that starts at s->p. */
static int skip_string(struct scan *s)
{
    int first = s->line;
    char quote = *s->p++;
    bool with_escapes = quote == '"';
    while (s->p < s->end && *s->p != quote) {
        if (with_escapes && at_variable(s)) {
            int rc = skip_variable(s);
            if (rc)
                return rc;
            continue;
        }
        if (with_escapes && *s->p == '\\' && makes_nul(s->p))
            return fault(s, "an escape makes a NUL byte, which no text may hold: take it away");
        if (*s->p == '\\' && s->p + 1 < s->end)
            s->p++;
        s->line += *s->p++ == '\n';
    }
    if (s->p == s->end)
        return not_closed(s, "string", first);
    s->p++;
    if (s->line > first)
        s->lines->strings[s->line] = first;
    return 0;
}

static bool at_comment(const struct scan *s)
{
    bool slash = s->p[0] == '/';
    return s->p[0] == '#' || (slash && s->p[1] == '*') || (slash && s->p[1] == '/' && !within_text(s));
}

/* Blanks the comment that starts at s->p. */
static int blank_comment(struct scan *s)
{
    int first = s->line;
    if (*s->p == '#' || s->p[1] != '*') {
        while (s->p < s->end && *s->p != '\n')
            *s->p++ = ' ';
        return 0;
    }
    if (within_text(s))
        return fault(s, "/* follows a text without quotes: put the text in quotes, or a space before a comment");
    memset(s->p, ' ', 2);
    for (s->p += 2; s->p < s->end; s->p++) {
        if (s->p[0] == '*' && s->p[1] == '/') {
            memset(s->p, ' ', 2);
            s->p += 2;
            return 0;
        }
        if (*s->p == '\n')
            s->line++;
        else
            *s->p = ' ';
    }
    return not_closed(s, "comment", first);
}

/* A brace behind an equals sign opens a list, any other one a section. */
static void take_brace(struct scan *s, char before)
{
    if (*s->p == '{') {
        s->open[s->depth++] = before == '=' ? -s->line : s->line;
    } else if (s->depth) {
        int line = s->open[--s->depth];
        if (line > 0)
            s->lines->sections[s->lines->section_count++] = line;
    }
}

/* How often C is in the text, an upper bound for how often it is so outside strings. */
static size_t count_bytes(const char *text, size_t len, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += text[i] == c;
    return n;
}

/* Takes what stands at s->p outside strings, comments and variables. */
static int take_byte(struct scan *s, char before)
{
    char c = *s->p;
    if (c == '*' || (c == '+' && s->p[1] != '='))
        return fault(s, c == '*' ? "* stands outside quotes: put the whole text in quotes"
                                 : "+ stands outside quotes: put the whole text in quotes");
    if (c == '{' || c == '}')
        take_brace(s, before);
    s->line += c == '\n';
    s->p++;
    return 0;
}

int settings_text_prepare(char *text, size_t len, struct arena *arena, struct text_lines *lines,
                          int *line, struct error *e)
{
    size_t valid = utf8_valid_prefix(text, len);
    const char *nul = memchr(text, '\0', len);
    if (valid < len || nul) {
        const char *bad = nul && (size_t)(nul - text) < valid ? nul : text + valid;
        *line = 1 + (int)count_bytes(text, (size_t)(bad - text), '\n');
        return error_set(e, ERR_INVALID, "%s: write the file as UTF-8 text",
                         bad == nul ? "a NUL byte" : "bytes that are not UTF-8");
    }

    static const char mark[] = "\xef\xbb\xbf"; /* of Unicode, which some editors put first */
    if (strncmp(text, mark, sizeof mark - 1) == 0)
        memset(text, ' ', sizeof mark - 1);
    size_t open = count_bytes(text, len, '{'), string_count = count_bytes(text, len, '\n') + 2;
    *lines = (struct text_lines){.sections = arena_calloc(arena, open + 1, sizeof(int)),
                                 .strings = arena_calloc(arena, string_count, sizeof(int)),
                                 .string_count = string_count};
    struct scan s = {.begin = text, .p = text, .end = text + len, .line = 1, .lines = lines,
                     .open = arena_calloc(arena, open + 1, sizeof(int)), .fault_line = line, .e = e};
    char before = '\n'; /* the last byte that is not white space */
    while (s.p < s.end) {
        bool comment = at_comment(&s);
        char c = *s.p;
        int rc = comment ? blank_comment(&s)
                 : c == '"' || c == '\'' ? skip_string(&s)
                 : at_variable(&s) && !within_text(&s) ? skip_variable(&s)
                 : take_byte(&s, before);
        if (rc)
            return rc;
        if (!comment && !strchr(" \t\r\n", c))
            before = c;
    }
    if (s.depth) {
        int first = s.open[s.depth - 1];
        return first < 0 ? not_closed(&s, "list", -first) : not_closed(&s, "section", first);
    }
    return 0;
}
