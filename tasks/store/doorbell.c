/* SPDX-License-Identifier: MIT */
/* doorbell.c: Unix datagrams from the API to the runners of one host. */
#include "store/doorbell.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 128 };

static const char suffix[] = ".bell";

/* False where the path does not fit into a socket address. */
static bool make_address(struct sockaddr_un *a, const char *directory, const char *name,
                         const char *end)
{
    memset(a, 0, sizeof *a);
    a->sun_family = AF_UNIX;
    int n = snprintf(a->sun_path, sizeof a->sun_path, "%s/%s%s", directory, name, end);
    return n > 0 && (size_t)n < sizeof a->sun_path;
}

static bool is_bell(const char *name)
{
    size_t len = strlen(name), end = sizeof suffix - 1;
    return len > end && strcmp(name + len - end, suffix) == 0;
}

/* Calls VISIT with the address of every bell in DIRECTORY. */
static void for_each_bell(const char *directory,
                          void (*visit)(int fd, const struct sockaddr_un *bell, const void *ctx),
                          const void *ctx)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    DIR *d = fd >= 0 ? opendir(directory) : NULL;
    struct dirent *entry;
    while (d && (entry = readdir(d))) {
        struct sockaddr_un bell;
        if (is_bell(entry->d_name) && make_address(&bell, directory, entry->d_name, ""))
            visit(fd, &bell, ctx);
    }
    if (d)
        closedir(d);
    if (fd >= 0)
        close(fd);
}

struct text_list {
    const struct doorbell_message *messages;
    size_t count;
};

static void ring_one(int fd, const struct sockaddr_un *bell, const void *ctx)
{
    const struct text_list *list = ctx;
    for (size_t i = 0; i < list->count; i++) {
        char text[MESSAGE_SIZE];
        int n = snprintf(text, sizeof text, "%s %d %lld", list->messages[i].type,
                         list->messages[i].priority, (long long)list->messages[i].turn);
        /* a full or stale bell is none of the caller's business: the runner polls as well */
        if (n > 0 && (size_t)n < sizeof text)
            sendto(fd, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)bell,
                   sizeof *bell);
    }
}

void doorbell_ring(const char *directory, const struct doorbell_message *messages, size_t count)
{
    struct text_list list = {messages, count};
    if (directory && *directory && count)
        for_each_bell(directory, ring_one, &list);
}

static void remove_stale(int fd, const struct sockaddr_un *bell, const void *ctx)
{
    (void)ctx;
    if (sendto(fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)bell, sizeof *bell) < 0 &&
        errno == ECONNREFUSED)
        unlink(bell->sun_path);
}

struct bell_count {
    int *alive, *dead;
};

static void count_one(int fd, const struct sockaddr_un *bell, const void *ctx)
{
    const struct bell_count *count = ctx;
    /* an empty message is none to its reader */
    bool dead = sendto(fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)bell, sizeof *bell) < 0 &&
                errno == ECONNREFUSED;
    ++*(dead ? count->dead : count->alive);
}

int doorbell_count(const char *directory, int *dead)
{
    int alive = 0;
    *dead = 0;
    for_each_bell(directory, count_one, &(struct bell_count){&alive, dead});
    return alive;
}

int doorbell_bind(const char *directory, const char *name, struct error *e)
{
    struct sockaddr_un address;
    if (!make_address(&address, directory, name, suffix))
        return error_set(e, ERR_INVALID, "the doorbell's path is too long for a socket: %s/%s%s", directory,
                         name, suffix);
    if (mkdir(directory, 0775) < 0 && errno != EEXIST)
        return error_errno(e, ERR_IO, "cannot make the doorbell directory %s", directory);
    for_each_bell(directory, remove_stale, NULL);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_errno(e, ERR_SYSTEM, "socket");
    unlink(address.sun_path);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        int rc = error_errno(e, ERR_IO, "cannot bind the doorbell %s", address.sun_path);
        close(fd);
        return rc;
    }
    /* the API runs under another account: ringing needs write permission, and tells nothing */
    chmod(address.sun_path, 0666);
    return fd;
}

int doorbell_read(int fd, struct doorbell_message *out)
{
    for (;;) {
        char text[MESSAGE_SIZE];
        ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
        if (n < 0)
            return 0;
        text[n] = '\0';
        long long turn;
        if (sscanf(text, "%64s %d %lld", out->type, &out->priority, &turn) == 3) {
            out->turn = turn;
            return 1;
        }
    }
}

void doorbell_unbind(const char *directory, const char *name, int fd)
{
    struct sockaddr_un address;
    if (fd < 0)
        return;
    if (make_address(&address, directory, name, suffix))
        unlink(address.sun_path);
    close(fd);
}
