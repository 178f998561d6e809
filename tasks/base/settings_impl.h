/* SPDX-License-Identifier: MIT */
/* settings_impl.h: what the files of the settings share: the rows of settings.def at run time,
 * and the steps from text to struct. */
#ifndef TASKS_BASE_SETTINGS_IMPL_H
#define TASKS_BASE_SETTINGS_IMPL_H

#include <sys/types.h>

#include "base/mem.h"
#include "base/settings.h"

enum setting_kind {
    SETTING_STRING,
    SETTING_PATH,
    SETTING_LIST,
    SETTING_INTEGER,
    SETTING_BOOLEAN,
    SETTING_DURATION,
    SETTING_SIZE,
    SETTING_MODE,
    SETTING_CHOICE,
    SETTING_SECRET,
    SETTING_SECRET_FILE,
};

enum setting_when { SETTING_RELOAD, SETTING_RESTART };

enum section_how { SECTION_SINGLE, SECTION_TITLED };

/* A row of settings.def; see there. */
struct setting_row {
    const char *name;
    enum setting_kind kind;
    int64_t min, max;
    const char *def;
    const char *detail;
    enum setting_when when;
    const char *example;
    const char *text;
    size_t offset; /* of the field in its section's struct */
};

struct section_row {
    const char *name;
    enum section_how how;
    const char *text;
    const struct setting_row *rows;
    size_t row_count;
    size_t size; /* of its struct */
};

/* The default of a setting that must be given: compare the pointer. */
extern const char setting_required[];

extern const struct section_row setting_sections[];
extern const size_t setting_section_count;

/* Whether its field is a text and no list. */
bool setting_is_text(const struct setting_row *row);

/* NULL for an unknown name. */
const struct section_row *setting_section(const char *name);

/* The section that stands inside OUTER; NULL where none does. */
const struct section_row *setting_section_inside(const struct section_row *outer);

/* Whether it stands inside another. */
bool setting_section_is_inside(const struct section_row *section);

/* --- values (settings_value.c) ---------------------------------------------------------------- */

/* A list from the file, or any other value as a list of one. */
struct setting_text {
    const char **items;
    size_t count;
};

/* Reads TEXT as ROW says into *FIELD; strings are copied to ARENA. ERR_INVALID with what is
 * wrong and what to write instead, without the setting's name. */
int setting_read(const struct setting_row *row, const struct setting_text *text,
                 struct arena *arena, void *field, struct error *e) MUST_USE;

/* Puts ROW's default (or "not set") into *FIELD. The default must not be REQUIRED. */
void setting_read_default(const struct setting_row *row, struct arena *arena, void *field);

/* Splits "{a, b}" as it stands in settings.def; any other text is a list of one. */
struct setting_text setting_split(const struct setting_row *row, const char *text,
                                  struct arena *arena);

/* "1 to 64 threads", "from 1s to 1h", "one of a, b": what a value may be, for people. */
void setting_describe_range(const struct setting_row *row, struct buf *out);
const char *setting_kind_name(enum setting_kind kind); /* "integer" */

/* --- the file's text (settings_text.c) -------------------------------------------------------- */

/* What libconfuse does not say: where things begin. */
struct text_lines {
    int *sections; /* in the order in which they end */
    size_t section_count;
    int *strings; /* of several lines: by the line where one ends; 0 = none does */
    size_t string_count;
};

/* Blanks the comments of TEXT[0..len), which has a NUL behind it, in place, newlines stay: libconfuse
 * takes comments inside a list for values and miscounts lines behind block comments. Fills LINES
 * (memory from ARENA). ERR_INVALID, with the line in *LINE, for NUL bytes,
 * wrong UTF-8, anything that is not closed, and signs without quotes that libconfuse would drop. */
int settings_text_prepare(char *text, size_t len, struct arena *arena, struct text_lines *lines,
                          int *line, struct error *e) MUST_USE;

/* --- the file (settings_parse.c), then the rules between settings (settings_check.c) ---------- */

/* Where a field was set: the line of its value, and the last one of a string of several lines. */
struct setting_line {
    const void *field;
    int line, last;
};

struct settings_memory {
    struct arena *arena;
    struct setting_line *lines; /* sorted by field */
    size_t line_count, line_cap;
};

/* Fills S (zeroed, but for path and memory) from TEXT. All faults go to REPORT. */
void settings_parse(struct settings *s, char *text, size_t len, struct settings_report *report);

/* The rules between settings, and the passwords from their files. WORLD_READABLE: of the file
 * itself. */
void settings_check(struct settings *s, bool world_readable, struct settings_report *report);

/* What names are made of (settings_name.c). The length of the identifier that TEXT begins with: letters, digits and _,
 * not beginning with a digit. */
size_t setting_identifier(const char *text);

/* Whether TEXT is 1 to 64 letters, digits, _ and -. */
bool setting_is_name(const char *text);

/* Refuses the NAME of a SECTION at LINE that is none. */
void settings_check_name(const struct settings *s, const char *section, const char *name, int line,
                         struct settings_report *report);

/* The same for a parameter, which is an identifier of up to 64 bytes; false where it is refused. */
bool settings_check_param_name(const struct settings *s, const struct param_def *param, struct settings_report *report);

/* The part of it that is about the site's own programs (settings_command.c). */
void settings_check_commands(const struct settings *s, struct settings_report *report);

/* The whole file at PATH and a newline behind it, NUL-terminated; the caller frees. ERR_IO;
 * ERR_LIMIT over MAX bytes. *MODE, if not NULL, gets its permissions. */
int settings_read_file(const char *path, size_t max, char **text, size_t *len, mode_t *mode,
                       struct error *e) MUST_USE;

#endif
