/* SPDX-License-Identifier: MIT */
/* main.c: the command line of taskrunner. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/process.h"
#include "dispatcher.h"
#include "task/catalogue.h"

static void usage(FILE *out)
{
    fputs("Usage: taskrunner [--config FILE] [--check-config]\n"
          "Runs the tasks of the queue in the foreground until it is told to end.\n\n"
          "  -c, --config FILE   the configuration (BACKDESK_CONFIG, else the installed one)\n"
          "      --check-config  say what is wrong with the configuration and exit\n"
          "  -h, --help          this text\n"
          "  -V, --version       the version\n\n"
          "SIGTERM: finish within the grace time and hand the rest back; again: at once.\n"
          "SIGHUP: read the configuration again.\n",
          out);
}

static int check_config(const char *path)
{
    struct settings_report report = SETTINGS_REPORT_INIT;
    int rc = catalogue_check(path, &report);
    fputs(buf_str(&report.text), stderr);
    if (!rc)
        printf("%s: no fault found\n", path);
    settings_report_free(&report);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"check-config", no_argument, NULL, 'C'},
        {"help", no_argument, NULL, 'h'},         {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    const char *config = NULL;
    bool check = false;
    int option;
    while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config = optarg;
            break;
        case 'C':
            check = true;
            break;
        case 'h':
            usage(stdout);
            return EXIT_SUCCESS;
        case 'V':
            puts("taskrunner " PACKAGE_VERSION);
            return EXIT_SUCCESS;
        default:
            usage(stderr);
            return 2;
        }
    }
    if (optind < argc) {
        usage(stderr);
        return 2;
    }
    process_fill_std();
    process_close_from(STDERR_FILENO + 1);
    log_open("taskrunner", LOG_LEVEL_INFO);
    config = settings_path(config);
    if (check)
        return check_config(config);
    struct error e = {0};
    if (dispatcher_run(config, &e)) {
        log_error("%s", e.text);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
