/* SPDX-License-Identifier: MIT */
/* cmd_token.c: taskctl token: API tokens, by the migration account. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "store/token.h"

enum { LABEL_MAX = 200 }; /* bytes, so that it fits whatever the characters */

struct wanted {
    int64_t user;
    const char *role, *label;
    int64_t expires_usec;
};

/* A decimal number from 1 to 2^63-1, else 0. */
static int64_t parse_number(const char *text)
{
    char *end;
    if (*text < '1' || *text > '9' || strlen(text) > 19)
        return 0;
    uint64_t n = strtoull(text, &end, 10);
    return *end || n > INT64_MAX ? 0 : (int64_t)n;
}

/* Returns EXIT_DONE, or what command_usage answers. */
static int read_option(struct wanted *w, const char *name, const char *value)
{
    if (strcmp(name, "--user") == 0) {
        w->user = parse_number(value);
        return w->user ? EXIT_DONE : command_usage("--user takes the number of a user, not %s", value);
    }
    if (strcmp(name, "--role") == 0) {
        w->role = value;
        return strcmp(value, "admin") == 0 ? EXIT_DONE : command_usage("the only role is admin");
    }
    if (strcmp(name, "--label") == 0) {
        w->label = value;
        return strlen(value) <= LABEL_MAX ? EXIT_DONE : command_usage("the label is too long");
    }
    if (strcmp(name, "--expires") == 0)
        return duration_parse(value, &w->expires_usec) == 0 && w->expires_usec > 0
                   ? EXIT_DONE
                   : command_usage("--expires takes a duration such as 12h or 30d, not %s", value);
    return command_usage("token create does not know %s", name);
}

static int create(const struct db_address *address, int argc, char **argv)
{
    struct wanted w = {.label = ""};
    char text[TOKEN_SIZE];
    struct error e = {0};
    for (int i = 0; i < argc; i += 2) {
        int code = i + 1 < argc ? read_option(&w, argv[i], argv[i + 1])
                                : command_usage("%s lacks its value", argv[i]);
        if (code != EXIT_DONE)
            return code;
    }
    if (!w.user)
        return command_usage("token create needs --user");
    if (store_token_create(address, w.user, w.role, w.label, w.expires_usec, text, &e))
        return command_fail("%s", e.text);
    puts(text);
    return EXIT_DONE;
}

static void print_instant(int64_t instant)
{
    char text[INSTANT_TEXT_SIZE] = "-";
    if (instant != INSTANT_NONE)
        instant_format(instant, text);
    printf("  %-27s", text);
}

static void tell(void *ctx, const struct token_row *row)
{
    (void)ctx;
    printf("%6" PRIu64 "  %-10" PRId64 "  %-6s", row->id, row->user, row->role.p ? row->role.p : "-");
    print_instant(row->created_at);
    print_instant(row->expires_at);
    print_instant(row->revoked_at);
    printf("  %s\n", row->label.p);
}

static int list(const struct db_address *address)
{
    struct error e = {0};
    printf("%6s  %-10s  %-6s  %-27s  %-27s  %-27s  %s\n", "id", "user", "role", "created", "expires",
           "revoked", "label");
    if (store_token_list(address, tell, NULL, &e))
        return command_fail("%s", e.text);
    return EXIT_DONE;
}

static int revoke(const struct db_address *address, const char *number)
{
    struct error e = {0};
    int64_t id = parse_number(number);
    if (!id)
        return command_usage("token revoke takes the number of a token, not %s", number);
    if (store_token_revoke(address, (uint64_t)id, &e))
        return command_fail("%s", e.text);
    return EXIT_DONE;
}

int cmd_token(const struct call *call)
{
    const char *verb = call->argc ? call->argv[0] : "";
    struct db_address address;
    struct error e = {0};
    if (settings_queue_address(call->settings, "migration", &address, &e))
        return command_fail("%s", e.text);
    store_library_init();
    if (strcmp(verb, "create") == 0)
        return create(&address, call->argc - 1, call->argv + 1);
    if (strcmp(verb, "list") == 0 && call->argc == 1)
        return list(&address);
    if (strcmp(verb, "revoke") == 0 && call->argc == 2)
        return revoke(&address, call->argv[1]);
    return command_usage("token takes create, list or revoke ID");
}
