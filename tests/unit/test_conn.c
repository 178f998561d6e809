/* SPDX-License-Identifier: MIT */
/* test_conn.c: connections where the system has no room for them: they are closed or answered at once, and others go
 * on. The linker puts __wrap_epoll_ctl before the system's (--wrap). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fcgi/conn.h"
#include "unit.h"

static int epoll_fault; /* of the next call; 0 = none */

int __real_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    int fault = epoll_fault;
    epoll_fault = 0;
    if (!fault)
        return __real_epoll_ctl(epoll, operation, fd, event);
    errno = fault;
    return -1;
}

/* A pool without threads, whose sources of connections are socket pairs. */
struct fixture {
    struct pool_options options;
    struct pool pool;
    int listener, older; /* the other ends */
};

static void make_pair(int *one, int *other)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    *one = pair[0];
    *other = pair[1];
}

static void open_pool(struct fixture *f)
{
    *f = (struct fixture){.options = {.connections = 10, .io_timeout_usec = 1000000}};
    make_pair(&f->options.listener, &f->listener);
    make_pair(&f->options.handover_in, &f->older);
    f->pool = (struct pool){.options = &f->options, .epoll = epoll_create1(0), .wake = eventfd(0, 0)};
    pthread_mutex_init(&f->pool.lock, NULL);
    pthread_cond_init(&f->pool.work, NULL);
    pthread_cond_init(&f->pool.reserve, NULL);
}

static void close_pool(struct fixture *f)
{
    f->pool.phase = POOL_ENDING;
    conn_sweep(&f->pool);
    assert_int_equal(f->pool.count, 0);
    const int all[] = {f->pool.epoll, f->pool.wake, f->options.listener, f->options.handover_in, f->listener, f->older};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        close(all[i]);
}

static bool is_closed(int peer)
{
    char byte;
    return recv(peer, &byte, 1, MSG_DONTWAIT) == 0;
}

static void test_no_room_in_epoll(void **state)
{
    (void)state;
    struct fixture f;
    int fd, peer;
    open_pool(&f);
    make_pair(&fd, &peer);
    epoll_fault = ENOSPC;
    conn_open(&f.pool, fd);
    assert_int_equal(f.pool.count, 0);
    assert_true(is_closed(peer));
    close(peer);

    make_pair(&fd, &peer);
    conn_open(&f.pool, fd);
    struct conn *c = f.pool.conns;
    conn_dispatch(&f.pool, c);
    assert_ptr_equal(conn_take(&f.pool), c);
    epoll_fault = ENOMEM;
    conn_park(&f.pool, c); /* it cannot wait: it is gone on with */
    assert_ptr_equal(conn_take(&f.pool), c);
    epoll_fault = ENOMEM;
    conn_answered(&f.pool, c, true);
    assert_int_equal(f.pool.count, 0);
    assert_true(is_closed(peer));
    close(peer);
    close_pool(&f);
}

static void hand_over(int to, int fd)
{
    char control[CMSG_SPACE(sizeof fd)] = {0}, byte = 0;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof control,
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(header), &fd, sizeof fd);
    assert_int_equal(sendmsg(to, &message, 0), 1);
}

/* A descriptor that could not be received is lost; those behind it wait until there is room. */
static void test_no_descriptor_for_what_is_passed_on(void **state)
{
    (void)state;
    struct fixture f;
    struct rlimit before, none;
    int fd, peer;
    open_pool(&f);
    struct poller *poller = poller_create(&f.pool, eventfd(0, 0));
    make_pair(&fd, &peer);
    hand_over(f.older, fd);
    hand_over(f.older, fd);
    close(fd);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = (rlim_t)fd; /* the lowest one that is free */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(poller_watch(poller), WATCH_GOES_ON);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(poller_watch(poller), WATCH_GOES_ON);
    assert_int_equal(f.pool.count, 0);
    assert_int_equal(poller_watch(poller), WATCH_GOES_ON);
    assert_int_equal(f.pool.count, 1);
    assert_false(is_closed(peer));
    poller_destroy(&poller);
    close_pool(&f);
    assert_true(is_closed(peer));
    close(peer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_room_in_epoll),
        cmocka_unit_test(test_no_descriptor_for_what_is_passed_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
