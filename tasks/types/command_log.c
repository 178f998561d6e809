/* SPDX-License-Identifier: MIT */
/* command_log.c: cuts a program's standard error into lines, and holds back what is too much. */
#include "command_log.h"

#include <string.h>

void command_log_begin(struct command_log *l, struct run *r, int64_t max)
{
    *l = (struct command_log){.run = r, .max = max};
}

/* Drops lines at the beginning of the tail until NEED more bytes fit. */
static void make_room(struct command_log *l, size_t need)
{
    size_t drop = 0;
    while (l->tail_len - drop + need > sizeof l->tail) {
        const char *end = memchr(l->tail + drop, '\n', l->tail_len - drop);
        drop = (size_t)(end - l->tail) + 1; /* every line in it ends */
        l->left_out++;
    }
    memmove(l->tail, l->tail + drop, l->tail_len - drop);
    l->tail_len -= drop;
}

static void end_line(struct command_log *l)
{
    size_t len = l->len;
    l->len = 0;
    for (size_t i = 0; i < len; i++)
        if (!l->line[i])
            l->line[i] = ' ';
    while (len && strchr(" \t\r", l->line[len - 1]))
        len--;
    if (!len)
        return;
    memcpy(l->last, l->line, len);
    l->last[len] = '\0';
    if (l->used + (int64_t)len <= l->max) {
        l->used += (int64_t)len + 1;
        run_log(l->run, "%s", l->last);
        return;
    }
    l->used = l->max; /* from here on to the tail, also what is short: the order stays */
    make_room(l, len + 1);
    memcpy(l->tail + l->tail_len, l->line, len);
    l->tail[l->tail_len + len] = '\n';
    l->tail_len += len + 1;
}

void command_log_add(struct command_log *l, const char *data, size_t len)
{
    while (len) {
        const char *end = memchr(data, '\n', len);
        size_t room = sizeof l->line - 1 - l->len;
        size_t n = end ? (size_t)(end - data) : len;
        if (n > room)
            end = NULL;
        n = n < room ? n : room;
        memcpy(l->line + l->len, data, n);
        l->len += n;
        if (end)
            n++;
        data += n;
        len -= n;
        if (end || l->len == sizeof l->line - 1)
            end_line(l);
    }
}

void command_log_end(struct command_log *l)
{
    end_line(l);
    if (l->left_out)
        run_log(l->run, "(%llu lines are left out here: see max_log)", (unsigned long long)l->left_out);
    for (size_t at = 0; at < l->tail_len;) {
        size_t len = (size_t)((char *)memchr(l->tail + at, '\n', l->tail_len - at) - (l->tail + at));
        run_log(l->run, "%.*s", (int)len, l->tail + at);
        at += len + 1;
    }
    l->tail_len = 0;
}
