/* SPDX-License-Identifier: MIT */
/* cmd_check_nginx.c: taskctl check-nginx: what nginx -t does not say of locations that defer. */
#include <stdio.h>

#include "command.h"
#include "nginx_check.h"

int cmd_check_nginx(const struct call *call)
{
    const char *path = call->argc ? call->argv[0] : "/etc/nginx/nginx.conf";
    struct settings_report report = SETTINGS_REPORT_INIT;
    struct nginx_directive *root;
    struct error e = {0};
    if (call->argc > 1)
        return command_usage("check-nginx takes one file");
    struct arena *arena = arena_create();
    int rc = nginx_conf_read(path, arena, &root, &e);
    size_t count = rc ? 0 : nginx_check(root, call->settings, &report);
    fputs(buf_str(&report.text), stderr);
    if (rc)
        rc = command_fail("%s", e.text);
    else if (report.errors)
        rc = EXIT_FAILED;
    else
        printf("%s: %zu location%s\n", path, count, count == 1 ? " defers" : "s defer");
    settings_report_free(&report);
    arena_destroy(&arena);
    return rc;
}
