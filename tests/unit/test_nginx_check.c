/* SPDX-License-Identifier: MIT */
/* test_nginx_check.c: configurations of nginx and what is found in them; the reading of its files. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "tasks/ctl/nginx_check.h"
#include "tasks/ctl/nginx_conf.h"
#include "unit.h"

#define DEFER "if ($backdesk_defer) { fastcgi_pass backdesk; } fastcgi_param BACKDESK_DEFER $backdesk_defer; "
#define WHO "auth_request /who; fastcgi_param BACKDESK_USER $u; "
#define BEARER "if ($backdesk_bearer) { return 204; } client_max_body_size 0; "
#define GOOD "location /a { " WHO "proxy_pass http://x; " DEFER "}\n"
#define LETS_IN \
    "f:2: /who lets everybody come in here who sends \"Authorization: Bearer x\": give the site's own locations a " \
    "check without that\n"

static const struct {
    const char *text;
    const char *wanted; /* the report, or the fault of the form */
} cases[] = {
    {"http { server { listen 80;\n" GOOD "} }", ""},
    {"http { server {\nlocation / { proxy_pass http://x; } } }", ""},
    /* order */
    {"server { location / { " WHO DEFER "\nif ($x) { set $y 1; } } }",
     "f:2: this if stands behind the deferral at f:1 and takes its place where it matches: the request runs at "
     "once, or ends in a 500: move the include behind it\n"},
    {"server { location / { " WHO DEFER "\nif ($x) { return 403; } if ($y) { rewrite ^ /b last; } } }", ""},
    {"server { location / { " WHO "\nif ($x) { set $y 1; } " DEFER "} }", ""},
    {"server { location / { " WHO "\nrewrite ^/a /b break; " DEFER "} }",
     "f:2: this rewrite stands before the deferral, which is then passed over: move the include before it\n"},
    {"server { location / { " WHO "\nrewrite ^/a\\ b /c break; " DEFER "} }",
     "f:2: this rewrite stands before the deferral, which is then passed over: move the include before it\n"},
    {"server { a_by_lua_block { -- don't\n} location / { " WHO "\nbreak; " DEFER "} x_by_lua_block { -- it's\n} }",
     "f:3: this break stands before the deferral, which is then passed over: move the include before it\n"},
    {"server { location / { " WHO "\nbreak; " DEFER "} }",
     "f:2: this break stands before the deferral, which is then passed over: move the include before it\n"},
    {"server { location / { " WHO DEFER "\nrewrite ^/a /b break; } }", ""},
    {"server { location / { " WHO "\nreturn 418; " DEFER "} }",
     "f:2: this return answers every request before the location's protection and before the deferral\n"},
    /* who comes */
    {"server { auth_basic x;\nlocation / { " DEFER "} }",
     "f:2: this location defers but does not say who is asking, so that every deferred request is a 401: add "
     "fastcgi_param BACKDESK_USER with the user's number\n"},
    {"server {\nlocation / { fastcgi_param BACKDESK_USER 1; " DEFER "} }",
     "f:2: warning: nothing in nginx asks who may come into this deferring location: a site that looks at its sessions "
     "itself needs auth_request\n"},
    {"server { auth_basic x;\nlocation / { auth_basic off; fastcgi_param BACKDESK_USER 1; " DEFER "} }",
     "f:2: warning: nothing in nginx asks who may come into this deferring location: a site that looks at its sessions "
     "itself needs auth_request\n"},
    {"server { ssl_verify_client optional_no_ca;\nlocation / { fastcgi_param BACKDESK_USER $u; " DEFER "} }",
     "f:2: warning: nothing in nginx asks who may come into this deferring location: a site that looks at its sessions "
     "itself needs auth_request\n"},
    {"server { ssl_verify_client on; location / { fastcgi_param BACKDESK_USER $u; " DEFER "} }", ""},
    {"server { ssl_verify_client optional; if ($ssl_client_verify != SUCCESS) { return 403; }\n"
     "location / { fastcgi_param BACKDESK_USER $u; " DEFER "} }", ""},
    {"server { ssl_verify_client optional; if ($ssl_client_verify != SUCCESS) { set $u 0; }\n"
     "location / { fastcgi_param BACKDESK_USER $u; " DEFER "} }",
     "f:2: warning: nothing in nginx asks who may come into this deferring location: a site that looks at its sessions "
     "itself needs auth_request\n"},
    {"server { auth_basic x; location / {\nfastcgi_param BACKDESK_USER $remote_user; " DEFER "} }",
     "f:2: BACKDESK_USER must be a number: map $remote_user to one\n"},
    {"server { location = /who { client_max_body_size 0; if ($backdesk_bearer) { return 204; } }\nlocation / { " WHO
     DEFER "} }",
     LETS_IN},
    {"server { location = /who { if ($backdesk_bearer) { return 204; } }\n"
     "location /a { auth_request /who; proxy_pass x; } location /b { auth_request /who; "
     "if ($backdesk_bearer) { return 401; } proxy_pass x; } }",
     LETS_IN},
    {"server { location ^~ /who { " BEARER "}\n" GOOD "}", LETS_IN},
    {"server { location =/who { " BEARER "}\n" GOOD "}", LETS_IN},
    {"server { location /w { " BEARER "}\n" GOOD "}", LETS_IN},
    {"server { location ~ ^/W { } location ~* ^/W { " BEARER "} location /who { client_max_body_size 0; }\n" GOOD "}",
     LETS_IN},
    {"server { location /w { " BEARER "} location /wh { }\n" GOOD "}", ""},
    {"server { location ~ /who { " BEARER "} location ^~ /wh { }\n" GOOD "}", ""},
    {"server { location / { if ($backdesk_bearer) { return 401; } }\n" GOOD "}", ""},
    {"server { location ~ /who { " BEARER "} location = /who { client_max_body_size 0; }\n" GOOD "}", ""},
    {"server { location /who { " BEARER "} location = /who { client_max_body_size 0; }\n" GOOD "}", ""},
    {"server { location ~ (?:/who) { " BEARER "} location = /whom { " BEARER "}\n" GOOD "}", ""},
    {"server { location = /who { client_max_body_size 0; if ($backdesk_bearer) { return 204; } } location = /me { "
     "client_max_body_size 0; }\nlocation /v1/ { auth_request /who; fastcgi_pass backdesk; } location / { auth_request "
     "/me; fastcgi_param BACKDESK_USER $u; " DEFER "} }", ""},
    /* what asks who comes */
    {"server { auth_request /who; location /v1/ { fastcgi_pass backdesk; }\nlocation = /who { proxy_pass http://x; } }",
     "f:2: warning: requests with more than a megabyte end in a 500 here: client_max_body_size 0, or include "
     "backdesk-session.conf\n"
     "f:2: warning: the site is told here of a body that never comes: include backdesk-session.conf\n"},
    {"server {\nlocation /who { client_max_body_size 0; proxy_pass http://x; }\n" GOOD "}",
     "f:2: warning: the site is told here of a body that never comes: include backdesk-session.conf\n"},
    {"server {\nlocation ^~ /who { proxy_pass http://x; }\nlocation ~ /who { proxy_pass http://x; }\n" GOOD "}",
     "f:2: warning: requests with more than a megabyte end in a 500 here: client_max_body_size 0, or include "
     "backdesk-session.conf\n"
     "f:2: warning: the site is told here of a body that never comes: include backdesk-session.conf\n"},
    {"server {\nlocation /who { internal; rewrite ^ /me last; }\n" GOOD "}",
     "f:2: warning: requests with more than a megabyte end in a 500 here: client_max_body_size 0, or include "
     "backdesk-session.conf\n"},
    {"server { client_max_body_size 0; location /who { proxy_pass_request_body off; proxy_pass http://x; } " GOOD "}",
     ""},
    {"server { location /who { proxy_pass http://x; } location / { auth_request /who; proxy_pass http://y; } }", ""},
    /* parameters, nested places */
    {"server { fastcgi_param A b;\nlocation / { " WHO "fastcgi_pass x; " DEFER "} }",
     "f:2: the include hides the fastcgi_param at f:1 from this location: repeat the site's own in it\n"},
    {"server { fastcgi_param A b;\nlocation / { " WHO "fastcgi_param A b; fastcgi_pass x; " DEFER "} }", ""},
    {"server { fastcgi_param A b;\nlocation / { " WHO "proxy_pass http://x; " DEFER "} }", ""},
    {"server { location / { " WHO DEFER "\nlocation /b { proxy_pass http://x; } } }",
     "f:2: warning: this location inside a deferring one does not defer: include it here too, if it should\n"},
    {"server { location / { " WHO DEFER "\nlimit_except GET { deny all; } } }",
     "f:2: warning: methods that this limit_except restricts are not deferred\n"},
    {"server {\n" DEFER "}", "f:2: a deferral stands in a location, not in server\n"},
    /* the replay listener defers nothing */
    {"server { listen unix:/s; location / { " DEFER "} }", ""},
    /* the form */
    {"a { b; } # c { ;\n'd e' \"f\\\"g\" h\\;i ${j}k;", ""},
    {"content_by_lua_block { if x then return \"}\" end\n }} a;", "f:2: unexpected \"}\"\n"},
    {"content_by_lua_block {\n-- don't\n}\nx_by_lua_block { -- it's\n}\n}", "f:6: unexpected \"}\"\n"},
    {"a_by_lua_block {\n--[[ '\n{ ]] s = [==[ } ]] ]=] ']==] x = t[t[1]] --[ }\n--[=[ }\n]=]\n}\n}",
     "f:7: unexpected \"}\"\n"},
    {"a_by_lua_block { \"\\\n}\" '\\'}' }\n}", "f:3: unexpected \"}\"\n"},
    {"a_by_lua_block {\n[=[ } ]]", "f:1: the block that begins here has no end\n"},
    {"a_by_lua_block { --", "f:1: the block that begins here has no end\n"},
    {"a_by_lua_block { [=", "f:1: the block that begins here has no end\n"},
    {"a \\\nb \"\\\n\\\";\";\n}", "f:4: unexpected \"}\"\n"},
    {"a {\nb c;", "f:1: the block that begins here has no end\n"},
    {"a\nb", "f:1: the directive that begins here has no end\n"},
    {"a;\n}", "f:2: unexpected \"}\"\n"},
    {"a \"b;\n", "f:1: the text in quotes that begins here has no end\n"},
    {"a; ;", "f:1: a directive has no name\n"},
    {"a; {", "f:1: a directive has no name\n"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena *arena = arena_create();
        struct nginx_directive root = {0};
        struct settings_report report = SETTINGS_REPORT_INIT;
        struct error e = {0};
        if (nginx_conf_parse("f", cases[i].text, strlen(cases[i].text), arena, &root, &e) == 0)
            nginx_check(&root, NULL, &report);
        else
            buf_addf(&report.text, "%s\n", e.text);
        CHECK_CASE_TEXT(i, cases[i].text, buf_str(&report.text), cases[i].wanted);
        settings_report_free(&report);
        arena_destroy(&arena);
    }
}

#define LISTENS "server { listen unix:/s; real_ip_header X-Backdesk-Client; } server { " GOOD "} "
#define NAMES_NONE(line, value) \
    "f:" line ": $backdesk_site is \"" value "\" here, which names no section site: such requests are a 500 when " \
    "they are deferred: say which site it is: "

/* With one section site, and with two. */
static void test_sites(void **state)
{
    static const struct {
        size_t count;
        const char *text, *wanted;
    } sites[] = {
        {1, "map $host $backdesk_site { default \"\"; }", ""},
        {1, "map $host $backdesk_site { a.example demo; }", ""},
        {1, "map $host $backdesk_site { default demo;\na.example shop; }", NAMES_NONE("3", "shop") "demo\n"},
        {2, "map $host $backdesk_site {\ndefault \"\"; }", NAMES_NONE("3", "") "demo, shop\n"},
        {2, "map $host $backdesk_site { hostnames; default demo; .a.example shop; b.example $b; }", ""},
        {2, "map $host $backdesk_site { volatile; a.example shop; }", NAMES_NONE("2", "") "demo, shop\n"},
        {2, "map $host $other { default \"\"; }", ""},
        {2, "map $host $backdesk_site { default \"\"; } server { set $backdesk_site demo; }", ""},
        {2, "map $host $backdesk_site { default \"\"; } server {\nset $backdesk_site \"\"; }",
         NAMES_NONE("3", "") "demo, shop\n"},
    };
    static struct site_def defs[] = {{.name = "demo", .socket = "/s"}, {.name = "shop", .socket = "/s"}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sites); i++) {
        struct arena *arena = arena_create();
        struct nginx_directive root = {0};
        struct settings_report report = SETTINGS_REPORT_INIT;
        const struct settings s = {.sites = defs, .site_count = sites[i].count};
        const char *text = arena_printf(arena, "%s%s", LISTENS, sites[i].text);
        assert_int_equal(nginx_conf_parse("f", text, strlen(text), arena, &root, NULL), 0);
        nginx_check(&root, &s, &report);
        CHECK_CASE_TEXT(i, sites[i].text, buf_str(&report.text), sites[i].wanted);
        settings_report_free(&report);
        arena_destroy(&arena);
    }
}

static void test_words(void **state)
{
    static const char text[] = "log_format x '$a \"b\"'\n  \"c\\\"d\";\nlocation ~ \"^/{x}$\" { return 204; }";
    (void)state;
    struct arena *arena = arena_create();
    struct nginx_directive root = {0};
    struct error e = {0};
    assert_int_equal(nginx_conf_parse("f", text, strlen(text), arena, &root, &e), 0);
    const struct nginx_directive *format = root.first, *location = format->next;
    assert_int_equal(format->count, 4);
    assert_string_equal(nginx_word(format, 2), "$a \"b\"");
    assert_string_equal(nginx_word(format, 3), "c\"d");
    assert_string_equal(nginx_word(format, 9), "");
    assert_int_equal(location->line, 3);
    assert_string_equal(nginx_word(location, 2), "^/{x}$");
    assert_non_null(nginx_child(location, "return"));
    assert_null(nginx_child(location, "deny"));
    arena_destroy(&arena);
}

/* What nginx 1.22 answers with these words. */
static void test_escapes(void **state)
{
    static const struct {
        const char *text, *word;
    } words[] = {
        {"\"a\\tb\\nc\\\"d\\'e\\x\\\\f\\r\"", "a\tb\nc\"d'e\\x\\f\r"},
        {"'a\\\"b\\'c\\;'", "a\"b'c\\;"},
        {"a\\ b\\;c\\\"d\\tx\\\\y\\{", "a\\ b\\;c\"d\tx\\y\\{"},
        {"\\\"a", "\"a"},
        {"a\\\nb", "a\\\nb"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        struct arena *arena = arena_create();
        struct nginx_directive root = {0};
        const char *text = arena_printf(arena, "return %s;", words[i].text);
        assert_int_equal(nginx_conf_parse("f", text, strlen(text), arena, &root, NULL), 0);
        assert_int_equal(root.first->count, 2);
        CHECK_CASE_TEXT(i, text, nginx_word(root.first, 1), words[i].word);
        arena_destroy(&arena);
    }
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void test_includes(void **state)
{
    (void)state;
    char folder[] = "/tmp/nginx_check.XXXXXX", path[200];
    assert_non_null(mkdtemp(folder));
    write_file(folder, "main", "a;\ninclude part.*;\nb { include none.*; c; }\nd;");
    write_file(folder, "part.1", "p { include leaf; }");
    write_file(folder, "part.2", "q;\n");
    write_file(folder, "leaf", "\nl;");
    write_file(folder, "loop", "include loop;");
    write_file(folder, "lost", "\ninclude gone;");
    static const char *const names[] = {"main", "part.1", "part.2", "leaf", "loop", "lost"};
    struct arena *arena = arena_create();
    struct nginx_directive *root;
    struct error e = {0};
    snprintf(path, sizeof path, "%s/main", folder);
    assert_int_equal(nginx_conf_read(path, arena, &root, &e), 0);
    char got[64] = "";
    for (const struct nginx_directive *d = root->first; d; d = d->next)
        strcat(got, nginx_word(d, 0));
    assert_string_equal(got, "apqbd");
    const struct nginx_directive *leaf = nginx_child(root->first->next, "l");
    assert_int_equal(leaf->line, 2);
    assert_string_equal(nginx_word(leaf->parent, 0), "p");
    snprintf(path, sizeof path, "%s/loop", folder);
    assert_int_equal(nginx_conf_read(path, arena, &root, &e), ERR_INVALID);
    snprintf(path, sizeof path, "%s/lost", folder);
    error_clear(&e);
    assert_int_equal(nginx_conf_read(path, arena, &root, &e), ERR_IO);
    assert_non_null(strstr(e.text, "/lost:2: "));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
    arena_destroy(&arena);
}

static volatile sig_atomic_t signals;
static int pipe_end;

/* Writes once a read must have been interrupted. */
static void on_alarm(int sig)
{
    (void)sig;
    if (++signals != 5)
        return;
    if (write(pipe_end, "a;", 2) != 2)
        abort();
    close(pipe_end);
}

static void test_interrupted(void **state)
{
    static const struct itimerval often = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    (void)state;
    char folder[] = "/tmp/nginx_check.XXXXXX", path[200];
    struct arena *arena = arena_create();
    struct nginx_directive *root;
    struct error e = {0};
    struct sigaction then, action = {.sa_handler = on_alarm};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    pipe_end = open(path, O_RDWR | O_CLOEXEC);
    assert_true(pipe_end >= 0);
    assert_int_equal(sigaction(SIGALRM, &action, &then), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
    int rc = nginx_conf_read(path, arena, &root, &e);
    assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
    assert_int_equal(sigaction(SIGALRM, &then, NULL), 0);
    assert_string_equal(e.text, "");
    assert_int_equal(rc, 0);
    assert_non_null(nginx_child(root, "a"));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_sites),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_includes),
        cmocka_unit_test(test_interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
