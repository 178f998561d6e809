/* SPDX-License-Identifier: MIT */
/* test_validate.c: data of tasks against a catalogue: the faults, the values, and the schema. */
#include <json-c/json.h>
#include <locale.h>

#include "base/json.h"
#include "task/validate.h"
#include "unit.h"

static const char config[] =
    "type \"dummy\" { enabled = yes }\n"
    "type \"html_export\" { enabled = no }\n"
    "source \"s\" { database = d user = u }\n"
    "export \"plain\" { default = yes query = 'SELECT :owner' }\n"
    "export \"rich\" {\n"
    "  title = 'Rich' role = admin\n"
    "  query = 'SELECT :word, :owner, :n, :x, :flag, :day, :at, :kind, :n'\n"
    "  param \"word\" { required = yes max_length = 3 pattern = '^[a-z\xc3\xa9]*$' }\n"
    "  param \"n\" { type = integer min = -5 max = 5 default = 3 }\n"
    "  param \"x\" { type = number max = 1e3 }\n"
    "  param \"flag\" { type = boolean default = no }\n"
    "  param \"day\" { type = date min = 2000-01-01 max = 2026-12-31 }\n"
    "  param \"at\" { type = datetime max = 2030-01-01T00:00:00Z }\n"
    "  param \"kind\" { type = enum values = {red, 'dark green'} default = red }\n"
    "}\n"
    "import \"books\" { target = s table = books owner = o }\n"
    "import \"more\" { target = s table = more owner = o }\n"
    "export \"paper\" { formats = {html} query = 'SELECT :owner' }\n";

struct world {
    struct settings *settings;
    struct catalogue *catalogue;
    struct arena *arena;
};

static int setup(void **state)
{
    static struct world world;
    struct memory_file f = memory_file(config, 0600);
    struct error e = {0};
    if (catalogue_load(f.path, &world.settings, &world.catalogue, &e))
        fail_msg("%s", e.text);
    close(f.fd);
    world.arena = arena_create();
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    catalogue_free(&w->catalogue);
    settings_free(&w->settings);
    arena_destroy(&w->arena);
    return 0;
}

#define RICH(params) "{\"export\":\"rich\",\"params\":" params "}"
#define WORD_FAULT "/data/params/word must be text of at most 3 characters that matches ^[a-z\xc3\xa9]*$\n"
#define N_FAULT "/data/params/n must be an integer from -5 to 5\n"
#define DAY_FAULT \
    "/data/params/day must be a date such as 2026-11-21, not before 2000-01-01 and not after 2026-12-31\n"
#define AT_FAULT                                                                       \
    "/data/params/at must be an instant by RFC 3339 such as 2026-11-21T09:30:00Z, not " \
    "after 2030-01-01T00:00:00Z\n"

/* Type, data, and all faults as lines "pointer detail". */
static const struct {
    const char *type, *data, *wanted;
} cases[] = {
    {"csv_export", "null", ""},
    {"csv_export", "{}", ""},
    {"csv_export", "{\"export\":\"plain\"}", ""},
    {"csv_export", "{\"params\":{}}", ""},
    {"csv_export", RICH("{\"word\":\"abc\"}"), ""},
    {"csv_export", RICH("{\"word\":\"\xc3\xa9\xc3\xa9\"}"), ""},
    {"csv_export",
     RICH("{\"word\":\"a\",\"n\":-5,\"x\":1e3,\"flag\":true,\"day\":\"2000-01-01\","
          "\"at\":\"2029-12-31T23:59:59+00:00\",\"kind\":\"dark green\"}"),
     ""},
    {"csv_export", RICH("{\"word\":\"a\",\"n\":5.0}"), ""},

#define UPLOAD "\"upload\":\"0123456789abcdef0123456789abcdef\""
    {"csv_import", "{\"import\":\"books\"," UPLOAD "}", ""},
    {"csv_import",
     "{\"import\":\"more\"," UPLOAD ",\"delimiter\":\"\\t\",\"duplicates\":\"skip\",\"dry_run\":true}", ""},
    {"csv_import", "{}",
     "/data/import is missing; known are books, more\n/data/upload is missing\n"},
    {"csv_import", "{\"import\":1,\"upload\":\"0123456789ABCDEF0123456789ABCDEF\",\"delimiter\":\"x\",\"params\":{}}",
     "/data/import there is no such import; known are books, more\n"
     "/data/upload must be the id of an upload\n"
     "/data/delimiter must be one of \",\", \";\", \"\\t\", \"|\"\n"
     "/data/params is not known here: known are import, upload, delimiter, duplicates, dry_run\n"},
    {"csv_import", "{\"import\":\"books\",\"upload\":\"../../etc/passwd\"}",
     "/data/upload must be the id of an upload\n"},

    {"nope", "{}", "/type there is no such type; GET /v1/tasks/types lists them\n"},
    {"html_export", "{}", "/type this type is switched off here\n"},
    {"csv_export", "[]", "/data must be an object\n"},
    {"csv_export", "\"plain\"", "/data must be an object\n"},
    {"csv_export", "{\"export\":null}", "/data/export there is no such export; known are plain, rich\n"},
    {"csv_export", "{\"export\":\"Plain\"}", "/data/export there is no such export; known are plain, rich\n"},
    {"csv_export", "{\"export\":\"plain\\u0000\"}",
     "/data/export there is no such export; known are plain, rich\n"},
    {"csv_export", "{\"export\":\"paper\"}", "/data/export there is no such export; known are plain, rich\n"},
    {"csv_export", "{\"params\":null}", "/data/params must be an object\n"},
    {"csv_export", "{\"params\":[1]}", "/data/params must be an object\n"},
    {"csv_export", "{\"params\":{\"owner\":1}}",
     "/data/params/owner is not known here: none is expected\n"},
    {"csv_export", "{\"exprot\":\"rich\"}",
     "/data/exprot is not known here: known are export, params, gzip\n"},
    {"csv_export", "{\"a/b~c\":1,\"\":2}",
     "/data/a~1b~0c is not known here: known are export, params, gzip\n"
     "/data/ is not known here: known are export, params, gzip\n"},
    {"csv_export", "{\"gzip\":1}", "/data/gzip must be true or false\n"},
    {"csv_export", "{\"export\":\"rich\"}", "/data/params/word is missing\n"},
    {"csv_export", RICH("{}"), "/data/params/word is missing\n"},
    {"csv_export", RICH("{\"word\":\"abcd\"}"), WORD_FAULT},
    {"csv_export", RICH("{\"word\":\"A\"}"), WORD_FAULT},
    {"csv_export", RICH("{\"word\":\"a\\u0000\"}"), WORD_FAULT},
    {"csv_export", RICH("{\"word\":null}"), WORD_FAULT},
    {"csv_export", RICH("{\"word\":1}"), WORD_FAULT},
    {"csv_export", RICH("{\"word\":\"a\",\"n\":6}"), N_FAULT},
    {"csv_export", RICH("{\"word\":\"a\",\"n\":\"5\"}"), N_FAULT},
    {"csv_export", RICH("{\"word\":\"a\",\"n\":1.5}"), N_FAULT},
    {"csv_export", RICH("{\"word\":\"a\",\"n\":18446744073709551615}"), N_FAULT},
    {"csv_export", RICH("{\"word\":\"a\",\"n\":1e300}"), N_FAULT},
    {"csv_export", RICH("{\"word\":\"a\",\"n\":true}"), N_FAULT},
    {"csv_export", RICH("{\"word\":\"a\",\"x\":1001}"),
     "/data/params/x must be a number of at most 1e3\n"},
    {"csv_export", RICH("{\"word\":\"a\",\"flag\":1}"), "/data/params/flag must be true or false\n"},
    {"csv_export", RICH("{\"word\":\"a\",\"day\":\"1999-12-31\"}"), DAY_FAULT},
    {"csv_export", RICH("{\"word\":\"a\",\"day\":\"2026-02-29\"}"), DAY_FAULT},
    {"csv_export", RICH("{\"word\":\"a\",\"day\":\"2026-2-1\"}"), DAY_FAULT},
    {"csv_export", RICH("{\"word\":\"a\",\"day\":\"2026-02-01 \"}"), DAY_FAULT},
    {"csv_export", RICH("{\"word\":\"a\",\"day\":20260201}"), DAY_FAULT},
    {"csv_export", RICH("{\"word\":\"a\",\"at\":\"2030-01-01T00:00:00.000001Z\"}"), AT_FAULT},
    {"csv_export", RICH("{\"word\":\"a\",\"at\":\"2026-11-21\"}"), AT_FAULT},
    {"csv_export", RICH("{\"word\":\"a\",\"kind\":\"green\"}"),
     "/data/params/kind must be one of red, dark green\n"},
    {"csv_export", "{\"export\":\"rich\",\"zip\":1,\"params\":{\"n\":9,\"m\":1,\"day\":1}}",
     "/data/params/word is missing\n" N_FAULT DAY_FAULT
     "/data/params/m is not known here: known are word, n, x, flag, day, at, kind\n"
     "/data/zip is not known here: known are export, params, gzip\n"},

    {"dummy", "null", ""},
    {"dummy", "{\"seconds\":0.25,\"steps\":3,\"fail\":true,\"crash\":false}", ""},
    {"dummy", "{\"seconds\":-0.1}", "/data/seconds must be a number of at least 0\n"},
    {"dummy", "{\"export\":\"plain\"}",
     "/data/export is not known here: known are seconds, steps, fail, crash\n"},
};

static void test_faults(void **state)
{
    struct world *w = *state;
    struct buf got = BUF_INIT;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct json_object *data;
        struct faults faults = FAULTS_INIT(w->arena);
        assert_int_equal(json_parse(cases[i].data, strlen(cases[i].data), &data, NULL), 0);
        int rc = task_validate(w->catalogue, cases[i].type, data, &faults);
        json_object_put(data);
        buf_clear(&got);
        for (size_t k = 0; k < faults.count; k++)
            buf_addf(&got, "%s %s\n", faults.items[k].pointer, faults.items[k].detail);
        CHECK_CASE_TEXT(i, cases[i].data, buf_str(&got), cases[i].wanted);
        CHECK_CASE(i, cases[i].data, rc == (faults.count ? ERR_INVALID : 0));
    }
    buf_free(&got);
}

static void test_many_faults(void **state)
{
    struct world *w = *state;
    struct buf data = BUF_INIT;
    buf_addc(&data, '{');
    for (int i = 0; i < 1000; i++)
        buf_addf(&data, "%s\"m%d\":0", i ? "," : "", i);
    buf_addc(&data, '}');
    struct json_object *json;
    struct faults faults = FAULTS_INIT(w->arena);
    assert_int_equal(json_parse(data.data, data.len, &json, NULL), 0);
    assert_int_equal(task_validate(w->catalogue, "dummy", json, &faults), ERR_INVALID);
    assert_int_equal(faults.count, FAULTS_MAX);
    json_object_put(json);
    buf_free(&data);
}

static int bind(struct world *w, const char *data, struct export_call *call, struct error *e)
{
    *e = (struct error){0};
    return export_bind(w->catalogue, task_type_find("csv_export"), data, strlen(data), 42, w->arena,
                       call, e);
}

static void test_export_bind(void **state)
{
    struct world *w = *state;
    struct export_call call;
    struct error e;
    assert_int_equal(bind(w, RICH("{\"word\":\"abc\",\"x\":0.10,\"day\":\"2026-11-21\","
                                  "\"at\":\"2026-11-21T01:00:00+01:00\"}"),
                          &call, &e),
                     0);
    assert_string_equal(call.export->def->name, "rich");
    assert_string_equal(call.export->query.text, "SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?");
    static const struct {
        const char *name, *text;
    } wanted[] = {{"word", "abc"}, {"owner", "42"},       {"n", "3"},
                  {"x", "0.10"},   {"flag", "no"},        {"day", "2026-11-21"},
                  {"at", "2026-11-21T01:00:00+01:00"},    {"kind", "red"},
                  {"n", "3"}};
    assert_int_equal(call.bind_count, COUNT_OF(wanted));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        CHECK_CASE_TEXT(i, "name", call.binds[i].name, wanted[i].name);
        CHECK_CASE_TEXT(i, "text", call.binds[i].text, wanted[i].text);
    }
    assert_int_equal(call.binds[1].integer, 42);
    assert_int_equal(call.binds[2].integer, 3);
    assert_true(call.binds[3].number == 0.1);
    assert_false(call.binds[4].boolean);
    assert_int_equal(call.binds[5].date.month, 11);
    assert_int_equal(call.binds[6].instant, INT64_C(1795219200000000));

    assert_int_equal(bind(w, RICH("{\"word\":\"\"}"), &call, &e), 0);
    assert_true(call.binds[3].is_null);
    assert_null(call.binds[3].text);
    assert_string_equal(call.binds[0].text, "");
    assert_false(call.binds[0].is_null);

    assert_int_equal(bind(w, "{}", &call, &e), 0);
    assert_string_equal(call.export->def->name, "plain");
    assert_int_equal(bind(w, "not JSON", &call, &e), ERR_INVALID);
    assert_string_equal(e.text,
                        "data is no valid JSON: line 1, column 1: here a value is expected");
    assert_int_equal(bind(w, "{\"export\":\"gone\"}", &call, &e), ERR_INVALID);
    assert_string_equal(e.text, "/data/export: there is no such export; known are plain, rich");
}

static const struct {
    const char *type, *data, *role, *pointer;
} roles[] = {
    {"csv_export", "{\"export\":\"rich\"}", "admin", "/data/export"},
    {"html_export", "{\"export\":\"rich\"}", "admin", "/data/export"}, /* also where the type is off */
    {"csv_export", "{\"export\":\"plain\"}", NULL, "/data/export"},
    {"csv_export", "{\"export\":\"gone\"}", NULL, "/data/export"},
    {"csv_export", "{\"export\":7}", NULL, "/data/export"},
    {"csv_export", "{}", NULL, "/type"},
    {"csv_export", "[]", NULL, "/type"},
    {"csv_export", "null", NULL, "/type"},
    {"backup", "{}", "admin", "/type"},
    {"dummy", "{\"export\":\"rich\"}", NULL, "/type"},
    {"nothing", "{}", NULL, "/type"},
};

static void test_roles(void **state)
{
    struct world *w = *state;
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        struct json_object *data = NULL;
        struct error e = {0};
        const char *pointer;
        assert_int_equal(json_parse(roles[i].data, strlen(roles[i].data), &data, &e), 0);
        const char *role = task_role(w->catalogue, roles[i].type, data, &pointer);
        CHECK_CASE_TEXT(i, roles[i].data, role ? role : "", roles[i].role ? roles[i].role : "");
        CHECK_CASE_TEXT(i, roles[i].data, pointer, roles[i].pointer);
        json_object_put(data);
    }
}

static void test_task_bind(void **state)
{
    struct world *w = *state;
    struct bound_params b;
    struct error e = {0};
    const struct task_type *dummy = task_type_find("dummy");
    assert_int_equal(task_bind(w->catalogue, dummy, "{\"seconds\":2}", 13, w->arena, &b, &e), 0);
    assert_true(bound_param(&b, "seconds")->number == 2.0);
    assert_int_equal(bound_param(&b, "steps")->integer, 10);
    assert_false(bound_param(&b, "crash")->boolean);
    assert_null(bound_param(&b, "other"));
    const struct task_type *off = task_type_find("html_export");
    assert_int_equal(task_bind(w->catalogue, off, "{}", 2, w->arena, &b, &e), ERR_INVALID);
}

static bool lacks_locale;

locale_t __real_newlocale(int mask, const char *name, locale_t base);
locale_t __wrap_newlocale(int mask, const char *name, locale_t base);
locale_t __wrap_newlocale(int mask, const char *name, locale_t base)
{
    return lacks_locale ? (locale_t)0 : __real_newlocale(mask, name, base);
}

/* Whether a parameter with PATTERN takes WORD. *REPORT gets what was said of the configuration. */
static bool takes(const char *pattern, const char *word, struct settings_report *report)
{
    struct buf text = BUF_INIT;
    struct settings *settings;
    struct catalogue *catalogue;
    struct json_object *data;
    struct error e = {0};
    struct arena *arena = arena_create();
    struct faults faults = FAULTS_INIT(arena);
    buf_addf(&text, "source \"s\" { database = d user = u }\nexport \"x\" { query = 'SELECT :owner, :w'\n"
                    "param \"w\" { pattern = '%s' } }\n", pattern);
    struct memory_file f = memory_file(buf_str(&text), 0600);
    assert_int_equal(settings_load(f.path, &settings, &e), 0);
    assert_int_equal(catalogue_create(settings, &catalogue, report), 0);
    buf_clear(&text);
    buf_addf(&text, "{\"params\":{\"w\":\"%s\"}}", word);
    assert_int_equal(json_parse(text.data, text.len, &data, NULL), 0);
    int rc = task_validate(catalogue, "csv_export", data, &faults);
    json_object_put(data);
    catalogue_free(&catalogue);
    settings_free(&settings);
    arena_destroy(&arena);
    buf_free(&text);
    close(f.fd);
    return rc == 0;
}

static void test_characters(void **state)
{
    static const struct {
        const char *pattern, *word;
        bool taken;
    } patterns[] = {
        {"^.{1,2}$", "\xc3\xa9\xc3\xa9", true},
        {"^.{1,2}$", "\xf0\x9f\x98\x80\xc3\xa9", true},
        {"^.{1,2}$", "\xc3\xa9\xc3\xa9\xc3\xa9", false},
        {"^[[:alpha:]]+$", "\xc3\xa9", true},
        {"^[[:alpha:]]+$", "\xe2\x82\xac", false},
        {"^[^a]$", "\xc3\xa9", true},
        {"^[a\xc3\xa9]$", "\xc3\xa8", false},
        {"^[a-z]{2}$", "ab", true},
        {"^[a-z]$", "B", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(patterns); i++) {
        struct settings_report report = SETTINGS_REPORT_INIT;
        CHECK_CASE(i, patterns[i].pattern, takes(patterns[i].pattern, patterns[i].word, &report) == patterns[i].taken);
        CHECK_CASE_TEXT(i, patterns[i].pattern, buf_str(&report.text), "");
        settings_report_free(&report);
    }
}

/* Refused by some systems in C.UTF-8: what was good before is good still. */
static void test_range(void **state)
{
    struct settings_report report = SETTINGS_REPORT_INIT;
    (void)state;
    assert_true(takes("^[a-z\xc3\xa0-\xc3\xbc]+$", "d\xc3\xa9j\xc3\xa0", &report));
    settings_report_free(&report);
}

static void test_no_characters(void **state)
{
    struct settings_report report = SETTINGS_REPORT_INIT;
    (void)state;
    lacks_locale = true;
    assert_true(takes("^a.{2}$", "a\xc3\xa9", &report));
    lacks_locale = false;
    assert_non_null(strstr(buf_str(&report.text), ":3: warning: export \"x\" param \"w\": pattern is about bytes, "
                                                  "not characters: this system"));
    settings_report_free(&report);
}

/* The member at the end of PATH ("oneOf/0/title") as JSON text; "" where there is none. */
static const char *at_path(struct json_object *o, const char *path)
{
    char copy[200], *save = NULL;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *name = strtok_r(copy, "/", &save); name; name = strtok_r(NULL, "/", &save)) {
        if (json_object_is_type(o, json_type_array))
            o = json_object_array_get_idx(o, (size_t)(name[0] - '0'));
        else if (!json_object_object_get_ex(o, name, &o))
            return "";
    }
    return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static const struct {
    const char *path, *wanted;
} schema[] = {
    {"types/0/name", "\"csv_export\""},
    {"types/0/role", "null"},
    {"types/0/parameters/oneOf/0/properties/export", "{\"const\":\"plain\"}"},
    {"types/0/parameters/oneOf/0/required", ""},
    {"types/0/parameters/oneOf/1/title", "\"Rich\""},
    {"types/0/parameters/oneOf/0/role", ""},
    {"types/0/parameters/oneOf/1/role", "\"admin\""},
    {"types/0/parameters/oneOf/1/required", "[\"export\",\"params\"]"},
    {"types/0/parameters/oneOf/1/additionalProperties", "false"},
    {"types/0/parameters/oneOf/1/properties/params/required", "[\"word\"]"},
    {"types/0/parameters/oneOf/1/properties/params/properties/word",
     "{\"type\":\"string\",\"maxLength\":3,\"pattern\":\"^[a-z\xc3\xa9]*$\"}"},
    {"types/0/parameters/oneOf/1/properties/params/properties/n",
     "{\"type\":\"integer\",\"minimum\":-5,\"maximum\":5,\"default\":3}"},
    {"types/0/parameters/oneOf/1/properties/params/properties/x",
     "{\"type\":\"number\",\"maximum\":1000}"},
    {"types/0/parameters/oneOf/1/properties/params/properties/flag",
     "{\"type\":\"boolean\",\"default\":false}"},
    {"types/0/parameters/oneOf/1/properties/params/properties/day",
     "{\"type\":\"string\",\"format\":\"date\",\"formatMinimum\":\"2000-01-01\","
     "\"formatMaximum\":\"2026-12-31\"}"},
    {"types/0/parameters/oneOf/1/properties/params/properties/kind",
     "{\"type\":\"string\",\"enum\":[\"red\",\"dark green\"],\"default\":\"red\"}"},
    {"types/0/parameters/oneOf/2", "null"}, /* paper is HTML only */
    {"types/0/parameters/oneOf/0/properties/gzip/type", "\"boolean\""},
    {"types/1/name", "\"json_export\""}, /* html_export is off */
    {"types/1/parameters/oneOf/0/properties/lines/default", "false"},
    {"types/1/parameters/oneOf/0/properties/gzip/default", "false"},
    {"types/2/name", "\"xlsx_export\""},
    {"types/3/parameters/oneOf/1/properties/import/const", "\"more\""},
    {"types/3/parameters/oneOf/1/title", "\"more\""},
    {"types/3/parameters/oneOf/1/required", "[\"import\",\"upload\"]"},
    {"types/3/parameters/oneOf/1/properties/params", ""},
    {"types/3/parameters/oneOf/0/properties/upload/format", "\"backdesk-upload\""},
    {"types/4/name", "\"dummy\""},
    {"types/4/parameters/properties/seconds/minimum", "0"},
    {"types/4/parameters/additionalProperties", "false"},
    {"types/5", "null"},
};

/* What is shown to others than admins. */
static const struct {
    const char *path, *wanted;
} others_schema[] = {
    {"types/0/parameters/oneOf/0/properties/export", "{\"const\":\"plain\"}"},
    {"types/0/parameters/oneOf/1", "null"},
    {"types/1/name", "\"json_export\""},
};

static struct json_object *schema_for(const struct catalogue *c, bool admin)
{
    struct buf out = BUF_INIT;
    struct json_object *json;
    struct error e = {0};
    catalogue_json(c, admin, &out);
    assert_int_equal(json_parse(out.data, out.len, &json, &e), 0);
    buf_free(&out);
    return json;
}

static void test_schema(void **state)
{
    const struct world *w = *state;
    struct json_object *json = schema_for(w->catalogue, true);
    for (size_t i = 0; i < COUNT_OF(schema); i++)
        CHECK_CASE_TEXT(i, schema[i].path, at_path(json, schema[i].path), schema[i].wanted);
    json_object_put(json);
    json = schema_for(w->catalogue, false);
    for (size_t i = 0; i < COUNT_OF(others_schema); i++)
        CHECK_CASE_TEXT(i, others_schema[i].path, at_path(json, others_schema[i].path), others_schema[i].wanted);
    json_object_put(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults),      cmocka_unit_test(test_many_faults),
        cmocka_unit_test(test_export_bind), cmocka_unit_test(test_task_bind),
        cmocka_unit_test(test_characters),  cmocka_unit_test(test_no_characters),
        cmocka_unit_test(test_range),       cmocka_unit_test(test_roles),
        cmocka_unit_test(test_schema),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
