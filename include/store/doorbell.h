/* SPDX-License-Identifier: MIT */
/* doorbell.h: a hint from whoever has committed new tasks to the runners of this host, so that they
 * need not wait for their next poll. Losing one costs nothing but that wait. Each runner binds a Unix
 * datagram socket of its own in a common directory; a message is one lane as text. */
#ifndef STORE_DOORBELL_H
#define STORE_DOORBELL_H

#include <stdint.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"

enum { DOORBELL_TYPE_SIZE = 65 };

/* There is work of TYPE and PRIORITY from TURN on. */
struct doorbell_message {
    char type[DOORBELL_TYPE_SIZE];
    int priority;
    int64_t turn;
};

/* Sends MESSAGES to every socket in DIRECTORY; never blocks and never fails. Any thread. */
void doorbell_ring(const char *directory, const struct doorbell_message *messages, size_t count);

/* How many sockets in DIRECTORY somebody listens on, and in *DEAD how many nobody does. */
int doorbell_count(const char *directory, int *dead);

/* Binds DIRECTORY/NAME.bell (making the directory if need be, removing bells that nobody listens on)
 * and returns a non-blocking descriptor or a negative enum err. */
int doorbell_bind(const char *directory, const char *name, struct error *e) MUST_USE;

/* Reads one message: 1, or 0 where none is left. Nonsense is skipped. */
int doorbell_read(int fd, struct doorbell_message *out);

/* Removes what doorbell_bind made and closes FD. */
void doorbell_unbind(const char *directory, const char *name, int fd);

#endif
