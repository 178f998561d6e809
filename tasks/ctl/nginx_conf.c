/* SPDX-License-Identifier: MIT */
/* nginx_conf.c: reads nginx's configuration by the rules of ngx_conf_read_token: words end at white space, ";" and
 * "{"; quotes hold everything; a "{" behind "$" is a variable's. */
#include "nginx_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

enum { WORDS_MAX = 4096, FILES_MAX = 2000, FILE_MAX = 16 << 20, INCLUDE_DEPTH_MAX = 16 };

struct scan {
    const char *file, *p, *end;
    int line;
    struct arena *arena;
};

bool nginx_is(const struct nginx_directive *d, const char *name)
{
    return d->count && strcmp(d->words[0], name) == 0;
}

const struct nginx_directive *nginx_child(const struct nginx_directive *d, const char *name)
{
    for (const struct nginx_directive *c = d->first; c; c = c->next)
        if (nginx_is(c, name))
            return c;
    return NULL;
}

const char *nginx_word(const struct nginx_directive *d, size_t at)
{
    return at < d->count ? d->words[at] : "";
}

/* --- words ---------------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void skip_blanks(struct scan *s)
{
    while (s->p < s->end && (is_blank(*s->p) || *s->p == '#')) {
        if (*s->p == '#')
            while (s->p < s->end && *s->p != '\n')
                s->p++;
        else
            s->line += *s->p++ == '\n';
    }
}

static int fault(const struct scan *s, int line, struct error *e, const char *what)
{
    return error_set(e, ERR_INVALID, "%s:%d: %s", s->file, line, what);
}

/* Adds what the backslash at s->p and the character behind it mean: most are themselves. s->p is then at the latter. */
static void read_escape(struct scan *s, struct buf *word)
{
    static const char known[] = "\"'\\trn", meant[] = "\"'\\\t\r\n";
    const char *at = memchr(known, *++s->p, sizeof known - 1);
    if (!at)
        buf_addc(word, '\\');
    buf_addc(word, at ? meant[at - known] : *s->p);
    s->line += *s->p == '\n';
}

static bool is_escape(const struct scan *s)
{
    return *s->p == '\\' && s->p + 1 < s->end;
}

static int read_quoted(struct scan *s, struct buf *word, struct error *e)
{
    int line = s->line;
    char quote = *s->p++;
    for (; s->p < s->end && *s->p != quote; s->p++) {
        if (is_escape(s)) {
            read_escape(s, word);
            continue;
        }
        s->line += *s->p == '\n';
        buf_addc(word, *s->p);
    }
    if (s->p == s->end)
        return fault(s, line, e, "the text in quotes that begins here has no end");
    s->p++;
    return 0;
}

static void read_plain(struct scan *s, struct buf *word)
{
    for (; s->p < s->end && !is_blank(*s->p) && *s->p != ';' && *s->p != '{'; s->p++) {
        if (is_escape(s)) {
            read_escape(s, word);
            continue;
        }
        if (*s->p == '$' && s->p + 1 < s->end && s->p[1] == '{')
            buf_addc(word, *s->p++);
        buf_addc(word, *s->p);
    }
}

static int read_word(struct scan *s, const char **out, struct error *e)
{
    struct buf word = BUF_INIT;
    int rc = 0;
    if (*s->p == '"' || *s->p == '\'')
        rc = read_quoted(s, &word, e);
    else
        read_plain(s, &word);
    if (!rc)
        *out = arena_strndup(s->arena, word.data ? word.data : "", word.len);
    buf_free(&word);
    return rc;
}

/* --- directives ------------------------------------------------------------------------------------- */

static struct nginx_directive *append(struct nginx_directive *parent, struct arena *arena)
{
    struct nginx_directive *d = arena_calloc(arena, 1, sizeof *d);
    d->parent = parent;
    if (parent->last)
        parent->last->next = d;
    else
        parent->first = d;
    parent->last = d;
    return d;
}

/* Lua's blocks are Lua. */
static bool is_foreign(const struct nginx_directive *d)
{
    static const char end[] = "_by_lua_block";
    size_t len = strlen(d->words[0]);
    return len >= sizeof end - 1 && strcmp(d->words[0] + len - (sizeof end - 1), end) == 0;
}

/* The end of the text in long brackets ("[[", "[=[" and so on) that begins at P; P where none does. */
static const char *skip_long(const char *p, const char *end)
{
    size_t level = 0, left = (size_t)(end - p);
    if (!left || *p != '[')
        return p;
    while (level + 1 < left && p[level + 1] == '=')
        level++;
    if (level + 1 == left || p[level + 1] != '[')
        return p;
    for (const char *q = p + level + 2; q < end; q++)
        if (*q == ']' && (size_t)(end - q) >= level + 2 && q[level + 1] == ']' && !memcmp(q + 1, p + 1, level))
            return q + level + 2;
    return end;
}

static const char *skip_lua_comment(const char *p, const char *end)
{
    const char *behind = skip_long(p + 2, end);
    if (behind == p + 2)
        while (behind < end && *behind != '\n')
            behind++;
    return behind;
}

static const char *skip_lua_quoted(const char *p, const char *end)
{
    char quote = *p++;
    while (p < end && *p != quote)
        p += *p == '\\' && p + 1 < end ? 2 : 1;
    return p < end ? p + 1 : end;
}

/* Passes over Lua's text, in which braces mean nothing in comments and strings (its manual, 3.1). */
static int skip_foreign(struct scan *s, struct error *e)
{
    int line = s->line;
    for (size_t depth = 1; s->p < s->end;) {
        const char *from = s->p;
        if (*from == '-' && s->p + 1 < s->end && from[1] == '-')
            s->p = skip_lua_comment(from, s->end);
        else if (*from == '"' || *from == '\'')
            s->p = skip_lua_quoted(from, s->end);
        else
            s->p = skip_long(from, s->end);
        if (s->p == from) {
            depth += *from == '{';
            depth -= *from == '}';
            s->p++;
        }
        for (const char *p = from; p < s->p; p++)
            s->line += *p == '\n';
        if (!depth)
            return 0;
    }
    return fault(s, line, e, "the block that begins here has no end");
}

/* Reads the words of one directive into D, up to ";" (block: "{"). */
static int read_words(struct scan *s, struct nginx_directive *d, struct error *e)
{
    const char *words[WORDS_MAX];
    for (;;) {
        skip_blanks(s);
        if (s->p == s->end)
            return fault(s, d->line, e, "the directive that begins here has no end");
        if (*s->p == ';' || *s->p == '{') {
            d->block = *s->p++ == '{';
            break;
        }
        if (*s->p == '}')
            return fault(s, s->line, e, "unexpected \"}\"");
        if (d->count == WORDS_MAX)
            return fault(s, d->line, e, "the directive has too many words");
        int rc = read_word(s, &words[d->count], e);
        if (rc)
            return rc;
        d->count++;
    }
    d->words = arena_calloc(s->arena, d->count + 1, sizeof *d->words);
    memcpy(d->words, words, d->count * sizeof *words);
    return d->count ? 0 : fault(s, d->line, e, "a directive has no name");
}

int nginx_conf_parse(const char *file, const char *text, size_t len, struct arena *arena,
                     struct nginx_directive *parent, struct error *e)
{
    struct scan s = {file, text, text + len, 1, arena};
    struct nginx_directive *at = parent;
    size_t depth = 0;
    for (;;) {
        skip_blanks(&s);
        if (s.p == s.end)
            return at == parent ? 0 : fault(&s, at->line, e, "the block that begins here has no end");
        if (*s.p == '}') {
            if (at == parent)
                return fault(&s, s.line, e, "unexpected \"}\"");
            at = at->parent;
            depth--;
            s.p++;
            continue;
        }
        struct nginx_directive *d = append(at, arena);
        d->file = file;
        d->line = s.line;
        int rc = read_words(&s, d, e);
        if (!rc && d->block && is_foreign(d))
            rc = skip_foreign(&s, e);
        else if (!rc && d->block && ++depth > NGINX_DEPTH_MAX)
            rc = fault(&s, d->line, e, "blocks stand too deep in each other");
        else if (!rc && d->block)
            at = d;
        if (rc)
            return rc;
    }
}

/* --- files -------------------------------------------------------------------------------------------- */

struct reading {
    const char *directory; /* of the main file */
    struct arena *arena;
    size_t files;
};

static int read_text(const char *path, struct buf *out, struct error *e)
{
    ssize_t n = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_errno(e, ERR_IO, "%s", path);
    do {
        buf_reserve(out, 65536);
        n = read(fd, out->data + out->len, 65536);
        out->len += n > 0 ? (size_t)n : 0;
    } while (n < 0 ? errno == EINTR : n > 0 && out->len <= FILE_MAX);
    int rc = n < 0 ? error_errno(e, ERR_IO, "%s", path) : 0;
    close(fd);
    return n > 0 ? error_set(e, ERR_LIMIT, "%s is too large", path) : rc;
}

static int read_file(struct reading *r, const char *path, struct nginx_directive *into, struct error *e)
{
    struct buf text = BUF_INIT;
    if (++r->files > FILES_MAX)
        return error_set(e, ERR_INVALID, "%s: more than %d files are included: do two include each other?", path,
                         FILES_MAX);
    int rc = read_text(path, &text, e);
    if (!rc)
        rc = nginx_conf_parse(arena_strdup(r->arena, path), text.data, text.len, r->arena, into, e);
    buf_free(&text);
    return rc;
}

static int expand(struct reading *r, struct nginx_directive *d, unsigned depth, struct error *e);

/* Puts what the include D names in its place behind *LINK, which is D's own. */
static int include(struct reading *r, struct nginx_directive *d, struct nginx_directive **link, unsigned depth,
                   struct error *e)
{
    const char *name = nginx_word(d, 1);
    const char *pattern = *name == '/' ? name : arena_printf(r->arena, "%s/%s", r->directory, name);
    struct nginx_directive *in = arena_calloc(r->arena, 1, sizeof *in);
    glob_t found = {0};
    int rc = 0;
    if (depth > INCLUDE_DEPTH_MAX)
        return error_set(e, ERR_INVALID, "%s:%d: files include each other too deep", d->file, d->line);
    int missing = glob(pattern, 0, NULL, &found);
    if (missing && !strpbrk(pattern, "*?["))
        rc = error_set(e, ERR_IO, "%s:%d: %s is not there", d->file, d->line, pattern);
    for (size_t i = 0; !missing && !rc && i < found.gl_pathc; i++)
        rc = read_file(r, found.gl_pathv[i], in, e);
    globfree(&found);
    if (!rc)
        rc = expand(r, in, depth + 1, e);
    for (struct nginx_directive *c = in->first; c; c = c->next)
        c->parent = d->parent;
    *link = in->first ? in->first : d->next;
    if (in->last)
        in->last->next = d->next;
    return rc;
}

static int expand(struct reading *r, struct nginx_directive *d, unsigned depth, struct error *e)
{
    int rc = 0;
    struct nginx_directive *last = NULL;
    for (struct nginx_directive **link = &d->first; *link && !rc;) {
        struct nginx_directive *c = *link, *next = c->next;
        if (nginx_is(c, "include") && !c->block) {
            rc = include(r, c, link, depth, e);
            while (*link && *link != next) {
                last = *link;
                link = &last->next;
            }
            continue;
        }
        rc = expand(r, c, depth, e);
        last = c;
        link = &c->next;
    }
    d->last = last;
    return rc;
}

int nginx_conf_read(const char *path, struct arena *arena, struct nginx_directive **root, struct error *e)
{
    const char *slash = strrchr(path, '/');
    struct reading r = {.arena = arena};
    r.directory = slash ? arena_strndup(arena, path, (size_t)(slash - path)) : ".";
    *root = arena_calloc(arena, 1, sizeof **root);
    int rc = read_file(&r, path, *root, e);
    return rc ? rc : expand(&r, *root, 0, e);
}
