/* SPDX-License-Identifier: MIT */
/* problem.c: writes problem+json from problems.def. */
#include "fcgi/problem.h"

#include "task/validate.h"

static const struct {
    int status;
    const char *code;
    const char *detail;
} problems[] = {
#define PROBLEM(code, status, text) [PROBLEM_##code] = {status, #code, text},
#include "fcgi/problems.def"
#undef PROBLEM
};

int problem_status(enum problem p)
{
    return problems[p].status;
}

const char *status_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {303, "See Other"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {409, "Conflict"},
        {410, "Gone"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
        {507, "Insufficient Storage"},
    };
    for (size_t i = 0; i < COUNT_OF(phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Unknown";
}

void problem_json(struct buf *out, enum problem p, const char *detail, const struct fault *faults,
                  size_t count)
{
    buf_adds(out, "{\"type\":\"about:blank\",\"title\":");
    buf_json_s(out, status_phrase(problems[p].status));
    buf_addf(out, ",\"status\":%d,\"code\":\"%s\",\"detail\":", problems[p].status, problems[p].code);
    buf_json_s(out, detail ? detail : problems[p].detail);
    if (count) {
        buf_adds(out, ",\"errors\":[");
        for (size_t i = 0; i < count; i++) {
            buf_adds(out, i ? ",{\"pointer\":" : "{\"pointer\":");
            buf_json_s(out, faults[i].pointer);
            buf_adds(out, ",\"detail\":");
            buf_json_s(out, faults[i].detail);
            buf_addc(out, '}');
        }
        buf_addc(out, ']');
    }
    buf_addc(out, '}');
}
