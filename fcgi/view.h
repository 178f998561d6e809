/* SPDX-License-Identifier: MIT */
/* view.h: rows as JSON. Views only write; what is shown has been decided before. */
#ifndef FCGI_VIEW_H
#define FCGI_VIEW_H

#include "base/buf.h"
#include "store/history.h"
#include "store/query.h"
#include "store/task.h"

struct settings;

/* A task, as GET /v1/tasks/{id} shows it to an admin or to its owner. */
void view_task(struct buf *out, const struct settings *s, const struct task *t, bool admin);

/* Whether FILE is a download that an admin, or else its task's owner, may have. */
bool view_has_download(const struct task_file *file, bool admin);

/* A row of csv_export, as GET /v1/tasks/exports shows it. */
void view_export(struct buf *out, const struct export_file *f);

/* A claim, as GET /v1/tasks/{id}/attempts shows it; one that runs has no outcome. */
void view_attempt(struct buf *out, const struct attempt *a);

/* A runner, as GET /v1/tasks/workers shows it. */
void view_runner(struct buf *out, const struct runner_row *r);

/* --- members: KEY as it is written, such as ",\"worker\":" -------------------------------------- */

void view_text(struct buf *out, const char *key, struct text t); /* SQL's NULL becomes null */
void view_number(struct buf *out, const char *key, uint64_t n);
void view_instant(struct buf *out, const char *key, int64_t usec);

/* JSON text of a column: as it is where it is JSON, as a string where somebody's SQL put in something
 * else, so that the answer stays valid whatever the row holds. */
void view_json(struct buf *out, const char *key, struct text t);

#endif
