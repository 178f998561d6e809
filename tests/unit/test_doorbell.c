/* SPDX-License-Identifier: MIT */
/* test_doorbell.c: bells of several runners in one directory, dead ones among them. */
#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "fcgi/ring.h"
#include "store/doorbell.h"
#include "unit.h"

static const struct doorbell_message lane = {"csv_export", 7, -42};

static int setup(void **state)
{
    char name[] = "/tmp/backdesk-bell-XXXXXX";
    assert_non_null(mkdtemp(name));
    *state = strdup(name);
    return 0;
}

static int teardown(void **state)
{
    char *directory = *state, path[300];
    DIR *d = opendir(directory);
    for (struct dirent *entry; d && (entry = readdir(d));)
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
            unlink(path);
        }
    if (d)
        closedir(d);
    rmdir(directory);
    free(directory);
    return 0;
}

static int bind_bell(const char *directory, const char *name)
{
    struct error e = {0};
    int fd = doorbell_bind(directory, name, &e);
    if (fd < 0)
        fail_msg("%s", e.text);
    return fd;
}

static void check_message(int fd, const struct doorbell_message *wanted)
{
    struct doorbell_message got;
    assert_int_equal(doorbell_read(fd, &got), wanted != NULL);
    if (wanted) {
        assert_string_equal(got.type, wanted->type);
        assert_int_equal(got.priority, wanted->priority);
        assert_true(got.turn == wanted->turn);
    }
}

static bool exists(const char *directory, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return access(path, F_OK) == 0;
}

static void test_every_bell_rings(void **state)
{
    int a = bind_bell(*state, "a"), b = bind_bell(*state, "b");
    const struct doorbell_message messages[] = {lane, {"dummy", 0, INT64_MAX}};
    doorbell_ring(*state, messages, 2);
    for (int i = 0; i < 2; i++) {
        int fd = i ? b : a;
        check_message(fd, &messages[0]);
        check_message(fd, &messages[1]);
        check_message(fd, NULL);
    }
    doorbell_unbind(*state, "a", a);
    doorbell_unbind(*state, "b", b);
    assert_false(exists(*state, "a.bell") || exists(*state, "b.bell"));
}

static void test_ringing_where_nobody_is(void **state)
{
    doorbell_ring(*state, &lane, 1);
    doorbell_ring("/nonexistent/directory", &lane, 1);
    doorbell_ring("", &lane, 1);
    doorbell_ring(NULL, &lane, 1);
    doorbell_ring(*state, NULL, 0);
}

static void test_a_bell_that_is_full_holds_nobody_up(void **state)
{
    int fd = bind_bell(*state, "full");
    for (int i = 0; i < 5000; i++)
        doorbell_ring(*state, &lane, 1);
    int count = 0;
    struct doorbell_message got;
    while (doorbell_read(fd, &got))
        count++;
    assert_true(count > 0);
    doorbell_ring(*state, &lane, 1);
    check_message(fd, &lane);
    doorbell_unbind(*state, "full", fd);
}

static void test_dead_bells_are_removed_and_living_ones_kept(void **state)
{
    int alive = bind_bell(*state, "alive"), dead = bind_bell(*state, "dead");
    close(dead); /* as kill -9 does: the name stays */
    char other[300];
    snprintf(other, sizeof other, "%s/file.bell", (char *)*state); /* not even a socket */
    FILE *f = fopen(other, "w");
    assert_non_null(f);
    fclose(f);
    doorbell_ring(*state, &lane, 1); /* ringing removes nothing */
    assert_true(exists(*state, "dead.bell"));
    int fd = bind_bell(*state, "new");
    assert_false(exists(*state, "dead.bell"));
    assert_true(exists(*state, "alive.bell") && exists(*state, "new.bell"));
    check_message(alive, &lane);
    check_message(alive, NULL); /* being asked whether it lives is no message */
    doorbell_unbind(*state, "alive", alive);
    doorbell_unbind(*state, "new", fd);
}

static void test_a_name_of_before(void **state)
{
    int old = bind_bell(*state, "same");
    close(old);
    int fd = bind_bell(*state, "same");
    doorbell_ring(*state, &lane, 1);
    check_message(fd, &lane);
    doorbell_unbind(*state, "same", fd);
}

static void test_a_directory_is_made(void **state)
{
    char below[300];
    snprintf(below, sizeof below, "%s/below", (char *)*state);
    int fd = bind_bell(below, "a");
    doorbell_unbind(below, "a", fd);
    assert_int_equal(rmdir(below), 0);
}

static void test_a_path_that_is_too_long(void **state)
{
    struct error e = {0};
    char name[120];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(doorbell_bind(*state, name, &e), ERR_INVALID);
    error_clear(&e);
    assert_int_equal(doorbell_bind("/nonexistent/directory", "a", &e), ERR_IO);
}

static void test_nonsense_is_skipped(void **state)
{
    static const char *const nonsense[] = {"", "x", "dummy", "dummy 1", "dummy x 1", "1 2", " ", "\n\n"};
    int fd = bind_bell(*state, "a"), sender = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    snprintf(to.sun_path, sizeof to.sun_path, "%s/a.bell", (char *)*state);
    for (size_t i = 0; i < COUNT_OF(nonsense); i++)
        sendto(sender, nonsense[i], strlen(nonsense[i]), 0, (struct sockaddr *)&to, sizeof to);
    doorbell_ring(*state, &lane, 1);
    check_message(fd, &lane);
    check_message(fd, NULL);
    char long_type[200];
    memset(long_type, 'x', sizeof long_type);
    memcpy(long_type + 150, " 1 1", 5);
    sendto(sender, long_type, 154, 0, (struct sockaddr *)&to, sizeof to);
    struct doorbell_message got;
    while (doorbell_read(fd, &got))
        assert_true(strlen(got.type) < DOORBELL_TYPE_SIZE);
    close(sender);
    doorbell_unbind(*state, "a", fd);
}

#define BELL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* One message for a lane, with the first turn there; none for what is to come later. */
static void test_tasks_of_a_transaction(void **state)
{
    static const struct {
        const char *type;
        int priority;
        int64_t turn;
        enum task_status status;
    } made[] = {
        {"dummy", 5, 70, TASK_fresh},  {"export", 5, 50, TASK_fresh}, {"dummy", 5, 60, TASK_fresh},
        {"dummy", 7, 90, TASK_fresh},  {"dummy", 5, 80, TASK_fresh},  {"later", 5, 10, TASK_scheduled},
    };
    enum { COUNT = sizeof made / sizeof *made };
    struct task tasks[COUNT] = {{0}};
    for (size_t i = 0; i < COUNT; i++) {
        tasks[i].type = (struct text){made[i].type, strlen(made[i].type)};
        tasks[i].priority = made[i].priority;
        tasks[i].turn = made[i].turn;
        tasks[i].status = made[i].status;
    }
    struct settings s = {.runner.doorbell = *state};
    int a = bind_bell(*state, "a");
    ring_for_tasks(&s, tasks, COUNT);
    check_message(a, &(struct doorbell_message){"dummy", 5, 60});
    check_message(a, &(struct doorbell_message){"export", 5, 50});
    check_message(a, &(struct doorbell_message){"dummy", 7, 90});
    check_message(a, NULL);
    doorbell_unbind(*state, "a", a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BELL_TEST(test_every_bell_rings),
        BELL_TEST(test_ringing_where_nobody_is),
        BELL_TEST(test_a_bell_that_is_full_holds_nobody_up),
        BELL_TEST(test_dead_bells_are_removed_and_living_ones_kept),
        BELL_TEST(test_a_name_of_before),
        BELL_TEST(test_a_directory_is_made),
        BELL_TEST(test_a_path_that_is_too_long),
        BELL_TEST(test_nonsense_is_skipped),
        BELL_TEST(test_tasks_of_a_transaction),
    };
    return cmocka_run_group_tests_name("doorbell", tests, NULL, NULL);
}
