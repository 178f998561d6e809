/* SPDX-License-Identifier: MIT */
/* nginx_check.c: the rules for deferring locations, one function each. */
#include "nginx_check.h"

#include <regex.h>
#include <string.h>

#include "base/buf.h"

#define FAULT(d, ...) settings_error(report, (d)->file, (d)->line, __VA_ARGS__)
#define DOUBT(d, ...) settings_warning(report, (d)->file, (d)->line, __VA_ARGS__)

/* The if of backdesk-defer.conf and its sisters. */
static bool is_deferral(const struct nginx_directive *d)
{
    return nginx_is(d, "if") && strncmp(nginx_word(d, 1), "($backdesk_defer", 16) == 0;
}

static const struct nginx_directive *deferral_of(const struct nginx_directive *d)
{
    for (const struct nginx_directive *c = d->first; c; c = c->next)
        if (is_deferral(c))
            return c;
    return NULL;
}

/* NAME in the location or the nearest block around it. */
static const struct nginx_directive *in_effect(const struct nginx_directive *d, const char *name)
{
    const struct nginx_directive *found = NULL;
    for (; d && !found; d = d->parent)
        found = nginx_child(d, name);
    return found;
}

/* Whether the request's way ends in D's own directives, whatever stands in the location. */
static bool leaves(const struct nginx_directive *d)
{
    for (const struct nginx_directive *c = d->first; c; c = c->next) {
        const char *flag = nginx_word(c, 3);
        bool away = !strcmp(flag, "last") || !strcmp(flag, "redirect") || !strcmp(flag, "permanent");
        if (nginx_is(c, "return") || (nginx_is(c, "rewrite") && away))
            return true;
    }
    return false;
}

/* An if that matches later takes the place of the deferral's. */
static void check_later(const struct nginx_directive *deferral, struct settings_report *report)
{
    for (const struct nginx_directive *c = deferral->next; c; c = c->next)
        if (nginx_is(c, "if") && !is_deferral(c) && !leaves(c))
            FAULT(c, "this if stands behind the deferral at %s:%d and takes its place where it matches: the request "
                     "runs at once, or ends in a 500: move the include behind it",
                  deferral->file, deferral->line);
}

static void check_earlier(const struct nginx_directive *location, const struct nginx_directive *deferral,
                          struct settings_report *report)
{
    for (const struct nginx_directive *c = location->first; c != deferral; c = c->next)
        if (nginx_is(c, "break") || (nginx_is(c, "rewrite") && strcmp(nginx_word(c, 3), "break") == 0))
            FAULT(c, "this %s stands before the deferral, which is then passed over: move the include before it",
                  c->words[0]);
        else if (nginx_is(c, "return"))
            FAULT(c, "this return answers every request before the location's protection and before the deferral");
}

static bool is_backdesk_param(const struct nginx_directive *d)
{
    return strncmp(nginx_word(d, 1), "BACKDESK_", 9) == 0;
}

static const struct nginx_directive *server_of(const struct nginx_directive *d)
{
    while (d && !nginx_is(d, "server"))
        d = d->parent;
    return d;
}

enum location_kind { LOCATION_EXACT, LOCATION_PREFERRED, LOCATION_CASELESS, LOCATION_REGEX, LOCATION_PREFIX };

/* *PATH is what stands behind the sign, with or without a blank between: a path or an expression. */
static enum location_kind kind_of(const struct nginx_directive *location, const char **path)
{
    static const char *const signs[] = {[LOCATION_EXACT] = "=",
                                        [LOCATION_PREFERRED] = "^~",
                                        [LOCATION_CASELESS] = "~*",
                                        [LOCATION_REGEX] = "~",
                                        [LOCATION_PREFIX] = ""};
    const char *word = nginx_word(location, 1);
    int kind = LOCATION_EXACT;
    while (strncmp(word, signs[kind], strlen(signs[kind])) != 0)
        kind++;
    word += strlen(signs[kind]);
    *path = *word ? word : nginx_word(location, 2);
    return (enum location_kind)kind;
}

static bool is_regex(enum location_kind kind)
{
    return kind == LOCATION_REGEX || kind == LOCATION_CASELESS;
}

struct choice {
    const struct nginx_directive *location;
    enum location_kind kind;
    size_t len; /* of its path */
};

static void choose_by_path(const struct nginx_directive *d, const char *path, struct choice *best)
{
    for (const struct nginx_directive *c = d->first; c; c = c->next) {
        const char *own;
        enum location_kind kind = kind_of(c, &own);
        size_t len = strlen(own);
        bool fits = kind == LOCATION_EXACT ? strcmp(own, path) == 0 : !is_regex(kind) && !strncmp(own, path, len);
        bool better = !best->location || kind == LOCATION_EXACT || len > best->len;
        if (nginx_is(c, "location") && fits && better)
            *best = (struct choice){c, kind, len};
        choose_by_path(c, path, best);
    }
}

/* What POSIX does not know of nginx's expressions matches nothing here. */
static bool matches(const char *expression, const char *path, bool caseless)
{
    regex_t regex;
    if (regcomp(&regex, expression, REG_EXTENDED | REG_NOSUB | (caseless ? REG_ICASE : 0)))
        return false;
    bool matched = regexec(&regex, path, 0, NULL, 0) == 0;
    regfree(&regex);
    return matched;
}

static const struct nginx_directive *first_match(const struct nginx_directive *d, const char *path)
{
    const struct nginx_directive *found = NULL;
    for (const struct nginx_directive *c = d->first; c && !found; c = c->next) {
        const char *own;
        enum location_kind kind = kind_of(c, &own);
        bool is_one = nginx_is(c, "location") && is_regex(kind) && matches(own, path, kind == LOCATION_CASELESS);
        found = is_one ? c : first_match(c, path);
    }
    return found;
}

/* The location of SERVER that nginx takes for PATH; NULL: none. */
static const struct nginx_directive *location_for(const struct nginx_directive *server, const char *path)
{
    struct choice best = {.kind = LOCATION_PREFIX};
    choose_by_path(server, path, &best);
    const struct nginx_directive *match = best.kind == LOCATION_PREFIX ? first_match(server, path) : NULL;
    return match ? match : best.location;
}

/* What D does with who brings a token; NULL: nothing of its own. */
static const struct nginx_directive *token_if(const struct nginx_directive *d)
{
    for (const struct nginx_directive *c = d->first; c; c = c->next)
        if (nginx_is(c, "if") && strcmp(nginx_word(c, 1), "($backdesk_bearer)") == 0)
            return c;
    return NULL;
}

/* Whether API tokens pass, unseen, what SERVER says at PATH. */
static bool passes_tokens(const struct nginx_directive *server, const char *path)
{
    const struct nginx_directive *location = server ? location_for(server, path) : NULL;
    const struct nginx_directive *way = location ? token_if(location) : NULL;
    const struct nginx_directive *answer = way ? nginx_child(way, "return") : NULL;
    return way && (!answer || *nginx_word(answer, 1) == '2');
}

/* Whether an if of D's own turns away who has shown no good certificate. */
static bool refuses_strangers(const struct nginx_directive *d)
{
    for (const struct nginx_directive *c = d ? d->first : NULL; c; c = c->next)
        if (nginx_is(c, "if") && !strcmp(nginx_word(c, 1), "($ssl_client_verify") && *nginx_word(c, 2) == '!' &&
            leaves(c))
            return true;
    return false;
}

static void check_identity(const struct nginx_directive *location, struct settings_report *report)
{
    static const struct {
        const char *name, *only; /* the value that asks; NULL: every one but "off" */
    } asks[] = {{"auth_request", NULL}, {"auth_basic", NULL}, {"auth_jwt", NULL}, {"ssl_verify_client", "on"}};
    const struct nginx_directive *user = NULL;
    bool asked = refuses_strangers(location) || refuses_strangers(server_of(location));
    for (const struct nginx_directive *c = location->first; c; c = c->next)
        if (nginx_is(c, "fastcgi_param") && strcmp(nginx_word(c, 1), "BACKDESK_USER") == 0)
            user = c;
    if (!user)
        FAULT(location, "this location defers but does not say who is asking, so that every deferred request is a 401: "
                        "add fastcgi_param BACKDESK_USER with the user's number");
    for (size_t i = 0; i < COUNT_OF(asks); i++) {
        const struct nginx_directive *d = in_effect(location, asks[i].name);
        const char *value = d ? nginx_word(d, 1) : "off";
        asked |= asks[i].only ? !strcmp(value, asks[i].only) : strcmp(value, "off") != 0;
    }
    if (!asked)
        DOUBT(location, "nothing in nginx asks who may come into this deferring location: a site that looks at its "
                        "sessions itself needs auth_request");
    if (user && strcmp(nginx_word(user, 2), "$remote_user") == 0)
        FAULT(user, "BACKDESK_USER must be a number: map $remote_user to one");
}

static bool is_ours(const struct nginx_directive *location)
{
    const struct nginx_directive *pass = nginx_child(location, "fastcgi_pass");
    return pass && strcmp(nginx_word(pass, 1), "backdesk") == 0;
}

/* Only where the pool looks at a token may one pass, or where all are refused. */
static void check_tokens(const struct nginx_directive *location, struct settings_report *report)
{
    const struct nginx_directive *check = in_effect(location, "auth_request"), *server = server_of(location);
    bool closed = nginx_child(location, "internal") || nginx_child(location, "return") || token_if(location);
    if (check && !closed && !is_ours(location) && passes_tokens(server, nginx_word(check, 1)))
        FAULT(location, "%s lets everybody come in here who sends \"Authorization: Bearer x\": give the site's own "
                        "locations a check without that",
              nginx_word(check, 1));
}

/* Whether D, or a location in it, is Backdesk's or defers, and asks PATH who is there. */
static bool asks(const struct nginx_directive *d, const char *path)
{
    const struct nginx_directive *check = in_effect(d, "auth_request");
    bool ours = deferral_of(d) || is_ours(d);
    bool found = nginx_is(d, "location") && ours && check && strcmp(nginx_word(check, 1), path) == 0;
    for (const struct nginx_directive *c = d->first; c && !found; c = c->next)
        found = asks(c, path);
    return found;
}

/* The question who is there goes without the request's body, and must not be measured by it. */
static void check_session(const struct nginx_directive *location, struct settings_report *report)
{
    const struct nginx_directive *server = server_of(location);
    const char *path;
    if (is_regex(kind_of(location, &path)) || !server || !asks(server, path))
        return;
    const struct nginx_directive *body = in_effect(location, "proxy_pass_request_body");
    if (!in_effect(location, "client_max_body_size"))
        DOUBT(location, "requests with more than a megabyte end in a 500 here: client_max_body_size 0, or include "
                        "backdesk-session.conf");
    if (nginx_child(location, "proxy_pass") && (!body || strcmp(nginx_word(body, 1), "off") != 0))
        DOUBT(location, "the site is told here of a body that never comes: include backdesk-session.conf");
}

/* A fastcgi_param here hides all of those around. */
static void check_params(const struct nginx_directive *location, struct settings_report *report)
{
    bool own = false;
    if (!nginx_child(location, "fastcgi_pass"))
        return;
    for (const struct nginx_directive *c = location->first; c; c = c->next)
        own |= nginx_is(c, "fastcgi_param") && !is_backdesk_param(c);
    const struct nginx_directive *outer = location->parent ? in_effect(location->parent, "fastcgi_param") : NULL;
    if (!own && outer)
        FAULT(location, "the include hides the fastcgi_param at %s:%d from this location: repeat the site's own in it",
              outer->file, outer->line);
}

static void check_inside(const struct nginx_directive *location, struct settings_report *report)
{
    for (const struct nginx_directive *c = location->first; c; c = c->next) {
        if (nginx_is(c, "location") && !deferral_of(c))
            DOUBT(c, "this location inside a deferring one does not defer: include it here too, if it should");
        if (nginx_is(c, "limit_except"))
            DOUBT(c, "methods that this limit_except restricts are not deferred");
    }
}

static bool listens_on(const struct nginx_directive *server, const char *address)
{
    for (const struct nginx_directive *c = server->first; c; c = c->next)
        if (nginx_is(c, "listen") && strcmp(nginx_word(c, 1), address) == 0)
            return true;
    return false;
}

/* A server of Unix sockets only never defers: there the same locations stand for replays. */
static bool is_replay(const struct nginx_directive *server)
{
    bool other = false, any = false;
    for (const struct nginx_directive *c = server->first; c; c = c->next)
        if (nginx_is(c, "listen")) {
            any = true;
            other |= strncmp(nginx_word(c, 1), "unix:", 5) != 0;
        }
    return any && !other;
}

static size_t check_locations(const struct nginx_directive *d, struct settings_report *report)
{
    size_t count = 0;
    for (const struct nginx_directive *c = d->first; c; c = c->next) {
        const struct nginx_directive *deferral = deferral_of(c), *server = server_of(c);
        bool replay = server && is_replay(server);
        if (deferral && !nginx_is(c, "location"))
            FAULT(deferral, "a deferral stands in a location, not in %s", c->words[0]);
        if (nginx_is(c, "location")) {
            check_session(c, report);
            check_tokens(c, report);
        }
        if (deferral && nginx_is(c, "location") && !replay) {
            count++;
            check_earlier(c, deferral, report);
            check_later(deferral, report);
            check_identity(c, report);
            check_params(c, report);
            check_inside(c, report);
        }
        count += check_locations(c, report);
    }
    return count;
}

/* --- replays -------------------------------------------------------------------------------------------- */

static const struct nginx_directive *find_listener(const struct nginx_directive *d, const char *listen)
{
    for (const struct nginx_directive *c = d->first; c; c = c->next) {
        const struct nginx_directive *found =
            nginx_is(c, "server") && c->block && listens_on(c, listen) ? c : find_listener(c, listen);
        if (found)
            return found;
    }
    return NULL;
}

static void check_site(const struct nginx_directive *root, const struct settings *s, const struct site_def *site,
                       struct settings_report *report)
{
    char listen[128] = "unix:";
    strncat(listen, site->socket, sizeof listen - sizeof "unix:");
    const struct nginx_directive *server = find_listener(root, listen), *header;
    if (!server) {
        settings_error(report, s->path, settings_line(s, &site->socket),
                       "site \"%s\" socket: no server of nginx listens on %s: add one with backdesk-replay.conf",
                       site->name, site->socket);
        return;
    }
    if (!is_replay(server))
        DOUBT(server, "replays share a server with everybody's requests, and with its time-outs: give them one of "
                      "their own");
    header = in_effect(server, "real_ip_header");
    if (!header || strcmp(nginx_word(header, 1), "X-Backdesk-Client") != 0)
        FAULT(server, "replays come here without their clients' addresses: include backdesk-replay.conf");
}

/* --- which site a request belongs to ------------------------------------------------------------------------ */

static const char site_variable[] = "$backdesk_site";

/* Whether anything in D sets it, in place of what the map says. */
static bool sets_site(const struct nginx_directive *d)
{
    bool found = nginx_is(d, "set") && strcmp(nginx_word(d, 1), site_variable) == 0;
    for (const struct nginx_directive *c = d->first; c && !found; c = c->next)
        found = sets_site(c);
    return found;
}

/* VALUE stands at D; SET: others than the map have a say in it. */
static void check_site_name(const struct nginx_directive *d, const char *value, bool set, const struct settings *s,
                            struct settings_report *report)
{
    if (strchr(value, '$') || settings_site(s, value) || (!*value && (set || s->site_count == 1)))
        return;
    struct buf known = BUF_INIT;
    for (size_t i = 0; i < s->site_count; i++)
        buf_addf(&known, "%s%s", i ? ", " : "", s->sites[i].name);
    FAULT(d, "%s is \"%s\" here, which names no section site: such requests are a 500 when they are deferred: say "
             "which site it is: %s",
          site_variable, value, buf_str(&known));
    buf_free(&known);
}

static void check_site_map(const struct nginx_directive *map, bool set, const struct settings *s,
                           struct settings_report *report)
{
    bool complete = false;
    for (const struct nginx_directive *c = map->first; c; c = c->next) {
        complete |= nginx_is(c, "default");
        if (c->count == 2) /* else "hostnames" or "volatile" */
            check_site_name(c, nginx_word(c, 1), set, s, report);
    }
    if (!complete)
        check_site_name(map, "", set, s, report);
}

static void check_site_names(const struct nginx_directive *d, bool set, const struct settings *s,
                             struct settings_report *report)
{
    if (nginx_is(d, "map") && strcmp(nginx_word(d, 2), site_variable) == 0)
        check_site_map(d, set, s, report);
    else if (nginx_is(d, "set") && strcmp(nginx_word(d, 1), site_variable) == 0)
        check_site_name(d, nginx_word(d, 2), false, s, report);
    for (const struct nginx_directive *c = d->first; c; c = c->next)
        check_site_names(c, set, s, report);
}

size_t nginx_check(const struct nginx_directive *root, const struct settings *s, struct settings_report *report)
{
    size_t count = check_locations(root, report);
    if (!s || !count || !s->site_count)
        return count;
    for (size_t i = 0; i < s->site_count; i++)
        check_site(root, s, &s->sites[i], report);
    check_site_names(root, sets_site(root), s, report);
    return count;
}
