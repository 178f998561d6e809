/* SPDX-License-Identifier: MIT */
/* settings_parse.c: the configuration's text into structs, by libconfuse. libconfuse gets every
 * option as text, so that values, ranges and messages are ours and carry their line. */
#include <confuse.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "settings_impl.h"

/* Where an option or a section stands in the file. */
struct place {
    const void *what; /* a cfg_opt_t or the cfg_t of a section */
    int line, last;   /* where it begins and, of an option, where its first value ends */
    unsigned words;   /* of a list so far */
};

/* What libconfuse's callbacks need. It has no user pointer, so every section carries one in a
 * hidden first option. */
struct parse {
    struct settings *settings;
    struct settings_report *report;
    struct place *places;
    size_t place_count, place_cap;
    struct text_lines lines;
    size_t sections_closed;
};

static struct parse *parse_of(cfg_t *cfg)
{
    return (struct parse *)cfg->opts[0].simple_value.ptr;
}

static void add_place(struct parse *p, const void *what, int line, int last)
{
    if (p->place_count == p->place_cap) {
        p->place_cap = p->place_cap ? 2 * p->place_cap : 64;
        p->places = xrealloc(p->places, p->place_cap * sizeof *p->places);
    }
    p->places[p->place_count++] = (struct place){.what = what, .line = line, .last = last};
}

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->what != y->what)
        return x->what < y->what ? -1 : 1;
    return x->line - y->line;
}

/* Where WHAT stands first; a place with line 0 if it does not. */
static struct place find_place(const struct parse *p, const void *what)
{
    size_t low = 0, high = p->place_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->places[middle].what < what)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->place_count && p->places[low].what == what ? p->places[low] : (struct place){0};
}

/* --- messages --------------------------------------------------------------------------------- */

/* What to do about libconfuse's own messages, by how they begin. */
static const struct {
    const char *begins;
    const char *remedy;
} remedies[] = {
    {"unexpected token", "a setting is written name = value, a list name = {value, value}, and a "
                         "text with spaces in quotes"},
    {"premature end of file", "something before it is not complete"},
    {"missing equal sign", "write name = value"},
    {"missing opening brace", "write the section as name { ... }"},
    {"missing title", "write the section as name \"title\" { ... }"},
    {"found duplicate title", "give each section a name of its own"},
    {"unexpected closing brace", "take it away, or open a section before it"},
    {"attempt to append", "write = instead of +="},
};

/* The number of changed, missing or added letters between A and B, as far as it is at most 2. */
static int distance(const char *a, const char *b, int budget)
{
    while (*a && *a == *b)
        a++, b++;
    if (!*a && !*b)
        return 0;
    if (!budget)
        return 1;
    int best = budget;
    if (*a && *b)
        best = distance(a + 1, b + 1, budget - 1);
    int other = *a ? distance(a + 1, b, budget - 1) : budget;
    best = other < best ? other : best;
    other = *b ? distance(a, b + 1, budget - 1) : budget;
    return 1 + (other < best ? other : best);
}

/* "5 s" is a number and then a word of its own. */
static bool is_unit(const char *name)
{
    static const char *const units[] = {"ms", "s", "sec", "secs", "second", "seconds", "m", "min", "mins", "minute",
                                        "minutes", "h", "hour", "hours", "d", "day", "days", "B", "KB", "MB", "GB",
                                        "KiB", "MiB", "GiB"};
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (strcmp(units[i], name) == 0)
            return true;
    return false;
}

/* Limits of tasks are looked for where the tasks are described. */
static bool is_of_types(const char *name)
{
    const struct section_row *types = setting_section("type");
    for (size_t i = 0; i < types->row_count; i++)
        if (strcmp(types->rows[i].name, name) == 0)
            return true;
    return false;
}

static void unknown_name(cfg_t *cfg, const char *name)
{
    struct parse *p = parse_of(cfg);
    bool root = strcmp(cfg->name, "root") == 0;
    if (!root && is_unit(name)) {
        settings_error(p->report, p->settings->path, cfg->line,
                       "\"%s\" is no setting: write a number and its unit as one word, such as 5s or 64KiB", name);
        return;
    }
    if (cfg_title(cfg) && is_of_types(name)) {
        settings_error(p->report, p->settings->path, cfg->line,
                       "%s is no setting of section %s: write it into a section type, whose name is the task type",
                       name, cfg->name);
        return;
    }
    const char *close = NULL;
    struct buf all = BUF_INIT;
    char what[80] = "section";
    if (!root)
        snprintf(what, sizeof what, "setting in section %s called", cfg->name);
    for (cfg_opt_t *opt = cfg->opts + 1; opt->name; opt++) {
        if (!close && distance(name, opt->name, 2) <= 2)
            close = opt->name;
        buf_addf(&all, "%s%s", all.len ? ", " : "", opt->name);
    }
    if (root)
        buf_adds(&all, "; settings stand inside these sections");
    if (close)
        settings_error(p->report, p->settings->path, cfg->line,
                       "there is no %s \"%.60s\": did you mean %s?", what, name, close);
    else
        settings_error(p->report, p->settings->path, cfg->line,
                       "there is no %s \"%.60s\": known are %s", what, name, buf_str(&all));
    buf_free(&all);
}

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
    static const char unknown[] = "no such option '";
    struct parse *p = parse_of(cfg);
    char text[300];
    vsnprintf(text, sizeof text, fmt, ap);
    if (strncmp(text, unknown, sizeof unknown - 1) == 0) {
        char *name = text + sizeof unknown - 1;
        name[strcspn(name, "'")] = '\0';
        unknown_name(cfg, name);
        return;
    }
    const char *remedy = "see backdesk.conf(5)";
    for (size_t i = 0; i < COUNT_OF(remedies); i++)
        if (strncmp(text, remedies[i].begins, strlen(remedies[i].begins)) == 0)
            remedy = remedies[i].remedy;
    settings_error(p->report, p->settings->path, cfg->line, "%s: %s", text, remedy);
}

/* --- while libconfuse reads ------------------------------------------------------------------- */

/* Whether a list that had PLACE's number of words is being written once more: it grows word by word,
 * stays the same at its end, and begins anew where it is set again. */
static bool begins_anew(struct place *place, unsigned words)
{
    bool anew = words < place->words;
    place->words = anew || words > place->words ? words : UINT_MAX; /* UINT_MAX: it has ended */
    return anew;
}

/* Where the value begins that ends at LAST: of those that end there, only the first may have begun on a line before. */
static int first_line(struct parse *p, int last)
{
    bool known = last > 0 && (size_t)last < p->lines.string_count;
    int first = known ? p->lines.strings[last] : 0;
    if (first)
        p->lines.strings[last] = 0;
    return first ? first : last;
}

/* Called after each value (of a list: after each word and at its end). */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
    struct parse *p = parse_of(cfg);
    bool list = opt->flags & CFGF_LIST;
    int first = first_line(p, cfg->line);
    for (size_t i = 0; i < p->place_count; i++) {
        if (p->places[i].what != opt)
            continue;
        if (!list || begins_anew(&p->places[i], cfg_opt_size(opt)))
            settings_error(p->report, p->settings->path, first,
                           "%s %s is set a second time, first in line %d: keep one of them",
                           cfg->name, opt->name, p->places[i].line);
        return 0;
    }
    add_place(p, opt, first, cfg->line);
    p->places[p->place_count - 1].words = cfg_opt_size(opt) ? cfg_opt_size(opt) : UINT_MAX;
    return 0;
}

/* Escapes and ${VARIABLE} may have brought in bytes that the file itself must not have. */
static bool is_utf8(const char *text)
{
    size_t len = strlen(text);
    return utf8_valid_prefix(text, len) == len;
}

/* Called at the end of each section. */
static int on_section(cfg_t *cfg, cfg_opt_t *opt)
{
    struct parse *p = parse_of(cfg);
    cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
    int line = p->sections_closed < p->lines.section_count ? p->lines.sections[p->sections_closed]
                                                           : cfg->line;
    p->sections_closed++;
    add_place(p, section, line, line);
    if (!cfg_title(section) || is_utf8(cfg_title(section)))
        return 0;
    settings_error(p->report, p->settings->path, line, "section %s: its name has bytes that are not UTF-8",
                   opt->name);
    return -1; /* no other message may have it */
}

static const cfg_opt_t end_of_options = CFG_END();

/* The options of a section for libconfuse, with MORE (an option, or NULL) behind them. */
static cfg_opt_t *make_options(struct parse *p, const struct section_row *section,
                               const cfg_opt_t *more)
{
    cfg_opt_t hidden = CFG_PTR_CB("", NULL, CFGF_NODEFAULT, NULL, NULL);
    cfg_opt_t value = CFG_STR("", NULL, CFGF_NODEFAULT);
    size_t n = 0;
    cfg_opt_t *opts = xcalloc(section->row_count + 3, sizeof *opts);
    hidden.simple_value.ptr = (void **)p;
    value.validcb = on_value;
    opts[n++] = hidden;
    for (size_t i = 0; i < section->row_count; i++, n++) {
        opts[n] = value;
        opts[n].name = section->rows[i].name;
        if (section->rows[i].kind == SETTING_LIST)
            opts[n].flags |= CFGF_LIST;
    }
    if (more)
        opts[n++] = *more;
    opts[n] = end_of_options;
    return opts;
}

static cfg_opt_t section_option(const struct section_row *section, cfg_opt_t *opts)
{
    static const cfg_opt_t single = CFG_SEC("", NULL, CFGF_NONE);
    static const cfg_opt_t titled = CFG_SEC("", NULL,
                                            CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
    cfg_opt_t option = section->how == SECTION_TITLED ? titled : single;
    option.name = section->name;
    option.subopts = opts;
    option.validcb = on_section;
    return option;
}

/* The whole file for libconfuse. */
static cfg_t *make_root(struct parse *p)
{
    cfg_opt_t *root = make_options(p, &(struct section_row){0}, NULL);
    root = xrealloc(root, (setting_section_count + 3) * sizeof *root);
    size_t n = 1;
    for (size_t i = 0; i < setting_section_count; i++) {
        const struct section_row *section = &setting_sections[i];
        const struct section_row *inside = setting_section_inside(section);
        cfg_opt_t option;
        if (setting_section_is_inside(section))
            continue;
        if (inside)
            option = section_option(inside, make_options(p, inside, NULL));
        root[n++] = section_option(section, make_options(p, section, inside ? &option : NULL));
    }
    root[n] = end_of_options;

    cfg_t *cfg = cfg_init(root, CFGF_NONE); /* copies the options */
    for (size_t i = 1; i < n; i++) {
        for (cfg_opt_t *opt = root[i].subopts; opt->name; opt++)
            free(opt->subopts);
        free(root[i].subopts);
    }
    free(root);
    if (!cfg)
        log_bug("libconfuse: out of memory");
    cfg_set_error_function(cfg, on_error);
    return cfg;
}

/* --- from libconfuse into the structs --------------------------------------------------------- */

static void add_line(struct settings_memory *m, const void *field, const struct place *place)
{
    if (m->line_count == m->line_cap) {
        m->line_cap = m->line_cap ? 2 * m->line_cap : 64;
        m->lines = xrealloc(m->lines, m->line_cap * sizeof *m->lines);
    }
    m->lines[m->line_count++] = (struct setting_line){field, place->line, place->last};
}

static void take_setting(struct parse *p, cfg_t *cfg, const struct setting_row *row, void *field)
{
    struct settings_memory *m = p->settings->memory;
    cfg_opt_t *opt = cfg_getopt(cfg, row->name);
    unsigned count = cfg_opt_size(opt);
    struct place place = find_place(p, opt);
    if (!count) {
        if (row->def != setting_required) {
            setting_read_default(row, m->arena, field);
            return;
        }
        settings_error(p->report, p->settings->path, find_place(p, cfg).line,
                       "section %s \"%s\" has no %s: add %s = ... (%s)", cfg->name, cfg->title,
                       row->name, row->name, row->text);
        return;
    }
    const char **items = arena_alloc(m->arena, count * sizeof *items);
    bool utf8 = true;
    for (unsigned i = 0; i < count; i++) {
        items[i] = cfg_opt_getnstr(opt, i);
        utf8 = utf8 && is_utf8(items[i]);
    }
    struct error e = {0};
    struct setting_text text = {items, count};
    if (!utf8)
        error_set(&e, ERR_INVALID, "an escape or variable makes bytes that are not UTF-8");
    if (!utf8 || setting_read(row, &text, m->arena, field, &e))
        settings_error(p->report, p->settings->path, place.line, "%s %s%s%s%s: %s", cfg->name,
                       cfg->title ? "\"" : "", cfg->title ? cfg->title : "",
                       cfg->title ? "\" " : "", row->name, e.text);
    add_line(m, field, &place);
}

static void take_rows(struct parse *p, cfg_t *cfg, const struct section_row *section, char *base)
{
    for (size_t i = 0; i < section->row_count; i++)
        take_setting(p, cfg, &section->rows[i], base + section->rows[i].offset);
}

/* The head that every titled struct begins with. */
struct titled {
    const char *name;
    int line;
};

static void *take_titled(struct parse *p, cfg_t *parent, const char *name, size_t *count)
{
    const struct section_row *section = setting_section(name);
    struct arena *arena = p->settings->memory->arena;
    cfg_opt_t *opt = cfg_getopt(parent, name);
    *count = cfg_opt_size(opt);
    char *base = arena_calloc(arena, *count + 1, section->size);
    for (size_t i = 0; i < *count; i++) {
        cfg_t *cfg = cfg_opt_getnsec(opt, (unsigned)i);
        struct titled *head = (struct titled *)(void *)(base + i * section->size);
        head->name = arena_strdup(arena, cfg_title(cfg));
        head->line = find_place(p, cfg).line;
        take_rows(p, cfg, section, base + i * section->size);
    }
    return base;
}

static void take_single(struct parse *p, cfg_t *root, const char *name, void *base)
{
    take_rows(p, cfg_getsec(root, name), setting_section(name), base);
}

static int compare_lines(const void *a, const void *b)
{
    const struct setting_line *x = a, *y = b;
    return (x->field > y->field) - (x->field < y->field);
}

static void take_all(struct parse *p, cfg_t *root)
{
    struct settings *s = p->settings;
    take_single(p, root, "database", &s->database);
    take_single(p, root, "files", &s->files);
    take_single(p, root, "api", &s->api);
    take_single(p, root, "runner", &s->runner);
    take_single(p, root, "defer", &s->defer);
    take_single(p, root, "queue", &s->queue);
    take_single(p, root, "log", &s->log);
    s->accounts = take_titled(p, root, "account", &s->account_count);
    s->types = take_titled(p, root, "type", &s->type_count);
    s->sources = take_titled(p, root, "source", &s->source_count);
    s->exports = take_titled(p, root, "export", &s->export_count);
    s->backups = take_titled(p, root, "backup", &s->backup_count);
    s->commands = take_titled(p, root, "command", &s->command_count);
    cfg_opt_t *exports = cfg_getopt(root, "export"), *commands = cfg_getopt(root, "command");
    for (size_t i = 0; i < s->export_count; i++)
        s->exports[i].params = take_titled(p, cfg_opt_getnsec(exports, (unsigned)i), "param",
                                           &s->exports[i].param_count);
    for (size_t i = 0; i < s->command_count; i++)
        s->commands[i].params = take_titled(p, cfg_opt_getnsec(commands, (unsigned)i), "param",
                                            &s->commands[i].param_count);
    s->sites = take_titled(p, root, "site", &s->site_count);
    s->imports = take_titled(p, root, "import", &s->import_count);
    cfg_opt_t *imports = cfg_getopt(root, "import");
    for (size_t i = 0; i < s->import_count; i++)
        s->imports[i].columns = take_titled(p, cfg_opt_getnsec(imports, (unsigned)i), "column",
                                            &s->imports[i].column_count);
    if (s->memory->line_count)
        qsort(s->memory->lines, s->memory->line_count, sizeof *s->memory->lines, compare_lines);
}

void settings_parse(struct settings *s, char *text, size_t len, struct settings_report *report)
{
    struct parse p = {.settings = s, .report = report};
    struct error e = {0};
    int line = 0;
    if (settings_text_prepare(text, len, s->memory->arena, &p.lines, &line, &e)) {
        settings_error(report, s->path, line, "%s", e.text);
        return;
    }
    cfg_t *root = make_root(&p);
    FILE *file = fmemopen(text, len, "r");
    if (!file)
        log_bug("fmemopen: %m");
    int errors = report->errors;
    int rc = cfg_parse_fp(root, file);
    fclose(file);
    if (rc == CFG_SUCCESS) {
        if (p.place_count)
            qsort(p.places, p.place_count, sizeof *p.places, compare_places);
        take_all(&p, root);
    } else if (report->errors == errors) {
        settings_error(report, s->path, root->line, "this cannot be read: see backdesk.conf(5)");
    }
    cfg_free(root);
    free(p.places);
}
