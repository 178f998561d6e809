/* SPDX-License-Identifier: MIT */
/* command_progress.h: the lines of JSON by which a program tells of its progress, on its descriptor 3:
 * {"done": 3, "total": 10, "unit": "pages", "percent": 30, "message": "page 3"}, each member optional. */
#ifndef TASKS_TYPES_COMMAND_PROGRESS_H
#define TASKS_TYPES_COMMAND_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct run;

enum { PROGRESS_LINE_SIZE = 4096, PROGRESS_UNIT_SIZE = 16, PROGRESS_TEXT_SIZE = 121 };

/* How far the program is, as its lines so far have it: a member that a line leaves out stays. */
struct progress_so_far {
    uint64_t done, total; /* total 0: not known */
    char unit[PROGRESS_UNIT_SIZE];
    char message[PROGRESS_TEXT_SIZE];
};

struct command_progress {
    struct run *run;
    struct progress_so_far so_far;
    bool complained; /* the log has been told of a line that is none */
    bool skipping;   /* within a line that is too long */
    char line[PROGRESS_LINE_SIZE];
    size_t len;
};

void command_progress_begin(struct command_progress *p, struct run *r);

/* Takes what has been read; complete lines are passed on to the run. */
void command_progress_add(struct command_progress *p, const char *data, size_t len);

/* Reads one line into P. False, and P as it was, where it is no such object. */
bool command_progress_read(struct progress_so_far *p, const char *line, size_t len);

#endif
