/* SPDX-License-Identifier: MIT */
/* http_request.h: the rows of deferred requests, beside their tasks (type http_request). A row is made with
 * its task (struct new_task) and goes with it; when the task succeeds its secrets and its body go
 * (struct finish). A task without a row was not made by the API, and has nothing to replay.
 *
 * The task's data, which its owner sees: {"site": name of a section, "method", "target": the raw URI with its
 * query, "host", "scheme", "address": the client's, "headers": [["Name", "value"], ...] without the secret
 * ones, in order, "body_bytes", "user": id, "interface": "prefer" or "arango", "mode": "store" or "forget":
 * then nobody wants the response}. Method, target, host, address and headers are bytes: see header_bytes_get in
 * task/stored_response.h, for the sealed headers too. */
#ifndef STORE_HTTP_REQUEST_H
#define STORE_HTTP_REQUEST_H

#include "store/store.h"
#include "store/task.h"

#define HTTP_REQUEST_TYPE "http_request"

struct http_request {
    const void *sealed; /* the secret headers, see task/seal.h; never NULL before the task has succeeded */
    size_t sealed_len;
    const char *body_path; /* below the shared directory; NULL: no body */
    uint64_t body_bytes;
    bool is_job; /* of the ArangoDB-style interface */
};

/* The rows of COUNT tasks, for who replays them. OUT[i] is that of IDS[i], with sealed NULL and FOUND[i]
 * false where there is none; FOUND[i] true and sealed NULL: it has been wiped. Texts from ARENA. Joins the
 * caller's transaction. */
int store_get_http_requests(struct store *s, const uint64_t *ids, size_t count, struct arena *arena,
                            struct http_request *out, bool *found, struct error *e) MUST_USE;

/* 1 where task ID can be replayed once more, 0 where what it needs is gone or never was. */
int store_http_request_kept(struct store *s, uint64_t id, struct error *e) MUST_USE;

/* --- jobs of the ArangoDB-style interface: a user's own, whoever else may see the task -------------- */

/* How task ID stands, where it is a job of USER; ERR_NOT_FOUND. */
int store_job_status(struct store *s, uint64_t id, int64_t user, enum task_status *status,
                     struct error *e) MUST_USE;

/* The ids of at most MAX jobs of USER that have ended or not, made before BEFORE (INSTANT_NONE: no bound), from
 * AFTER (an id) on, ascending. Returns how many. */
int store_list_jobs(struct store *s, int64_t user, bool ended, int64_t before, uint64_t after, uint64_t *out,
                    size_t max, struct error *e) MUST_USE;

/* Task ID, or with ID 0 every unfinished one, is no job any more and goes on. Returns how many were. */
int store_forget_jobs(struct store *s, uint64_t id, int64_t user, struct error *e) MUST_USE;

#endif
