/* SPDX-License-Identifier: MIT */
/* settings_doc.c: the table of settings as text, as an example file and as a manual page's part. */
#include "base/settings_doc.h"

#include <string.h>

#include "settings_impl.h"

enum { WIDTH = 96 };

/* VALUE as it stands in a file: words and numbers bare, lists as they are, other text in quotes. */
static void add_value(struct buf *out, const struct setting_row *row, const char *value)
{
    buf_addf(out, setting_is_text(row) ? "\"%s\"" : "%s", value);
}

static void add_default(struct buf *out, const struct setting_row *row)
{
    if (row->def == setting_required)
        buf_adds(out, "must be given");
    else if (!row->def)
        buf_adds(out, "not set by default");
    else {
        buf_adds(out, "default ");
        add_value(out, row, row->def);
    }
}

/* "integer, 1 to 256 processes; default 1; read again at SIGHUP" */
static void add_facts(struct buf *out, const struct setting_row *row)
{
    if (row->kind != SETTING_BOOLEAN && row->kind != SETTING_CHOICE)
        buf_addf(out, "%s, ", setting_kind_name(row->kind));
    setting_describe_range(row, out);
    buf_adds(out, "; ");
    add_default(out, row);
    buf_adds(out, row->when == SETTING_RELOAD ? "; read again at SIGHUP" : "; taskrunner: read at start");
}

/* TEXT in lines of at most WIDTH columns, each behind INDENT. */
static void add_wrapped(struct buf *out, const char *indent, const char *text)
{
    size_t room = WIDTH - strlen(indent);
    while (*text) {
        size_t len = strlen(text);
        if (len > room) {
            len = room;
            while (len && text[len] != ' ')
                len--;
            if (!len)
                len = strcspn(text, " ");
        }
        buf_adds(out, indent);
        buf_add(out, text, len);
        buf_addc(out, '\n');
        text += len;
        text += strspn(text, " ");
    }
}

static void add_facts_wrapped(struct buf *out, const char *indent, const struct setting_row *row)
{
    struct buf facts = BUF_INIT;
    add_facts(&facts, row);
    add_wrapped(out, indent, buf_str(&facts));
    buf_free(&facts);
}

/* --- for a terminal --------------------------------------------------------------------------- */

void settings_doc_text(struct buf *out)
{
    for (size_t i = 0; i < setting_section_count; i++) {
        const struct section_row *section = &setting_sections[i];
        buf_addf(out, "%s%s%s\n", i ? "\n" : "", section->name,
                 section->how == SECTION_TITLED ? " \"NAME\"" : "");
        add_wrapped(out, "  ", section->text);
        for (size_t k = 0; k < section->row_count; k++) {
            const struct setting_row *row = &section->rows[k];
            buf_addf(out, "\n  %s\n", row->name);
            add_wrapped(out, "      ", row->text);
            add_facts_wrapped(out, "      ", row);
        }
    }
}

/* --- the example file ------------------------------------------------------------------------- */

/* What a section with a name is called in the example. */
static const char *example_title(const char *section)
{
    static const char *const titles[][2] = {
        {"account", "api"},   {"type", "dummy"},  {"source", "shop"},
        {"export", "books"},  {"param", "since"}, {"import", "books"},
        {"column", "title"},  {"backup", "site"}, {"command", "thumbnail"},
    };
    for (size_t i = 0; i < COUNT_OF(titles); i++)
        if (strcmp(titles[i][0], section) == 0)
            return titles[i][1];
    return "example";
}

/* A section whose settings are all comments, but for those that must be given. INSIDE, if not NULL,
 * is a section within it. */
static void add_example(struct buf *out, const struct section_row *section, const char *indent,
                        const struct section_row *inside)
{
    char deeper[16] = "    ", comment[20];
    strcat(deeper, indent);
    strcat(strcpy(comment, indent), "# ");
    add_wrapped(out, comment, section->text);
    buf_addf(out, "%s%s", indent, section->name);
    if (section->how == SECTION_TITLED)
        buf_addf(out, " \"%s\"", example_title(section->name));
    buf_adds(out, " {\n");
    strcat(strcpy(comment, deeper), "# ");
    for (size_t k = 0; k < section->row_count; k++) {
        const struct setting_row *row = &section->rows[k];
        add_wrapped(out, comment, row->text);
        add_facts_wrapped(out, comment, row);
        buf_addf(out, "%s%s%s = ", deeper, row->def == setting_required ? "" : "#", row->name);
        add_value(out, row, row->example ? row->example : row->def);
        buf_adds(out, k + 1 < section->row_count || inside ? "\n\n" : "\n");
    }
    if (inside)
        add_example(out, inside, deeper, NULL);
    buf_addf(out, "%s}\n", indent);
}

void settings_doc_example(struct buf *out)
{
    buf_adds(out,
             "# backdesk.conf: an example with every setting. See backdesk.conf(5).\n"
             "#\n"
             "# Durations: 500ms, 30s, 5m, 2h, 14d. Sizes: bytes, 64KiB, 10MiB, 1GiB. Text with\n"
             "# spaces or any of { } ( ) = + * , # or quotes in it stands in 'single' or \"double\"\n"
             "# quotes: without them the text would end there. Within double quotes \\ escapes and\n"
             "# ${VARIABLE} is replaced from the environment.\n"
             "#\n"
             "# After a change: taskctl check, then SIGHUP to tasks.fcgi and taskrunner on every host.\n"
             "# tasks.fcgi takes every change then; taskrunner not what it only reads at start.\n");
    for (size_t i = 0; i < setting_section_count; i++) {
        const struct section_row *section = &setting_sections[i];
        if (setting_section_is_inside(section))
            continue;
        buf_addc(out, '\n');
        add_example(out, section, "", setting_section_inside(section));
    }
}

/* --- man(7) ----------------------------------------------------------------------------------- */

/* A line of TEXT as roff takes it literally. */
static void add_roff(struct buf *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        buf_adds(out, "\\&");
    for (; *text; text++) {
        if (*text == '\\')
            buf_adds(out, "\\e");
        else if (*text == '-')
            buf_adds(out, "\\-");
        else
            buf_addc(out, *text);
    }
    buf_addc(out, '\n');
}

void settings_doc_man(struct buf *out)
{
    struct buf facts = BUF_INIT;
    for (size_t i = 0; i < setting_section_count; i++) {
        const struct section_row *section = &setting_sections[i];
        buf_addf(out, ".SS %s%s\n", section->name,
                 section->how == SECTION_TITLED ? " \\(dqNAME\\(dq" : "");
        add_roff(out, section->text);
        for (size_t k = 0; k < section->row_count; k++) {
            buf_addf(out, ".TP\n.B %s\n", section->rows[k].name);
            add_roff(out, section->rows[k].text);
            buf_adds(out, ".br\n");
            buf_clear(&facts);
            add_facts(&facts, &section->rows[k]);
            add_roff(out, buf_str(&facts));
        }
    }
    buf_free(&facts);
}
