/* SPDX-License-Identifier: MIT */
/* taskctl.c: the operator's command line: reads the options and calls the command. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "command.h"

enum needs { NEEDS_NOTHING, NEEDS_CATALOGUE };

struct command {
    const char *name;
    const char *arguments;
    enum needs needs;
    command_run *run;
    const char *text;
};

#define COMMAND(name, arguments, needs, function, text) \
    {name, arguments, NEEDS_##needs, function, text},
static const struct command commands[] = {
#include "commands.def"
};

/* --- messages --------------------------------------------------------------------------------- */

static void message(const char *fmt, va_list ap)
{
    fputs("taskctl: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
}

int command_fail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    message(fmt, ap);
    va_end(ap);
    return EXIT_FAILED;
}

int command_usage(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    message(fmt, ap);
    va_end(ap);
    fputs("Try: taskctl --help\n", stderr);
    return EXIT_USAGE;
}

int command_print(struct buf *out)
{
    fwrite(buf_str(out), 1, out->len, stdout);
    buf_free(out);
    return EXIT_DONE;
}

/* CODE, unless what was printed has not been written. */
static int written(int code)
{
    return fflush(stdout) || ferror(stdout) ? command_fail("cannot write to standard output") : code;
}

enum { CALL_WIDTH = 34 }; /* of a command with its arguments; a longer one has a line to itself */

static int help(void)
{
    struct buf out = BUF_INIT;
    buf_adds(&out, "usage: taskctl [--config FILE] COMMAND [ARGUMENTS]\n\ncommands:\n");
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        struct buf call = BUF_INIT;
        buf_addf(&call, "%s %s", commands[i].name, commands[i].arguments);
        buf_addf(&out, "  %-*s", CALL_WIDTH, buf_str(&call));
        if (call.len > CALL_WIDTH)
            buf_addf(&out, "\n  %*s", CALL_WIDTH, "");
        buf_addf(&out, " %s\n", commands[i].text);
        buf_free(&call);
    }
    buf_adds(&out, "\noptions:\n"
                   "  -c, --config FILE   read FILE; else $BACKDESK_CONFIG, else\n"
                   "                      " SYSCONFDIR "/backdesk/backdesk.conf\n"
                   "      --check-config  the same as the command check\n"
                   "  -h, --help          print this\n"
                   "  -V, --version       print the version\n");
    return command_print(&out);
}

/* --- dispatch --------------------------------------------------------------------------------- */

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int run_command(const struct command *command, struct call *call)
{
    if (command->needs == NEEDS_NOTHING)
        return command->run(call);
    struct settings *settings = NULL;
    struct catalogue *catalogue = NULL;
    struct error e = {0};
    if (catalogue_load(call->path, &settings, &catalogue, &e))
        return command_fail("%s", e.text);
    call->settings = settings;
    call->catalogue = catalogue;
    int code = command->run(call);
    catalogue_free(&catalogue);
    settings_free(&settings);
    return code;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check-config", no_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {0},
    };
    const char *config = NULL, *name = NULL;
    log_open("taskctl", LOG_LEVEL_INFO);
    /* "+": options behind the command are the command's */
    for (int option; (option = getopt_long(argc, argv, "+c:hV", options, NULL)) != -1;) {
        switch (option) {
        case 'c':
            config = optarg;
            break;
        case 'k':
            name = "check";
            break;
        case 'h':
            return written(help());
        case 'V':
            puts("taskctl (" PACKAGE_NAME ") " PACKAGE_VERSION);
            return written(EXIT_DONE);
        default:
            return command_usage("this option is not known, or lacks its argument");
        }
    }
    if (!name)
        name = optind < argc ? argv[optind++] : NULL;
    if (!name)
        return command_usage("name a command");
    const struct command *command = find_command(name);
    if (!command)
        return command_usage("there is no command %s", name);
    struct call call = {.path = settings_path(config), .argc = argc - optind};
    call.argv = argv + optind;
    return written(run_command(command, &call));
}
