/* SPDX-License-Identifier: MIT */
/* conversation.c: one loop over a program's descriptors. */
#include "conversation.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"

enum { READ_SIZE = 64 * 1024, LOOK_MS = 100, LATE_READS = 16 };

/* One read; what there is goes to TAKE. Closes *FD at its end. False where there was nothing. */
static bool take(int *fd, void (*add)(struct conversation *, const char *, size_t), struct conversation *c)
{
    char data[READ_SIZE];
    if (*fd < 0)
        return false;
    ssize_t n = read(*fd, data, sizeof data);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        program_close(fd);
        return false;
    }
    add(c, data, (size_t)n);
    return true;
}

static void add_output(struct conversation *c, const char *data, size_t len)
{
    size_t room = (size_t)c->max + 1 - c->output.len;
    buf_add(&c->output, data, len < room ? len : room);
}

static void add_log(struct conversation *c, const char *data, size_t len)
{
    command_log_add(&c->log, data, len);
}

static void add_progress(struct conversation *c, const char *data, size_t len)
{
    command_progress_add(&c->progress, data, len);
}

static bool take_all(struct conversation *c)
{
    struct program *p = c->program;
    bool any = take(&p->out, add_output, c);
    any |= take(&p->err, add_log, c);
    return take(&p->progress, add_progress, c) || any;
}

/* A program that does not want its input may close it. */
static void give(struct conversation *c)
{
    struct program *p = c->program;
    if (p->in < 0)
        return;
    if (c->input_len) {
        ssize_t n = write(p->in, c->input, c->input_len);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (n < 0)
            c->input_len = 0;
        else {
            c->input += n;
            c->input_len -= (size_t)n;
        }
    }
    if (!c->input_len && !c->by_line)
        program_close(&p->in);
}

static void wait_for_news(struct conversation *c)
{
    struct program *p = c->program;
    struct pollfd fds[] = {
        {.fd = p->control, .events = POLLIN},
        {.fd = p->out, .events = POLLIN},
        {.fd = p->err, .events = POLLIN},
        {.fd = p->progress, .events = POLLIN},
        {.fd = c->input_len ? p->in : -1, .events = POLLOUT},
    };
    poll(fds, COUNT_OF(fds), LOOK_MS);
}

static bool too_long(const struct conversation *c)
{
    return c->output.len > (size_t)c->max;
}

static bool answered(const struct conversation *c)
{
    return c->by_line && c->output.len && memchr(c->output.data, '\n', c->output.len);
}

/* Waits for the end of a program that has been told to end, and reads on: it may wait for that. */
static void see_it_end(struct conversation *c)
{
    c->input_len = 0;
    while (!program_ended(c->program)) {
        wait_for_news(c);
        take_all(c);
    }
}

static enum conversation_end talk(struct conversation *c)
{
    for (;;) {
        give(c);
        wait_for_news(c);
        bool ended = program_ended(c->program); /* first: what it has written before is there now */
        bool any = take_all(c);
        if (too_long(c)) {
            program_kill(c->program);
            see_it_end(c);
            return TALK_TOO_LONG;
        }
        if (answered(c))
            return TALK_ANSWERED;
        if (ended && !any)
            return TALK_ENDED;
        if (c->dir)
            work_dir_touch(c->dir);
        if (!ended && run_stopping(c->run)) {
            program_terminate(c->program);
            see_it_end(c); /* or the runner ends this worker, when its patience is over */
            return TALK_STOPPED;
        }
    }
}

enum conversation_end conversation_run(struct conversation *c, int64_t max_log)
{
    command_log_begin(&c->log, c->run, max_log);
    command_progress_begin(&c->progress, c->run);
    enum conversation_end end = talk(c);
    for (int i = 0; end == TALK_ANSWERED && i < LATE_READS; i++) { /* written before its answer */
        bool any = take(&c->program->err, add_log, c);
        if (!take(&c->program->progress, add_progress, c) && !any)
            break;
    }
    command_log_end(&c->log);
    return end;
}

bool conversation_settle(struct program *p, const char *name)
{
    char data[READ_SIZE];
    ssize_t n;
    if (program_ended(p))
        return false;
    for (int i = 0; i < LATE_READS && (n = read(p->err, data, sizeof data)) > 0; i++)
        log_info("command %s, outside of a task: %.*s", name, (int)(n < 500 ? n : 500), data);
    for (int i = 0; i < LATE_READS && read(p->progress, data, sizeof data) > 0; i++)
        ;
    return read(p->out, data, 1) < 0 && errno == EAGAIN;
}
