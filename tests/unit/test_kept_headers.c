/* SPDX-License-Identifier: MIT */
/* test_kept_headers.c: which headers of a deferred request are kept, and where. */
#include "fcgi/kept_headers.h"
#include "unit.h"

static const char *const dropped[] = {"X-Site", "x_other"};
static const char *const secret[] = {"x-api-key"};
static const struct defer_settings defer = {
    .drop_headers = {dropped, COUNT_OF(dropped)},
    .secret_headers = {secret, COUNT_OF(secret)},
};

static const struct {
    const char *params[8];
    const char *shown, *secret; /* NULL: refused */
} cases[] = {
    {{NULL}, "[]", "[]"},
    {{"HTTP_ACCEPT=*/*", "REQUEST_METHOD=GET", "BACKDESK_USER=1", "HTTP_X_REQUEST_ID=a b"},
     "[[\"Accept\",\"*/*\"],[\"X-Request-Id\",\"a b\"]]", "[]"},
    {{"HTTP_X_A=1", "HTTP_X_A=2", "HTTP_X_A="}, "[[\"X-A\",\"1\"],[\"X-A\",\"2\"],[\"X-A\",\"\"]]", "[]"},
    {{"HTTP_COOKIE=a=b", "HTTP_AUTHORIZATION=Basic x", "HTTP_X_API_KEY=k", "HTTP_COOKIE=c=d"}, "[]",
     "[[\"Cookie\",\"a=b\"],[\"Authorization\",\"Basic x\"],[\"X-Api-Key\",\"k\"],[\"Cookie\",\"c=d\"]]"},
    {{"HTTP_HOST=h", "HTTP_CONTENT_LENGTH=5", "HTTP_CONNECTION=keep-alive", "HTTP_KEEP_ALIVE=1",
      "HTTP_TRANSFER_ENCODING=chunked", "HTTP_EXPECT=100-continue", "HTTP_UPGRADE=h2c"},
     "[]", "[]"},
    {{"HTTP_TE=trailers", "HTTP_PROXY=http://evil", "HTTP_PROXY_AUTHORIZATION=x", "HTTP_HTTP2_SETTINGS=x",
      "HTTP_X_TASK_ID=9", "HTTP_TRAILER=x", "HTTP_PROXY_CONNECTION=x"},
     "[]", "[]"},
    {{"HTTP_X_ACCEL_REDIRECT=/x", "HTTP_X_BACKDESK_CLIENT=1.2.3.4", "HTTP_X_BACKDESK_USER=100",
      "HTTP_BACKDESK_USER=100", "HTTP_X_ARANGO_ASYNC=store"},
     "[]", "[]"},
    {{"HTTP_X_HOP=1", "HTTP_CONNECTION=close, x-hop", "HTTP_X_HOPS=2", "HTTP_CONNECTION=\tX_Last", "HTTP_X_LAST=3"},
     "[[\"X-Hops\",\"2\"]]", "[]"},
    {{"HTTP_X_SITE=1", "HTTP_X_OTHER=1", "HTTP_X_SITES=1"}, "[[\"X-Sites\",\"1\"]]", "[]"},
    {{"HTTP_PREFER=respond-async, wait=5"}, "[]", "[]"},
    {{"HTTP_PREFER=return=minimal ,Respond-Async;x=\"a,b\", handling=\"le, nient\"; q, forget"},
     "[[\"Prefer\",\"return=minimal , handling=\\\"le, nient\\\"; q\"]]", "[]"},
    {{"HTTP_X_LATIN=\xe9\x80", "HTTP_X_TAB=a\tb"}, "[[\"X-Latin\",\"\xc3\xa9\xc2\x80\"],[\"X-Tab\",\"a\\tb\"]]", "[]"},
    {{"HTTP_X_A=a\rb"}, NULL, NULL},
    {{"HTTP_X_A=a\x7f"}, NULL, NULL},
    {{"HTTP_=x", "HTTP_X-A=x", "HTTP_x=y", "HTTP_X", "HTTP_X:=y"}, "[]", "[]"},
};

static void test_choice(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct kept_headers h = KEPT_HEADERS_INIT;
        struct error e = {0};
        int rc = kept_headers_choose(cases[i].params, &defer, &h, &e);
        CHECK_CASE(i, "refused", (rc == 0) == (cases[i].shown != NULL));
        if (rc == 0) {
            CHECK_CASE_TEXT(i, "shown", buf_str(&h.shown), cases[i].shown);
            CHECK_CASE_TEXT(i, "secret", buf_str(&h.secret), cases[i].secret);
        }
        kept_headers_free(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_choice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
