/* SPDX-License-Identifier: MIT */
/* test_settings.c: configuration files that are wrong, with what is said of them; and that every
 * default and example of the table can be read. */
#include <stdlib.h>

#include "base/settings.h"
#include "base/settings_doc.h"
#include "task/catalogue.h"
#include "unit.h"

/* What REPORT, which goes, says of the file at PATH, with "conf" for the path. The caller frees. */
static char *without_path(struct settings_report *report, const char *path)
{
    struct buf out = BUF_INIT;
    const char *p = buf_str(&report->text);
    for (const char *at; (at = strstr(p, path)); p = at + strlen(path)) {
        buf_add(&out, p, (size_t)(at - p));
        buf_adds(&out, "conf");
    }
    buf_adds(&out, p);
    buf_str(&out);
    settings_report_free(report);
    return out.data; /* freed as what it is: memory of xmalloc */
}

/* TEXT's report; empty where all is well. The caller frees. */
static char *report_on(const char *text, mode_t mode)
{
    struct memory_file f = memory_file(text, mode);
    struct settings_report report = SETTINGS_REPORT_INIT;
    struct settings *settings = NULL;
    struct catalogue *catalogue = NULL;
    if (!settings_load_report(f.path, &settings, &report))
        (void)!catalogue_create(settings, &catalogue, &report);
    assert_true(catalogue != NULL || report.errors > 0);
    catalogue_free(&catalogue);
    settings_free(&settings);
    char *got = without_path(&report, f.path);
    close(f.fd);
    return got;
}

#define SOURCE "source \"s\" { database = d user = u }\n"
#define DEFER "defer { key = 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff }\n"
#define QUERY "query = \"SELECT :owner\"\n"

static const struct {
    const char *text;
    const char *wanted;
} cases[] = {
    /* right */
    {"", ""},
    {"# nothing\n// at all\n/* really */\n", ""},
    {"api { processes = 4 threads = 8 }", ""},
    {"api { processes = \"4\" }\napi { threads = 8 }", ""},
    {"runner { types = {csv_export, # one\n dummy} }", ""},
    {"files { orphan_age = 90m mode = 0600 }", ""},
    {SOURCE "export \"x\" { " QUERY " }", ""},

    /* what is not a file of settings */
    {"api {\n processes = 1\n", "conf:1: the section that begins here is not closed\n"},
    {"api {\n types = { a\n", "conf:2: the list that begins here is not closed\n"},
    {"\nlog { level = \"info\n }", "conf:2: the string that begins here is not closed\n"},
    {"\n\n/* log", "conf:3: the comment that begins here is not closed\n"},
    {"api { }\n\xff", "conf:2: bytes that are not UTF-8: write the file as UTF-8 text\n"},
    {"api {\n threads 3\n}",
     "conf:2: missing equal sign after option 'threads': write name = value\n"},
    {"api = 3", "conf:1: missing opening brace for section 'api': write the section as name "
                "{ ... }\n"},
    {"source { }",
     "conf:1: missing title for section 'source': write the section as name \"title\" { ... }\n"},
    {"api { }\n}", "conf:2: unexpected closing brace: take it away, or open a section before it\n"},
    {"api { \"\" = 3 }", "conf:1: this cannot be read: see backdesk.conf(5)\n"},

    /* unknown, twice, missing; block comments do not shift the lines */
    {"/* a\n b */ api {\n thread = 3\n}",
     "conf:3: there is no setting in section api called \"thread\": did you mean threads?\n"},
    {"log {\n colour = red\n}",
     "conf:2: there is no setting in section log called \"colour\": known are level\n"},
    {"runner {\n cancel_grace = 5 sec\n}",
     "conf:2: \"sec\" is no setting: write a number and its unit as one word, such as 5s or 64KiB\n"},
    {"command \"c\" {\n argv = {\"/bin/true\"}\n timeout = 5s\n}",
     "conf:3: timeout is no setting of section command: write it into a section type, whose name is the task type\n"},
    {"lgo { }", "conf:1: there is no section \"lgo\": did you mean log?\n"},
    {"api { threads = 1\n threads = 2 }",
     "conf:2: api threads is set a second time, first in line 1: keep one of them\n"},
    {"runner { types = {dummy, html_export}\n types = {csv_export} }",
     "conf:2: runner types is set a second time, first in line 1: keep one of them\n"},
    {"runner { types = {dummy}\n types = csv_export }",
     "conf:2: runner types is set a second time, first in line 1: keep one of them\n"},
    {SOURCE "source \"s\" { }",
     "conf:2: found duplicate title 's': give each section a name of its own\n"},
    {"\naccount \"api\" {\n password = x\n}",
     "conf:2: section account \"api\" has no user: add user = ... (name of the account)\n"},

    /* values */
    {"api { processes = 0 }",
     "conf:1: api processes: 0 is out of range: write 1 to 256 processes\n"},
    {"api { processes = 257 }",
     "conf:1: api processes: 257 is out of range: write 1 to 256 processes\n"},
    {"api { processes = two }",
     "conf:1: api processes: \"two\" is no integer in decimal digits\n"},
    {"api { processes = 99999999999999999999 }",
     "conf:1: api processes: \"99999999999999999999\" is no integer in decimal digits\n"},
    {"runner { lease = 30 }",
     "conf:1: runner lease: \"30\" is no duration: write a number with its unit, such as 500ms, "
     "30s, 5m, 2h or 14d\n"},
    {"runner { lease = 2s }", "conf:1: runner lease: 2s is out of range: write 3s to 1h\n"},
    {"runner { lease = -5s }",
     "conf:1: runner lease: \"-5s\" is no duration: write a number with its unit, such as 500ms, "
     "30s, 5m, 2h or 14d\n"},
    {"queue { timeout = 9999999999999d }",
     "conf:1: queue timeout: \"9999999999999d\" is no duration: write a number with its unit, such "
     "as 500ms, 30s, 5m, 2h or 14d\n"},
    {"api { max_body = 3kb }",
     "conf:1: api max_body: \"3kb\" is no size: write bytes, or a number with its unit, such as "
     "64KiB, 10MiB or 1GiB\n"},
    {"api { max_body = 1GiB }",
     "conf:1: api max_body: 1GiB is out of range: write 1KiB to 256MiB\n"},
    {"files { mode = 640 }",
     "conf:1: files mode: \"640\" is no mode: write it in octal, such as 0640\n"},
    {"files { mode = 0777 }", "conf:1: files mode: 0777 is out of range: write 0400 to 0666 octal\n"},
    {"files { directory = results }",
     "conf:1: files directory: \"results\" is no absolute path: begin it with /\n"},
    {"log { level = loud }",
     "conf:1: log level: \"loud\" is not known here: write one of error, warning, info, debug\n"},
    {SOURCE "export \"x\" { " QUERY " owned = maybe }",
     "conf:3: export \"x\" owned: \"maybe\" is neither yes nor no\n"},
    {"runner { nickname = \"\" }",
     "conf:1: runner nickname: a text of 0 bytes is too short: write 1 to 64 bytes\n"},
    {"runner { types = {dummy, dummy} }",
     "conf:1: runner types: \"dummy\" stands twice: once is enough\n"},

    /* the site's own programs */
    {"command \"a-b\" { argv = {/bin/true} param \"owner\" { } }\ntype \"a-b\" { timeout = 1s }\n"
     "runner { types = {a-b} }",
     ""},
    {"\ncommand \"a\" { }", "conf:2: section command \"a\" has no argv: add argv = ... (the program, by its "
                            "absolute path, and its arguments; no shell sees them, and nothing of the task is "
                            "put into them)\n"},
    {"command \"a b\" {\n argv = {true} }",
     "conf:1: command \"a b\": a name is made of 1 to 64 letters, digits, _ and -\n"
     "conf:2: command \"a b\" argv: \"true\" must be the absolute path of a program\n"},
    {"\ncommand \"dummy\" { argv = {/bin/true} }",
     "conf:2: command \"dummy\": this task type is built in: choose another name\n"},
    {"command \"a\" { argv = {/bin/true} any_data = yes\n param \"2\" { } }",
     "conf:2: param \"2\": its name is made of 1 to 64 letters, digits and _, not beginning with a digit\n"
     "conf:1: command \"a\": any_data and param exclude each other: keep one of them\n"},
    {"command \"a\" { argv = {/bin/true}\n param \"x\" { type = enum } }",
     "conf:2: command \"a\" param \"x\": an enum needs its words: add values = {...}\n"},
    {"command \"a\" { argv = {/bin/true}\n env = {\"A=b=c\", \"=x\", \"BACKDESK_X=1\"} pass_env = {\"A=\"} }",
     "conf:2: command \"a\" env: \"=x\" is not NAME=value\n"
     "conf:2: command \"a\" env: names that begin with BACKDESK_ are Backdesk's own\n"
     "conf:2: command \"a\" pass_env: \"A=\" is no name of a variable to take over\n"},
    {"command \"a\" { argv = {/bin/true}\n retry_exit_codes = {1, 255, 256, 075, x} }",
     "conf:2: command \"a\" retry_exit_codes: \"256\" is no exit status from 1 to 255\n"
     "conf:2: command \"a\" retry_exit_codes: \"075\" is no exit status from 1 to 255\n"
     "conf:2: command \"a\" retry_exit_codes: \"x\" is no exit status from 1 to 255\n"},
    {"runner { user = one }\ncommand \"a\" { argv = {/bin/true}\n user = two }",
     "conf:3: command \"a\" user: a runner that becomes one (runner user) cannot become two: take one of "
     "them away\n"},

    /* several at once */
    {"log { level = x }\napi { threads = 0\n processes = y }",
     "conf:3: api processes: \"y\" is no integer in decimal digits\n"
     "conf:2: api threads: 0 is out of range: write 1 to 1024 threads\n"
     "conf:1: log level: \"x\" is not known here: write one of error, warning, info, debug\n"},

    /* rules between settings */
    {"runner { nickname = \"a:b\" }",
     "conf:1: runner nickname: no colon, comma, * or control character may stand in it\n"},
    {"runner { uuid = 6F1C9A52-7E0B-4C86-9D0F-5B1B7A3F2C11 }",
     "conf:1: runner uuid: \"6F1C9A52-7E0B-4C86-9D0F-5B1B7A3F2C11\" is no UUID in lower case, such "
     "as 6f1c9a52-7e0b-4c86-9d0f-5b1b7a3f2c11\n"},
    {"runner { heartbeat = 11s }",
     "conf:1: runner lease must be at least 3 heartbeats: lengthen lease or shorten heartbeat\n"},
    {"queue { backoff = 2h }",
     "conf:1: queue backoff is longer than backoff_max: lengthen backoff_max\n"},
    {"\ntype \"dummy\" { backoff = 2h }",
     "conf:2: type \"dummy\": backoff is longer than backoff_max: lengthen backoff_max\n"},
    {"api { accel_prefix = \"/files\" }",
     "conf:1: api accel_prefix: \"/files\" must begin and end with / and hold no space, ?, # or "
     "%\n"},
    {"api { max_data = 16MiB }",
     "conf:1: api max_data is larger than max_body: enlarge max_body\n"},
    {"account \"apy\" { user = x }",
     "conf:1: there is no account \"apy\": write api, runner or migration\n"},
    {"account \"api\" { user = x password = a\n password_file = /b }",
     "conf:2: account \"api\" has password and password_file: keep one of them\n"},
    {"source \"a b\" { database = d user = u }",
     "conf:1: source \"a b\": a name is made of 1 to 64 letters, digits, _ and -\n"},

    /* exports */
    {"export \"x\" { " QUERY " }",
     "conf:1: export \"x\" has nothing to read: add a section source\n"},
    {SOURCE "source \"t\" { database = d user = u }\nexport \"x\" { " QUERY " }",
     "conf:3: export \"x\": there are several sources: name one with source = ...\n"},
    {SOURCE "export \"x\" { source = t\n" QUERY " }",
     "conf:2: export \"x\": there is no source \"t\": add a section source \"t\"\n"},
    {SOURCE "export \"x\" { default = yes " QUERY " }\nexport \"y\" {\n default = yes\n" QUERY " }",
     "conf:5: export \"y\": export \"x\" is the default already: only one can be\n"},
    {SOURCE "export \"x/y\" { " QUERY " }",
     "conf:2: export \"x/y\": a name is made of 1 to 64 letters, digits, _ and -\n"},
    {SOURCE "export \"x\" { formats = {csv, pdf}\n" QUERY " }",
     "conf:2: export \"x\": there is no format \"pdf\": see taskctl types\n"},
    {SOURCE "export \"x\" {\nconnections = 2\n" QUERY " }",
     "conf:3: export \"x\": without a key one connection reads everything: add key = {...}, or set "
     "connections = 1\n"},
    {SOURCE "export \"x\" { key = {a}\n snapshot = yes\n connections = 2 " QUERY " }",
     "conf:4: export \"x\": a snapshot cannot be read over several connections: take the snapshot away, or "
     "set connections = 1\n"},
    {SOURCE "export \"x\" { key = {a} connections = 8 " QUERY " }", ""},
    {SOURCE "export \"x\" { query = \"SELECT 1\" }",
     "conf:2: export \"x\": its query does not use :owner, so that everybody would get all rows: "
     "add a condition such as owner_id = :owner, or set owned = no\n"},
    {SOURCE "export \"x\" { owned = no query = \"SELECT 1\" }", ""},
    {SOURCE "export \"x\" { query = \"SELECT ':owner' -- :owner\" }",
     "conf:2: export \"x\": its query does not use :owner, so that everybody would get all rows: "
     "add a condition such as owner_id = :owner, or set owned = no\n"},
    {SOURCE "export \"x\" {\n query = \"SELECT 1\nFROM t\nWHERE a = ?\"\n}",
     "conf:5: export \"x\" query: a ? has no name: write a parameter, such as :since\n"},
    {SOURCE "export \"x\" {\n query = \"SELECT 1\\nFROM t\\nWHERE a = ?\"\n}",
     "conf:3: export \"x\" query: a ? has no name: write a parameter, such as :since\n"},
    {SOURCE "export \"x\" {\n query = \"SELECT 1\\n\\n,\n:owner, :a\" formats = {pdf} }",
     "conf:4: export \"x\": there is no format \"pdf\": see taskctl types\n"
     "conf:3: export \"x\": its query uses :a, which is not declared: add param \"a\" { type = ... }\n"},
    {SOURCE "export \"x\" {\n null = \"a\n\nb\" " QUERY "null = \"a\nb\" }",
     "conf:6: export null is set a second time, first in line 3: keep one of them\n"},
    {SOURCE "export \"x\" { query = \"SELECT :owner, :a, :a\" }",
     "conf:2: export \"x\": its query uses :a, which is not declared: add param \"a\" { type = ... "
     "}\n"},
    {SOURCE "export \"x\" { " QUERY " param \"a\" { } }",
     "conf:3: export \"x\": its query does not use param \"a\": put :a into it, or take the param "
     "away\n"},

    /* imports */
#define IMPORT(text) SOURCE "import \"x\" { target = s table = t owner = o\n" text "\n}"
    {IMPORT(""), ""},
    {IMPORT("column \"a\" { type = date header = A }\ncolumn \"b\" { values = {c, d} default = c }"), ""},
    {SOURCE "import \"x\" { table = t owner = o }",
     "conf:2: section import \"x\" has no target: add target = ... (name of the source section whose "
     "database is written)\n"},
    {SOURCE "import \"x\" {\n target = w table = t owner = o }",
     "conf:3: import \"x\": there is no source \"w\": add a section source \"w\" with an account that may "
     "write\n"},
    {SOURCE "import \"x y\" { target = s table = t owner = o }",
     "conf:2: import \"x y\": a name is made of 1 to 64 letters, digits, _ and -\n"},
    {IMPORT("default = yes") "\nimport \"y\" { target = s table = t owner = o\ndefault = yes }",
     "conf:6: import \"y\": import \"x\" is the default already: only one can be\n"},
    {IMPORT("column \"O\" { }"),
     "conf:3: import \"x\" column \"O\": it is the owner's column, which is always set to the task's "
     "creator: take the section away\n"},
    {IMPORT("column \"a\" { required = yes default = 1 }"),
     "conf:3: import \"x\" column \"a\": required and default exclude each other: keep one\n"},
    {IMPORT("column \"a\" { values = {b}\ndefault = c }"),
     "conf:4: import \"x\" column \"a\": its default is none of its values: add it there\n"},
    {IMPORT("column \"a\" { }\ncolumn \"b\" { header = A }"),
     "conf:4: import \"x\" column \"b\": column \"a\" has the same header: give one of them another\n"},
    {IMPORT("column \"a\" { type = colour }"),
     "conf:3: column \"a\" type: \"colour\" is not known here: write one of auto, integer, number, boolean, "
     "date, datetime, time\n"},

    /* parameters */
#define PARAM(text) SOURCE "export \"x\" { query = \"SELECT :owner, :a\" param \"a\" {\n" text "\n} }"
    {PARAM("type = date"), ""},
    {PARAM("type = enum values = {a, b} default = b"), ""},
    {PARAM("type = integer min = 1 max = 3 default = 2"), ""},
    {PARAM("pattern = \"^[a-z]+$\" default = abc"), ""},
    {PARAM("type = colour"),
     "conf:3: param \"a\" type: \"colour\" is not known here: write one of string, integer, number, "
     "boolean, date, datetime, enum\n"},
    {PARAM("type = enum"),
     "conf:2: export \"x\" param \"a\": an enum needs its words: add values = {...}\n"},
    {PARAM("values = {a}"), "conf:2: export \"x\" param \"a\": values are for type = enum only\n"},
    {PARAM("required = yes\ndefault = x"),
     "conf:2: export \"x\" param \"a\": required and default exclude each other: keep one\n"},
    {PARAM("min = 3"), "conf:3: export \"x\" param \"a\": min and max are for type integer, number, "
                       "date and datetime only\n"},
    {PARAM("type = integer\nmin = 3\nmax = 2"),
     "conf:5: export \"x\" param \"a\": max is less than min\n"},
    {PARAM("type = integer\ndefault = 1.5"),
     "conf:4: export \"x\" param \"a\": default = \"1.5\" is not of type integer\n"},
    {PARAM("type = date\ndefault = 2026-02-29"),
     "conf:4: export \"x\" param \"a\": default = \"2026-02-29\" is not of type date\n"},
    {PARAM("type = integer max = 3\ndefault = 4"),
     "conf:4: export \"x\" param \"a\": default must be an integer of at most 3\n"},
    {PARAM("type = enum values = {b, c}\ndefault = d"),
     "conf:4: export \"x\" param \"a\": default must be one of b, c\n"},
    {PARAM("pattern = \"[a\""),
     "conf:3: export \"x\" param \"a\": pattern is no extended regular expression: Unmatched [, [^, "
     "[:, [., or [=\n"},
    {PARAM("type = date\npattern = x"),
     "conf:4: export \"x\" param \"a\": pattern is for type = string only\n"},
    {SOURCE "export \"x\" { " QUERY " param \"owner\" { } }",
     "conf:3: param \"owner\": the name is taken, :owner is always the task's creator: choose "
     "another name\n"},
    {SOURCE "export \"x\" { " QUERY " param \"1a\" { } }",
     "conf:3: param \"1a\": its name is made of 1 to 64 letters, digits and _, not beginning with a "
     "digit\n"},

    /* types */
    {"type \"dumy\" { }",
     "conf:1: there is no task type \"dumy\": known are csv_export, html_export, json_export, "
     "xlsx_export, csv_import, backup, http_request, dummy\n"},
    {"runner { types = {csv} }",
     "conf:1: runner types: there is no task type \"csv\": known are csv_export, html_export, "
     "json_export, xlsx_export, csv_import, backup, http_request, dummy\n"},

    /* backups */
    {"backup \"a\" { }", "conf:1: backup \"a\" has nothing to read: add a section source\n"},
    {SOURCE "backup \"a b\" { }",
     "conf:2: backup \"a b\": a name is made of 1 to 64 letters, digits, _ and -\n"},
    {SOURCE "backup \"a\" { source = t }",
     "conf:2: backup \"a\": there is no source \"t\": add a section source \"t\"\n"},
    {SOURCE "backup \"a\" { password = x }",
     "conf:2: backup \"a\" has a password without user: add user, or take the password away to use the source's "
     "account\n"},
    {SOURCE "backup \"a\" { tables = {t}\nexclude = {u} }",
     "conf:3: backup \"a\" has tables and exclude: keep one of them\n"},
    {SOURCE "backup \"a\" { compression = gzip\nlevel = 10 }",
     "conf:3: backup \"a\": level goes to 9 with compression = gzip: lower it, or use zstd\n"},
    {SOURCE "backup \"a\" { compression = none\nlevel = 1 }",
     "conf:3: backup \"a\": level means nothing with compression = none: take it away\n"},
    {SOURCE "backup \"a\" { default = yes }\nbackup \"b\" { default = yes }",
     "conf:3: backup \"b\": backup \"a\" is the default already: only one can be\n"},
    {SOURCE "backup \"a\" { keep = 0 }", "conf:2: backup \"a\" keep: 0 is out of range: write 1 to 1000 files\n"},

    /* deferred requests */
    {"defer { key = 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\nkey_file = /k }",
     "conf:2: defer has key and key_file: keep one of them\n"},
    {DEFER "site \"a b\" { socket = /s }",
     "conf:2: site \"a b\": a name is made of 1 to 64 letters, digits, _ and -\n"},
    {DEFER "site \"a\" { socket = /s\nretry_unsafe = {report} }",
     "conf:3: site \"a\" retry_unsafe: \"report\" is no beginning of a URI: begin it with /\n"},
    {DEFER "site \"a\" { socket = /s\nfail_status = {5xx, 503, 6xx} }",
     "conf:3: site \"a\" fail_status: \"6xx\" is no status: write one as 503 or a class as 5xx\n"},
    {"defer { drop_headers = {\"X:Y\"} }",
     "conf:1: defer drop_headers: \"X:Y\" is no name of a header: letters, digits, - and _\n"},
    {"defer { key = 0g112233445566778899aabbccddeeff00112233445566778899aabbccddeeff }",
     "conf:1: defer key: it is not 64 hex digits: make them by openssl rand -hex 32\n"},
};

static void test_reports(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *got = report_on(cases[i].text, 0600);
        CHECK_CASE_TEXT(i, cases[i].text, got, cases[i].wanted);
        free(got);
    }
}

static void test_secrets(void **state)
{
    (void)state;
    static const char inside[] = "account \"api\" { user = u password = p }";
    char *got = report_on(inside, 0644);
    assert_string_equal(got, "conf: warning: everybody can read this file, and it holds a password or key: "
                             "chmod o-r it, or use password_file or key_file\n");
    free(got);
    got = report_on(inside, 0640);
    assert_string_equal(got, "");
    free(got);
}

static void test_values(void **state)
{
    (void)state;
    struct memory_file f = memory_file("runner { lease = 1m types = {csv_export, dummy} }\n"
                                       "api { max_body = 2MiB }\n"
                                       "type \"dummy\" { timeout = 5s }\n"
                                       "export \"x\" {\n"
                                       "  query = 'SELECT :owner,\n"
                                       "           \"$\\n\"'\n"
                                       "  null = \"\\\\N\"\n"
                                       "}\n" SOURCE,
                                       0600);
    struct settings *s = NULL;
    struct error e = {0};
    assert_int_equal(settings_load(f.path, &s, &e), 0);
    assert_int_equal(s->runner.lease_usec, 60000000);
    assert_int_equal(s->runner.heartbeat_usec, 2000000);
    assert_int_equal(s->runner.types.count, 2);
    assert_true(str_list_has(&s->runner.types, "dummy"));
    assert_int_equal(s->api.max_body_bytes, 2097152);
    assert_int_equal(s->files.mode, 0640);
    assert_null(s->database.socket);
    assert_int_equal(s->queue.retention_success_usec, INT64_C(1209600000000));
    assert_int_equal(s->log.level, 2);
    assert_int_equal(settings_line(s, &s->runner.lease_usec), 1);
    assert_int_equal(settings_line(s, &s->runner.poll_usec), 0);

    const struct export_def *x = settings_export(s, "x");
    assert_non_null(x);
    assert_string_equal(x->query, "SELECT :owner,\n           \"$\\n\"");
    assert_string_equal(x->null_text, "\\N");
    assert_int_equal(x->line, 4);
    assert_int_equal(settings_line(s, &x->query), 5);
    assert_string_equal(settings_export_source(s, x)->name, "s");

    struct task_limits limits;
    task_limits_get(s, "dummy", &limits);
    assert_int_equal(limits.timeout_usec, 5000000);
    assert_int_equal(limits.max_attempts, 3);
    task_limits_get(s, "gone", &limits);
    assert_int_equal(limits.timeout_usec, 0);
    settings_free(&s);
    close(f.fd);
}

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddee"
#define UUID "6f1c9a52-7e0b-4c86-9d0f-5b1b7a3f2c11"
#define SITE "site \"a\" { socket = /s }\n"

/* A running taskrunner reads NEW: the report of what waits for a restart. The caller frees it and *S. */
static char *keep(const char *old, const char *new, struct settings **s)
{
    struct memory_file before = memory_file(old, 0600), after = memory_file(new, 0600);
    struct settings *running = NULL;
    struct error e = {0};
    struct settings_report report = SETTINGS_REPORT_INIT;
    assert_int_equal(settings_load(before.path, &running, &e), 0);
    assert_int_equal(settings_load(after.path, s, &e), 0);
    settings_keep(*s, running, &report);
    char *got = without_path(&report, after.path);
    settings_free(&running); /* nothing of it is left in *S */
    close(before.fd);
    close(after.fd);
    return got;
}

static void test_the_same_sites(void **state)
{
    (void)state;
    static const char two[] = SITE "site \"b\" { socket = /b\nfail_status = {404, \"5xx\"} }\n";
    static const struct {
        const char *other;
        bool same;
    } others[] = {
        {two, true},
        {"site \"b\" { socket = /b\nfail_status = {404, \"5xx\"} }\n" SITE "runner { workers = 3 }\n", true},
        {SITE, false},
        {SITE "site \"b\" { socket = /b\nfail_status = {404} }\n", false},
        {SITE "site \"b\" { socket = /other\nfail_status = {404, \"5xx\"} }\n", false},
        {SITE "site \"b\" { socket = /b\ntls = yes\nfail_status = {404, \"5xx\"} }\n", false},
        {SITE "site \"b\" { socket = /b\ntimeout = 5s\nfail_status = {404, \"5xx\"} }\n", false},
        {SITE "site \"c\" { socket = /b\nfail_status = {404, \"5xx\"} }\n", false},
    };
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct memory_file a = memory_file(two, 0600), b = memory_file(others[i].other, 0600);
        struct settings *x = NULL, *y = NULL;
        struct error e = {0};
        assert_int_equal(settings_load(a.path, &x, &e), 0);
        assert_int_equal(settings_load(b.path, &y, &e), 0);
        assert_int_equal(settings_same_sites(x, y), others[i].same);
        assert_int_equal(settings_same_sites(y, x), others[i].same);
        settings_free(&x);
        settings_free(&y);
        close(a.fd);
        close(b.fd);
    }
}

static void test_what_waits_for_a_restart(void **state)
{
    (void)state;
    struct settings *s = NULL;
    char *got = keep("files { directory = /old\nmode = 0600 }\ndatabase { port = 1 }\nrunner { uuid = " UUID "}\n"
                     "defer { key = " KEY "ff\ndrop_headers = {A, B} }\napi { threads = 3 }\n" SITE,
                     "files { directory = /new\nmode = 0640 }\nrunner { workers = 3\nuser = x }\n"
                     "defer { key = " KEY "00\ndrop_headers = {A} }\napi { threads = 4 }\n" SITE,
                     &s);
    assert_string_equal(got, "conf: warning: database port: stays as it was until a restart\n"
                             "conf:1: warning: files directory: stays as it was until a restart\n"
                             "conf: warning: runner uuid: stays as it was until a restart\n"
                             "conf:4: warning: runner user: stays as it was until a restart\n"
                             "conf:5: warning: defer key: stays as it was until a restart\n"
                             "conf:6: warning: defer drop_headers: stays as it was until a restart\n");
    assert_string_equal(s->files.directory, "/old");
    assert_int_equal(s->files.mode, 0640);
    assert_int_equal(s->database.port, 1);
    assert_string_equal(s->runner.uuid, UUID);
    assert_null(s->runner.user);
    assert_int_equal(s->runner.workers, 3);
    assert_string_equal(s->defer.key, KEY "ff");
    assert_true(s->defer.drop_headers.count == 2 && str_list_has(&s->defer.drop_headers, "B"));
    free(got);
    settings_free(&s);
}

static void test_a_key_that_comes_with_the_first_site(void **state)
{
    (void)state;
    struct settings *s = NULL;
    char *got = keep("", "defer { key = " KEY "ff }\n" SITE, &s);
    assert_string_equal(got, "");
    assert_string_equal(s->defer.key, KEY "ff");
    free(got);
    settings_free(&s);
    got = keep("defer { key = " KEY "ff }\n" SITE, "", &s);
    assert_string_equal(got, "");
    free(got);
    settings_free(&s);
}

/* The example holds every row, so reading it with each setting made active reads every default. */
static void test_example(void **state)
{
    (void)state;
    struct buf example = BUF_INIT;
    settings_doc_example(&example);
    char *got = report_on(buf_str(&example), 0600);
    assert_string_equal(got, "");
    free(got);

    struct buf active = BUF_INIT;
    for (const char *p = example.data; *p;) {
        size_t len = strcspn(p, "\n");
        size_t indent = strspn(p, " ");
        bool setting = p[indent] == '#' && p[indent + 1] != ' ' && p[indent + 1] != '\n';
        /* what another setting excludes */
        bool excluded = strncmp(p + indent, "#key_file = ", 12) == 0 ||
                        (strstr(p, "password_file") && strstr(p, "password_file") < p + len) ||
                        strncmp(p + indent, "#exclude = ", 11) == 0;
        if (setting && !excluded)
            buf_add(&active, p + indent + 1, len - indent - 1);
        else
            buf_add(&active, p, len);
        buf_addc(&active, '\n');
        p += len + (p[len] == '\n');
    }
    struct memory_file f = memory_file(buf_str(&active), 0600);
    struct settings *s = NULL;
    struct settings_report report = SETTINGS_REPORT_INIT;
    (void)!settings_load_report(f.path, &s, &report);
    assert_string_equal(buf_str(&report.text), "");
    assert_string_equal(s->exports[0].params[0].pattern, "^[A-Z]{2}$");
    settings_free(&s);
    settings_report_free(&report);
    close(f.fd);
    buf_free(&active);
    buf_free(&example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reports),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_the_same_sites),
        cmocka_unit_test(test_what_waits_for_a_restart),
        cmocka_unit_test(test_a_key_that_comes_with_the_first_site),
        cmocka_unit_test(test_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
