/* SPDX-License-Identifier: MIT */
/* clock.h: durations by the monotonic clock, instants as microseconds since 1970 in UTC. Instants
 * that are stored come from the database's clock, never from here. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define INSTANT_NONE INT64_MIN /* SQL's NULL */

enum { INSTANT_TEXT_SIZE = 32 };

/* Nanoseconds of CLOCK_BOOTTIME: monotonic, and it goes on while the machine is suspended, so that a
 * lease is not believed alive after a resume. Comparable between processes of one machine. */
int64_t clock_mono_ns(void);

/* This machine's idea of now, in microseconds since 1970. For log lines and names of files only. */
int64_t clock_wall_usec(void);

/* What ages_count remembers; {0} at first. */
struct age_watch {
    bool begun;
    int64_t ahead_usec;     /* the wall clock, of the monotonic one */
    int64_t doubt_until_ns; /* by the monotonic one */
};

/* Whether what is so old by the wall clock (a file, by its time) is. Once that has been put forward by more than a
 * minute since the last call, all that was written before looks older: false for HOLD, after which it is so old. */
bool ages_count(struct age_watch *w, int64_t wall_usec, int64_t mono_ns, int64_t hold_usec);

/* "2026-11-21T09:30:00.000000Z" (RFC 3339 section 5.6). Years 0 to 9999. */
void instant_format(int64_t usec, char out[INSTANT_TEXT_SIZE]);

/* Reads an RFC 3339 date-time: any offset, fraction of any length (cut to microseconds), "t" and "z"
 * in lower case too, a leap second as the second before it; years 0 to 9999, in UTC as well. Returns 0 or
 * ERR_INVALID. */
int instant_parse(const char *text, size_t len, int64_t *usec) MUST_USE;

/* The calendar fields of an instant, for MYSQL_TIME and names: proleptic Gregorian. */
struct civil {
    int year, month, day, hour, minute, second, usec;
};
struct civil civil_from_instant(int64_t usec);
int64_t civil_to_instant(const struct civil *c);

/* Whether year, month and day are a day of the calendar. */
bool civil_is_day(const struct civil *c);

#endif
