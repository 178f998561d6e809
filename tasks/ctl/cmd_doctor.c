/* SPDX-License-Identifier: MIT */
/* cmd_doctor.c: taskctl doctor: one line for each thing that was looked at, and whether anything is wrong. */
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "doctor_connect.h"
#include "doctor_host.h"
#include "store/doctor.h"
#include "store/store.h"

#define MEBIBYTE INT64_C(1048576)

/* A packet of the runner holds the ends of a batch with their results; 16 MiB is MariaDB's default. */
enum { PACKET_LEAST_MIB = 16, PACKET_BESIDE_MIB = 1 };

static void tell(void *ctx, enum finding how, const char *what, const char *text)
{
    static const char *const words[] = {[FINDING_OK] = "ok", [FINDING_NOTE] = "note", [FINDING_WRONG] = "WRONG"};
    unsigned *counts = ctx;
    counts[how]++;
    printf("%-5s  %-16s  %s\n", words[how], what, text);
}

/* A runner has one for itself, and each of its workers as many as the export with the most. */
static int64_t runner_connections(const struct settings *s)
{
    int64_t workers = s->runner.workers ? s->runner.workers : sysconf(_SC_NPROCESSORS_ONLN), most = 1;
    for (size_t i = 0; i < s->export_count; i++)
        if (s->exports[i].connections > most)
            most = s->exports[i].connections;
    return 1 + workers * most;
}

static struct doctor_needs needs_of(const struct settings *s)
{
    int64_t body = s->api.max_body_bytes + PACKET_BESIDE_MIB * MEBIBYTE, least = PACKET_LEAST_MIB * MEBIBYTE;
    return (struct doctor_needs){
        .api_connections = s->api.processes * (1 + s->api.database_connections),
        .runner_connections = runner_connections(s),
        .packet_bytes = body > least ? body : least,
    };
}

/* The address of an account, or NULL with the reason told. */
static const struct db_address *address_of(const struct settings *s, const char *account, struct db_address *out,
                                           enum finding how, const struct findings *f)
{
    struct error e = {0};
    if (settings_queue_address(s, account, out, &e) == 0)
        return out;
    struct buf what = BUF_INIT;
    buf_addf(&what, "account %s", account);
    finding_tell(f, how, buf_str(&what), "%s", e.text);
    buf_free(&what);
    return NULL;
}

static void look_at_user(const struct settings *s, const struct findings *f)
{
    if (s->runner.user && !getpwnam(s->runner.user))
        finding_tell(f, FINDING_WRONG, "runner user", "%s:%d: there is no account %s: taskrunner does not start",
                     s->path, settings_line(s, &s->runner.user), s->runner.user);
}

int cmd_doctor(const struct call *call)
{
    if (call->argc)
        return command_usage("doctor takes no arguments");
    const struct settings *s = call->settings;
    unsigned counts[FINDING_WRONG + 1] = {0};
    struct findings findings = {tell, counts};
    struct db_address api, runner, migration;
    struct doctor_needs needs = needs_of(s);
    store_library_init();
    struct doctor_accounts accounts = {
        .api = address_of(s, "api", &api, FINDING_WRONG, &findings),
        .runner = address_of(s, "runner", &runner, FINDING_WRONG, &findings),
        .migration = address_of(s, "migration", &migration, FINDING_NOTE, &findings),
    };
    look_at_user(s, &findings);
    doctor_host(s, &findings);
    doctor_accounts(s, &accounts, &findings);
    store_doctor(&accounts, &needs, &findings);
    if (accounts.runner)
        doctor_files(s, accounts.runner, &findings);
    doctor_sources(call->catalogue, &findings);
    printf("%u ok, %u to note, %u wrong\n", counts[FINDING_OK], counts[FINDING_NOTE], counts[FINDING_WRONG]);
    return counts[FINDING_WRONG] ? EXIT_FAILED : EXIT_DONE;
}
