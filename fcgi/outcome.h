/* SPDX-License-Identifier: MIT */
/* outcome.h: what a thread leaves a request in when it turns to something else. */
#ifndef FCGI_OUTCOME_H
#define FCGI_OUTCOME_H

enum outcome {
    OUTCOME_ANSWERED,  /* a whole answer has been written */
    OUTCOME_HELD,      /* the answer waits for something: whoever sees that wakes the request */
    OUTCOME_ELSEWHERE, /* another thread goes on with it, or already has: it may not be touched any more */
};

#endif
