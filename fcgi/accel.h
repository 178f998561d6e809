/* SPDX-License-Identifier: MIT */
/* accel.h: has nginx send a file of the shared directory. */
#ifndef FCGI_ACCEL_H
#define FCGI_ACCEL_H

#include "fcgi/exchange.h"

/* X-Accel-Redirect to F. Whether the user may have it has been decided before. */
void accel_redirect(struct exchange *x, const struct export_file *f);

#endif
