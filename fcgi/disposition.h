/* SPDX-License-Identifier: MIT */
/* disposition.h: the Content-Disposition of a download (RFC 6266, RFC 8187). */
#ifndef FCGI_DISPOSITION_H
#define FCGI_DISPOSITION_H

#include <stddef.h>

#include "base/buf.h"

/* Writes: attachment; filename="..."; filename*=UTF-8''... NAME is anybody's text: what could leave the
 * directory, the header or the line of reading (bidirectional controls) becomes '_'. */
void disposition_write(struct buf *out, const char *name, size_t len);

#endif
