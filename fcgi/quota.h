/* SPDX-License-Identifier: MIT */
/* quota.h: what a process remembers of the limits on waiting tasks: room that it has reserved ahead for a
 * user, refusals of a moment ago, and whose row could not be had. A bounded table; what is forgotten costs
 * a statement or two. Asks no database. Any thread. */
#ifndef FCGI_QUOTA_H
#define FCGI_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct quota;

struct quota *quota_create(void) MUST_USE;
void quota_destroy(struct quota **q); /* NULL is accepted */

/* Takes room for at most WANTED tasks of USER (0 = of everybody); returns for how many. */
int64_t quota_take(struct quota *q, int64_t user, int64_t wanted);

/* Puts room back, or in that was reserved ahead. */
void quota_put(struct quota *q, int64_t user, int64_t count);

/* Whether what waits for USER shall be counted anew, because of tasks that no reservation knows of (by plain
 * SQL, retried, handed back). True at most once a second for each user, for one user at a time (a count reads all that
 * waits), and only while counting takes no more than a twentieth of the time in all. */
bool quota_count_due(struct quota *q, int64_t user, int64_t now_ns);
/* It has been counted, and took so long. */
void quota_counted(struct quota *q, int64_t now_ns, int64_t took_ns);

/* Until UNTIL_NS there is no room for WANTED tasks of USER or more. */
void quota_refuse(struct quota *q, int64_t user, int64_t wanted, int64_t until_ns);
bool quota_refused(struct quota *q, int64_t user, int64_t wanted, int64_t now_ns);

/* Until UNTIL_NS nobody need wait for the row of USER: somebody else holds it. */
void quota_hold(struct quota *q, int64_t user, int64_t until_ns);
bool quota_held(struct quota *q, int64_t user, int64_t now_ns);

#endif
