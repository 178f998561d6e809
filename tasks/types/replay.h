/* SPDX-License-Identifier: MIT */
/* replay.h: one deferred request on its way to the site and back; shared by the files of http_request. */
#ifndef TASKS_TYPES_REPLAY_H
#define TASKS_TYPES_REPLAY_H

#include <curl/curl.h>

#include "task/request.h"
#include "task/run.h"
#include "task/seal.h"

enum { REASON_SIZE = 128 };

/* What makes an answer unusable whatever the site says. */
enum replay_fault { REPLAY_GOOD, REPLAY_TOO_LARGE, REPLAY_NOT_STORED };

/* Lives in its run's arena. */
struct replay {
    struct replay *next, *previous; /* of those that are under way */
    struct run *run;
    const struct site_def *site;
    struct deferred_request request;
    bool repeatable;

    CURL *easy;
    struct curl_slist *headers;
    char trouble[CURL_ERROR_SIZE]; /* curl's words, for the log */
    int body;                      /* the request's; -1: none */
    bool sent;                     /* from now on it may have reached the site */

    /* the response */
    char reason[REASON_SIZE];
    unsigned status; /* 0 until its head is complete */
    bool unwanted;   /* nothing of it is kept */
    enum replay_fault fault;
    struct error error; /* REPLAY_NOT_STORED: why */
    struct result_file *file; /* NULL: nothing to keep */
    uint64_t bytes;           /* of its body, so far */
};

/* --- replay_request.c ------------------------------------------------------------------------------ */

/* Reads the task of P->run and makes P->easy ready to go. Not 0: O says why not. KEY may be NULL: it cannot be
 * read. */
int replay_prepare(struct replay *p, const struct seal_key *key, struct run_outcome *o) MUST_USE;

/* Lets go of all but the file. */
void replay_clear(struct replay *p);

/* --- replay_response.c ----------------------------------------------------------------------------- */

/* Has P->easy call what takes the response. */
void replay_take_response(struct replay *p);

/* The transfer is complete: so is the head, also where no body came. */
void replay_complete(struct replay *p);

/* --- replay_end.c ---------------------------------------------------------------------------------- */

/* Whether the site's answer asks for another attempt, and there may be one. */
bool replay_comes_again(const struct replay *p);

/* How the transfer has ended, by curl's RC. True: the response is to be kept, once its file is finished. */
bool replay_judge(struct replay *p, CURLcode rc, struct run_outcome *o);

/* The response is kept. */
void replay_succeed(const struct replay *p, struct run_outcome *o);

#endif
