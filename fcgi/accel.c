/* SPDX-License-Identifier: MIT */
/* accel.c: the place of a file as nginx knows it. */
#include "fcgi/accel.h"

#include <string.h>

/* nginx decodes the path once. */
void accel_redirect(struct exchange *x, const struct export_file *f)
{
    const char *prefix = transport_param(x->transport, "BACKDESK_ACCEL");
    struct buf path = BUF_INIT;
    buf_adds(&path, prefix && *prefix ? prefix : x->app->settings->api.accel_prefix);
    for (const char *p = f->path.p; *p;) {
        size_t len = strcspn(p, "/");
        buf_percent(&path, p, len);
        p += len;
        if (*p == '/')
            buf_addc(&path, *p++);
    }
    response_header(&x->response, "X-Accel-Redirect", buf_str(&path));
    buf_free(&path);
}
