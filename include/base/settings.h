/* SPDX-License-Identifier: MIT */
/* settings.h: the configuration file as plain structs. Its fields are the rows of settings.def,
 * which also says what each means. Knows no task type and no SQL: layer task checks those. */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/db_address.h"
#include "base/error.h"

/* An INTEGER, DURATION, SIZE or MODE that has no default and was not given. */
#define SETTING_UNSET INT64_C(-1)

/* The choices, each in the order of its words in settings.def. */
enum type_enabled { TYPE_AUTO, TYPE_ENABLED, TYPE_DISABLED };
enum export_count { COUNT_AUTO, COUNT_NONE };
enum export_binary { BINARY_BASE64, BINARY_HEX }; /* of imports too */
enum backup_compression { BACKUP_ZSTD, BACKUP_GZIP, BACKUP_PLAIN };
enum param_kind {
    PARAM_STRING,
    PARAM_INTEGER,
    PARAM_NUMBER,
    PARAM_BOOLEAN,
    PARAM_DATE,
    PARAM_DATETIME,
    PARAM_ENUM,
    PARAM_UPLOAD, /* of task types only: the id of an upload */
};

enum column_kind {
    COLUMN_AUTO,
    COLUMN_INTEGER,
    COLUMN_NUMBER,
    COLUMN_BOOLEAN,
    COLUMN_DATE,
    COLUMN_DATETIME,
    COLUMN_TIME,
};
enum command_mode { COMMAND_EXEC, COMMAND_PERSISTENT };
enum needed_role { ROLE_NONE, ROLE_ADMIN }; /* of exports and commands */
enum log_reader { LOG_FOR_OWNER, LOG_FOR_ADMIN };

/* Words in the order of the file. */
struct str_list {
    const char *const *items;
    size_t count;
};

/* --- struct database_settings, api_settings, ..., account_def, export_def, ...: one per SECTION,
 * with a field per SETTING. One that may repeat also has its name and the line where it begins. */
#define SETTING_STRUCT_SINGLE(tag) struct tag {
#define SETTING_STRUCT_TITLED(tag) \
    struct tag {                   \
        const char *name;          \
        int line;                  \
        SETTING_MORE_##tag

/* password_fault: whose password_file cannot be read and why, or NULL. No error by itself, because a
 * program may read the file of its own account only. */
#define SETTING_MORE_account_def const char *password_fault;
#define SETTING_MORE_source_def const char *password_fault;
#define SETTING_MORE_backup_def const char *password_fault;
#define SETTING_MORE_type_def
#define SETTING_MORE_site_def
#define SETTING_MORE_param_def
#define SETTING_MORE_export_def \
    struct param_def *params;   \
    size_t param_count;
#define SETTING_MORE_command_def SETTING_MORE_export_def
#define SETTING_MORE_column_def
#define SETTING_MORE_import_def \
    struct column_def *columns; \
    size_t column_count;

#define SETTING_FIELD_STRING(field) const char *field;
#define SETTING_FIELD_PATH(field) const char *field;
#define SETTING_FIELD_SECRET(field) const char *field;
#define SETTING_FIELD_SECRET_FILE(field) const char *field;
#define SETTING_FIELD_LIST(field) struct str_list field;
#define SETTING_FIELD_INTEGER(field) int64_t field;
#define SETTING_FIELD_DURATION(field) int64_t field;
#define SETTING_FIELD_SIZE(field) int64_t field;
#define SETTING_FIELD_MODE(field) int64_t field;
#define SETTING_FIELD_BOOLEAN(field) bool field;
#define SETTING_FIELD_CHOICE(field) int field;

#define SECTION(tag, name, how, text) SETTING_STRUCT_##how(tag)
#define SETTING(tag, field, name, kind, min, max, def, detail, when, example, text) \
    SETTING_FIELD_##kind(field)
#define SECTION_END(tag) \
    }                    \
    ;
#include "base/settings.def"
#undef SECTION
#undef SETTING
#undef SECTION_END

/* All of the file. Everything in it lives until settings_free. Read-only after settings_load, so
 * any number of threads may use it. */
struct settings {
    const char *path;
    struct database_settings database;
    struct files_settings files;
    struct api_settings api;
    struct runner_settings runner;
    struct defer_settings defer;
    const char *defer_key_fault; /* why key_file cannot be read, or NULL; no error by itself either */
    struct queue_settings queue;
    struct log_settings log;
    struct account_def *accounts;
    size_t account_count;
    struct type_def *types;
    size_t type_count;
    struct source_def *sources;
    size_t source_count;
    struct export_def *exports;
    size_t export_count;
    struct backup_def *backups;
    size_t backup_count;
    struct command_def *commands;
    size_t command_count;
    struct import_def *imports;
    size_t import_count;
    struct site_def *sites;
    size_t site_count;
    struct settings_memory *memory; /* private */
};

/* --- what is wrong with a file ---------------------------------------------------------------- */

/* Problems as lines "file:line: what is wrong and what to do", in the order found. */
struct settings_report {
    struct buf text;
    int errors;
    int warnings;
    struct error first; /* the first error, without what is only a warning */
};

#define SETTINGS_REPORT_INIT {BUF_INIT, 0, 0, {0}}

void settings_report_free(struct settings_report *r);

/* Adds an error (or a warning) at LINE of PATH; LINE 0 = the file as a whole. Returns
 * ERR_INVALID. */
int settings_error(struct settings_report *r, const char *path, int line, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
void settings_warning(struct settings_report *r, const char *path, int line, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* --- reading ---------------------------------------------------------------------------------- */

/* The file to read: OPTION (of --config) if not NULL, else the environment's BACKDESK_CONFIG, else
 * the installed one. */
const char *settings_path(const char *option);

/* Every line of REPORT, warnings all, as a warning of the log. */
void settings_log_warnings(struct settings_report *report);

/* Reads and checks PATH. Returns 0 with *OUT, or an error with the first problem in E; warnings
 * go to the log. Not for use by two threads at a time. */
int settings_load(const char *path, struct settings **out, struct error *e) MUST_USE;

/* The same, but every problem goes to REPORT. A file that cannot be read is ERR_IO. */
int settings_load_report(const char *path, struct settings **out, struct settings_report *report)
    MUST_USE;

/* Puts what a taskrunner takes at its start only into S, which it has read again, as RUNNING has it; REPORT warns of
 * each setting that waits so for a restart. */
void settings_keep(struct settings *s, const struct settings *running, struct settings_report *report);

/* Whether both have the same sites, with all that is set of each. */
bool settings_same_sites(const struct settings *a, const struct settings *b);

/* Frees *S and sets it to NULL. NULL is accepted. */
void settings_free(struct settings **s);

/* --- looking things up ------------------------------------------------------------------------ */

/* Where Backdesk's tables are, for the account "api", "runner" or "migration". Strings belong to S.
 * ERR_NOT_FOUND names the section that is missing; ERR_DENIED where its password cannot be read. */
int settings_queue_address(const struct settings *s, const char *account, struct db_address *out,
                           struct error *e) MUST_USE;

/* Where SOURCE is. ERR_DENIED where its password cannot be read. */
int settings_source_address(const struct source_def *source, struct db_address *out,
                            struct error *e) MUST_USE;

/* The 64 hex digits that deferred requests are encrypted with. ERR_DENIED where the file cannot be read. */
int settings_defer_key(const struct settings *s, const char **hex, struct error *e) MUST_USE;

/* NULL where there is none of that name. */
const struct source_def *settings_source(const struct settings *s, const char *name);
const struct export_def *settings_export(const struct settings *s, const char *name);
const struct backup_def *settings_backup(const struct settings *s, const char *name);
const struct site_def *settings_site(const struct settings *s, const char *name);
const struct type_def *settings_type(const struct settings *s, const char *name);
const struct command_def *settings_command(const struct settings *s, const char *name);

/* The source that E reads: the one it names, or the only one. Never NULL for loaded settings. */
const struct source_def *settings_export_source(const struct settings *s,
                                                const struct export_def *e);

/* What B reads, with the account that it reads as: the source it names, or the only one, with its own
 * user and password where it has them. */
struct source_def settings_backup_source(const struct settings *s, const struct backup_def *b);

/* The line where the field at FIELD (the address of a member of S or of what it holds) was set; 0
 * where it has its default. */
int settings_line(const struct settings *s, const void *field);

/* The same for line NTH (from 1) of the text at FIELD; where it begins if its lines are not those of the file, but
 * from escapes. */
int settings_line_within(const struct settings *s, const char *const *field, int nth);

/* A duration as the file has it ("30s", "14d"), in microseconds: 0 or ERR_INVALID. */
int duration_parse(const char *text, int64_t *usec) MUST_USE;
void duration_text(struct buf *out, int64_t usec); /* the way back; 0 is "0" */

bool str_list_has(const struct str_list *list, const char *word);

#endif
