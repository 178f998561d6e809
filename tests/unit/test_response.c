/* SPDX-License-Identifier: MIT */
/* test_response.c: whole answers as they leave: problems, ETags, headers, file names. */
#include <stdlib.h>

#include "base/error.h"
#include "fcgi/disposition.h"
#include "fcgi/response.h"
#include "task/validate.h"
#include "unit.h"

/* A transport that keeps what is written. */
struct capture {
    struct transport transport;
    struct buf out;
};

static int capture_write(struct transport *t, const void *data, size_t len)
{
    buf_add(&((struct capture *)t)->out, data, len);
    return 0;
}

static const struct transport_ops capture_ops = {.write = capture_write};

static void check_sent(struct response *r, bool head_only, const char *wanted)
{
    struct capture c = {{&capture_ops}, BUF_INIT};
    assert_int_equal(response_send(r, &c.transport, head_only), 0);
    assert_string_equal(buf_str(&c.out), wanted);
    buf_free(&c.out);
}

#define PROBLEM_HEAD(status) \
    "Status: " status "\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\n"
#define NOSNIFF "X-Content-Type-Options: nosniff\r\n"

static void test_json(void **state)
{
    (void)state;
    struct response r;
    response_init(&r);
    buf_adds(&r.body, "{}");
    response_json(&r, 202);
    response_header(&r, "Location", "/v1/tasks/1");
    response_retry_after(&r, 2500000);
    static const char head[] =
        "Status: 202 Accepted\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
        "Location: /v1/tasks/1\r\nRetry-After: 2\r\n" NOSNIFF "Content-Length: 2\r\n\r\n";
    check_sent(&r, true, head);
    char whole[sizeof head + 2];
    snprintf(whole, sizeof whole, "%s{}", head);
    check_sent(&r, false, whole);
    response_clear(&r);
    response_no_content(&r);
    check_sent(&r, false, "Status: 204 No Content\r\nCache-Control: no-store\r\n" NOSNIFF "\r\n");
    response_free(&r);
}

static void test_problem(void **state)
{
    (void)state;
    struct response r;
    response_init(&r);
    const struct fault faults[] = {{"/0/a", "is \"bad\""}, {"", "x"}};
    buf_adds(&r.body, "half an answer");
    response_header(&r, "X-Old", "1");
    assert_false(response_problem_faults(&r, PROBLEM_invalid_task, "So\nit is.", faults, 2));
    check_sent(&r, false,
               PROBLEM_HEAD("422 Unprocessable Content") NOSNIFF
               "Content-Length: 191\r\n\r\n"
               "{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\",\"status\":422,"
               "\"code\":\"invalid_task\",\"detail\":\"So\\nit is.\",\"errors\":["
               "{\"pointer\":\"/0/a\",\"detail\":\"is \\\"bad\\\"\"},{\"pointer\":\"\",\"detail\":\"x\"}]}");
    response_free(&r);
    for (int p = 0; p < PROBLEM_COUNT; p++) {
        assert_true(problem_status((enum problem)p) >= 400);
        assert_string_not_equal(status_phrase(problem_status((enum problem)p)), "Unknown");
    }
}

static void test_spoiled(void **state)
{
    (void)state;
    static const char internal[] =
        PROBLEM_HEAD("500 Internal Server Error") NOSNIFF
        "Content-Length: 143\r\n\r\n"
        "{\"type\":\"about:blank\",\"title\":\"Internal Server Error\",\"status\":500,"
        "\"code\":\"internal\",\"detail\":\"Something went wrong here; it has been logged.\"}";
    struct response r;
    response_init(&r);
    check_sent(&r, false, internal); /* nobody answered */
    response_clear(&r);
    response_json(&r, 200);
    response_header(&r, "Location", "/x\r\nX-Evil: 1");
    check_sent(&r, false, internal);
    response_clear(&r);
    response_json(&r, 200);
    r.body.err = ERR_LIMIT;
    check_sent(&r, false, internal);
    response_free(&r);
}

/* The tag of the body "{}" is T. */
static const struct {
    const char *if_none_match;
    int status;
} etags[] = {
    {NULL, 200},          {"", 200},       {"T", 304},      {"W/T", 304},    {"*", 304},
    {"\"x\", T", 304},    {"\"x\",T,\"y\"", 304}, {"\"x\"", 200}, {"W/\"x\"", 200}, {"\"", 200},
    {"\"\"", 200},        {"x", 200},      {", ,", 200},    {"\"T", 200},
};

static const char tag[] = "\"44136fa355b3678a1146ad16f7e8649e\"";

/* TEXT with the tag in place of T. */
static const char *with_tag(const char *text, char out[128])
{
    out[0] = '\0';
    for (const char *p = text; p && *p; p++)
        strncat(out, *p == 'T' ? tag : p, *p == 'T' ? sizeof tag : 1);
    return text ? out : NULL;
}

static void test_etag(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(etags); i++) {
        struct response r;
        char value[128];
        response_init(&r);
        buf_adds(&r.body, "{}");
        response_json(&r, 200);
        response_etag(&r, NULL, with_tag(etags[i].if_none_match, value));
        CHECK_CASE(i, value, r.status == etags[i].status);
        CHECK_CASE(i, value, strstr(buf_str(&r.head), tag) != NULL);
        CHECK_CASE(i, value, (r.body.len == 0) == (r.status == 304));
        response_free(&r);
    }
}

static const struct {
    const char *if_match, *if_none_match;
    int status;
} conditions[] = {
    {"T", NULL, 200},        {"*", NULL, 200}, {"\"x\", T", NULL, 200}, {"\"x\"", NULL, 412}, {"W/T", NULL, 412},
    {"W/T,T", NULL, 200},    {"", NULL, 412},  {"x", NULL, 412},        {"T", "T", 304},      {"\"x\"", "T", 412},
    {"\"x\"", "\"x\"", 412}, {"*", "\"x\"", 200},
};

static void test_if_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(conditions); i++) {
        struct response r;
        char value[128], other[128];
        response_init(&r);
        buf_adds(&r.body, "{}");
        response_json(&r, 200);
        response_etag(&r, with_tag(conditions[i].if_match, value), with_tag(conditions[i].if_none_match, other));
        CHECK_CASE(i, conditions[i].if_match, r.status == conditions[i].status);
        CHECK_CASE(i, conditions[i].if_match, (strstr(buf_str(&r.head), tag) != NULL) == (r.status != 412));
        response_free(&r);
    }
}

static const struct {
    const char *name;
    const char *out;
} names[] = {
    {"books.csv", "filename=\"books.csv\""},
    {"", "filename=\"download\""},
    {"a b.csv", "filename=\"a b.csv\""},
    {"..", "filename=\"_.\""},
    {"/etc/passwd", "filename=\"_etc_passwd\""},
    {"C:\\x", "filename=\"C:_x\""},
    {"a\r\nB: c", "filename=\"a__B: c\""},
    {"a\"b", "filename=\"a_b\"; filename*=UTF-8''a%22b"},
    {"50%41", "filename=\"50_41\"; filename*=UTF-8''50%2541"},
    {"\xc3\xa4.csv", "filename=\"_.csv\"; filename*=UTF-8''%C3%A4.csv"},
    {"\xf0\x9f\x93\x9a", "filename=\"_\"; filename*=UTF-8''%F0%9F%93%9A"},
    {"\xff\xfe.csv", "filename=\"__.csv\""},
    {"a\xe2\x80\xae" "b", "filename=\"a_b\""},
    {"a\xe2\x81\xa6" "b\xd8\x9c", "filename=\"a_b_\""},
};

static void test_disposition(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct buf out = BUF_INIT;
        char wanted[256];
        disposition_write(&out, names[i].name, strlen(names[i].name));
        snprintf(wanted, sizeof wanted, "attachment; %s", names[i].out);
        CHECK_CASE_TEXT(i, names[i].name, buf_str(&out), wanted);
        buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json), cmocka_unit_test(test_problem),     cmocka_unit_test(test_spoiled),
        cmocka_unit_test(test_etag), cmocka_unit_test(test_if_match),    cmocka_unit_test(test_disposition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
