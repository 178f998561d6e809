/* SPDX-License-Identifier: MIT */
/* ring.h: tells the runners of this host about tasks that have just become fresh. */
#ifndef FCGI_RING_H
#define FCGI_RING_H

#include <stddef.h>

#include "base/settings.h"
#include "store/task.h"

/* After the commit. One message per lane (type and priority); never delays and never fails. */
void ring_for_tasks(const struct settings *s, const struct task *tasks, size_t count);

#endif
