/* SPDX-License-Identifier: MIT */
/* replay_end.c: what the end of a replay means: a result, a failure, another attempt, or that nobody knows. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "replay.h"

/* A site that asks for more waiting than this is asked again all the same. */
static const int64_t retry_most_usec = INT64_C(86400) * 1000000;

static bool is_busy(unsigned status)
{
    return status == 502 || status == 503 || status == 504;
}

bool replay_comes_again(const struct replay *p)
{
    const struct run_task *t = run_task(p->run);
    return is_busy(p->status) && p->repeatable && t->attempt < t->max_attempts;
}

/* WORD is a status, or a class of them: 503, 5xx. */
static bool matches(const char *word, unsigned status)
{
    char text[16];
    snprintf(text, sizeof text, "%03u", status);
    return strcmp(word, text) == 0 || (word[0] == text[0] && strcmp(word + 1, "xx") == 0);
}

static bool is_failure(const struct replay *p)
{
    for (size_t i = 0; i < p->site->fail_status.count; i++)
        if (matches(p->site->fail_status.items[i], p->status))
            return true;
    return false;
}

/* Retry-After, seconds or a date. */
static int64_t asked_pause(CURL *easy)
{
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds <= 0)
        return 0;
    return seconds < retry_most_usec / 1000000 ? (int64_t)seconds * 1000000 : retry_most_usec;
}

/* The transfer broke. Before anything was sent every request may be tried again; after that the site may have
 * done its work. */
static void judge_broken(struct replay *p, CURLcode rc, struct run_outcome *o)
{
    const char *method = p->request.method;
    run_log(p->run, "%s: %s", curl_easy_strerror(rc), p->trouble);
    if (!p->sent) {
        long number = 0;
        curl_easy_getinfo(p->easy, CURLINFO_OS_ERRNO, &number);
        log_warning("task %llu: cannot connect to %s of the site %s: %s",
                    (unsigned long long)run_task(p->run)->id, p->site->socket, p->site->name,
                    number ? strerror((int)number) : curl_easy_strerror(rc));
        run_fail(o, RUN_FAILED, "upstream_unreachable", "no connection to the site: %s", curl_easy_strerror(rc));
    } else if (rc == CURLE_OPERATION_TIMEDOUT) {
        run_fail(o, RUN_FAILED_FINAL, "timeout", "the site did not answer within %" PRId64 " s",
                 p->site->timeout_usec / 1000000);
    } else if (p->repeatable) {
        run_fail(o, RUN_FAILED, "upstream_failed", "the connection to the site broke: %s", curl_easy_strerror(rc));
    } else {
        run_fail(o, RUN_DROPPED, "upstream_failed",
                 "the connection to the site broke after the request was sent (%s): the site may have done its "
                 "work, and a %s is not sent twice",
                 curl_easy_strerror(rc), method);
    }
}

static void judge_status(struct replay *p, struct run_outcome *o)
{
    bool again = replay_comes_again(p);
    run_fail(o, again ? RUN_FAILED : RUN_FAILED_FINAL, "upstream_status", "the site answered %u%s%s", p->status,
             *p->reason ? " " : "", p->reason);
    o->retry_usec = again ? asked_pause(p->easy) : 0;
}

bool replay_judge(struct replay *p, CURLcode rc, struct run_outcome *o)
{
    if (rc == CURLE_OK)
        replay_complete(p);
    if (p->fault == REPLAY_TOO_LARGE)
        run_fail(o, RUN_FAILED_FINAL, "too_large", "the response's body is larger than %" PRId64 " bytes",
                 run_settings(p->run)->defer.max_result_bytes);
    else if (p->fault == REPLAY_NOT_STORED)
        run_fail(o, RUN_FAILED, "storage_failed", "%s", p->error.text);
    else if (rc != CURLE_OK)
        judge_broken(p, rc, o);
    else if (replay_comes_again(p) || is_failure(p))
        judge_status(p, o);
    else
        return true;
    return false;
}

void replay_succeed(const struct replay *p, struct run_outcome *o)
{
    run_succeed(o);
    buf_addf(&o->result, "{\"status\":%u,\"bytes\":%" PRIu64 "}", p->status, p->bytes);
}
