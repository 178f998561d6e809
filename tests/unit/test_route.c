/* SPDX-License-Identifier: MIT */
/* test_route.c: paths and methods against the table, and what must hold for each of its rows. */
#include <stdlib.h>

#include "fcgi/route.h"
#include "unit.h"

static const struct {
    const char *method;
    const char *path;
    enum route_result result;
    const char *found; /* the route's path, or Allow */
    uint64_t id;
} cases[] = {
    {"GET", "/v1/tasks", ROUTE_FOUND, "/v1/tasks", 0},
    {"HEAD", "/v1/tasks", ROUTE_FOUND, "/v1/tasks", 0},
    {"POST", "/v1/tasks", ROUTE_FOUND, "/v1/tasks", 0},
    {"GET", "/v1/tasks/1", ROUTE_FOUND, "/v1/tasks/{id}", 1},
    {"GET", "/v1/tasks/9223372036854775807", ROUTE_FOUND, "/v1/tasks/{id}", INT64_MAX},
    {"POST", "/v1/tasks/17/retry", ROUTE_FOUND, "/v1/tasks/{id}/retry", 17},
    {"GET", "/v1/tasks/exports", ROUTE_FOUND, "/v1/tasks/exports", 0},
    {"GET", "/v1/tasks/exports/3/download", ROUTE_FOUND, "/v1/tasks/exports/{id}/download", 3},
    {"GET", "/v1/tasks/health", ROUTE_FOUND, "/v1/tasks/health", 0},
    {"PUT", "/v1/tasks/1", ROUTE_NO_METHOD, "GET, HEAD, DELETE", 0},
    {"get", "/v1/tasks/types", ROUTE_NO_METHOD, "GET, HEAD", 0},
    {"", "/v1/tasks/1/retry", ROUTE_NO_METHOD, "POST", 0},
    {"HEAD", "/v1/tasks/1/retry", ROUTE_NO_METHOD, "POST", 0},
    {"GET", "", ROUTE_NO_PATH, "", 0},
    {"GET", "/", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/task", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/0", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/01", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/1x", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/+1", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/-1", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/ 1", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/{id}", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/9223372036854775808", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/18446744073709551617", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/99999999999999999999999999999", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/1/", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/1/retr", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/1/retryx", ROUTE_NO_PATH, "", 0},
    {"GET", "/v1/tasks/1\r\n", ROUTE_NO_PATH, "", 0},
    {"PUT", "/_api/job/7", ROUTE_FOUND, "/_api/job/{id}", 7},
    {"PUT", "/_api/job/7/cancel", ROUTE_FOUND, "/_api/job/{id}/cancel", 7},
    {"GET", "/_api/job/done", ROUTE_FOUND, "/_api/job/done", 0},
    {"GET", "/_api/job/7/8", ROUTE_FOUND, "/_api/job{rest}", 0},
    {"PUT", "/_api/job/done", ROUTE_FOUND, "/_api/job{rest}", 0},
    {"GET", "/_api/job", ROUTE_FOUND, "/_api/job{rest}", 0},
    {"POST", "/_api/job/7", ROUTE_NO_METHOD, "GET, HEAD, PUT, DELETE", 0},
    {"POST", "/_api/job/done", ROUTE_NO_METHOD, "GET, HEAD, PUT, DELETE", 0},
};

static void test_find(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct route *route = NULL;
        char allow[ALLOW_SIZE];
        uint64_t id;
        bool head;
        enum method method = method_parse(cases[i].method, &head);
        enum route_result result = route_find(method, cases[i].path, &route, &id, allow);
        CHECK_CASE(i, cases[i].path, result == cases[i].result);
        CHECK_CASE(i, cases[i].path, head == (strcmp(cases[i].method, "HEAD") == 0));
        if (result == ROUTE_FOUND)
            CHECK_CASE(i, cases[i].path, id == cases[i].id);
        CHECK_CASE_TEXT(i, cases[i].path, result == ROUTE_FOUND ? route->path : allow,
                        cases[i].found);
    }
}

/* A route whose thing belongs to somebody names it, and only such a route may. */
static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < route_count; i++) {
        const struct route *r = &routes[i];
        bool has_id = strstr(r->path, "{id}") != NULL;
        bool owned = r->right == RIGHT_TASK_OWNER || r->right == RIGHT_EXPORT_OWNER || r->right == RIGHT_JOB_OWNER;
        CHECK_CASE(i, r->path, has_id == owned || r->right == RIGHT_ADMIN);
        CHECK_CASE(i, r->path, r->handle && r->text[0]);
        CHECK_CASE(i, r->path, r->body == BODY_NONE || r->method == METHOD_POST || r->method == METHOD_PUT);
        for (size_t j = 0; j < i; j++)
            CHECK_CASE(i, r->path,
                       r->method != routes[j].method || strcmp(r->path, routes[j].path) != 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
