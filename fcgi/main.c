/* SPDX-License-Identifier: MIT */
/* main.c: tasks.fcgi's command line: a pool under spawn-fcgi, or one request from a shell. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/process.h"
#include "fcgi/child.h"

enum { EXIT_USAGE = 2 };

static const char usage[] =
    "usage: tasks.fcgi [--config FILE]\n"
    "       tasks.fcgi [--config FILE] --check-config\n"
    "Standard input is the listening socket that spawn-fcgi has opened; or, with REQUEST_METHOD\n"
    "in the environment, the body of one CGI request, which is answered on standard output.\n"
    "\n"
    "  -c, --config FILE   read FILE instead of " SYSCONFDIR "/backdesk/backdesk.conf\n"
    "      --check-config  say what is wrong with the configuration, and end\n"
    "  -h, --help          say this\n"
    "  -V, --version       say the version\n";

struct options {
    const char *config;
    bool check;
};

/* What a plan's config points to. */
struct loaded {
    struct settings *settings;
    struct catalogue *catalogue;
};

static int load(void *context, struct plan *out, struct error *e)
{
    const struct options *o = context;
    struct loaded *l = xcalloc(1, sizeof *l);
    int result = catalogue_load(settings_path(o->config), &l->settings, &l->catalogue, e);
    if (result != 0) {
        free(l);
        return result;
    }
    log_open("tasks.fcgi", (enum log_level)l->settings->log.level);
    *out = (struct plan){
        .config = l,
        .processes = (unsigned)l->settings->api.processes,
        .drain_usec = l->settings->api.shutdown_grace_usec,
    };
    return 0;
}

static void release(void *context, struct plan *plan)
{
    struct loaded *l = plan->config;
    (void)context;
    catalogue_free(&l->catalogue);
    settings_free(&l->settings);
    free(l);
    plan->config = NULL;
}

static int serve(void *context, const struct plan *plan, const struct child_descriptors *descriptors)
{
    const struct loaded *l = plan->config;
    (void)context;
    return child_serve(l->catalogue, descriptors);
}

static const struct supervisor_calls calls = {.load = load, .release = release, .serve = serve};

static bool is_listener(int fd)
{
    int listening = 0;
    socklen_t size = sizeof listening;
    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening;
}

static int run_pool(struct options *o)
{
    struct error e = {0};
    process_fill_std();
    process_close_from(STDERR_FILENO + 1);
    if (supervisor_run(STDIN_FILENO, &calls, o, &e) == 0)
        return EXIT_SUCCESS;
    log_error("%s", e.text);
    return EXIT_FAILURE;
}

static int run_once(struct options *o)
{
    struct plan plan;
    struct error e = {0};
    if (load(o, &plan, &e) != 0) {
        log_error("%s", e.text);
        return EXIT_FAILURE;
    }
    const struct loaded *l = plan.config;
    int status = o->check ? EXIT_SUCCESS
                          : child_answer_one(l->catalogue, STDIN_FILENO, STDOUT_FILENO);
    release(o, &plan);
    return status;
}

/* Returns -1, or the exit status with which to end at once. */
static int read_options(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},
        {"check-config", no_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {0},
    };
    int letter;
    while ((letter = getopt_long(argc, argv, "c:hV", known, NULL)) != -1)
        switch (letter) {
        case 'c':
            o->config = optarg;
            break;
        case 'k':
            o->check = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        case 'V':
            puts("tasks.fcgi (" PACKAGE_NAME ") " PACKAGE_VERSION);
            return EXIT_SUCCESS;
        default:
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    if (optind == argc)
        return -1;
    fputs(usage, stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    struct options o = {0};
    log_open("tasks.fcgi", LOG_LEVEL_INFO);
    int status = read_options(argc, argv, &o);
    if (status >= 0)
        return status;
    if (!o.check && is_listener(STDIN_FILENO))
        return run_pool(&o);
    if (o.check || getenv("REQUEST_METHOD"))
        return run_once(&o);
    fputs("tasks.fcgi: standard input is no listening socket, and there is no REQUEST_METHOD\n\n",
          stderr);
    fputs(usage, stderr);
    return EXIT_USAGE;
}
