/* SPDX-License-Identifier: MIT */
/* replay_response.c: takes the site's response as it comes, into a file. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "replay.h"

/* --- the head --------------------------------------------------------------------------------------- */

/* Of this connection only, or about how the body was sent on it. */
static bool is_of_connection(const struct stored_header *all, size_t count, const char *name)
{
    if (header_is_of_connection(name))
        return true;
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(all[i].name, "Connection") == 0 && header_list_has(all[i].value, name, strncasecmp))
            return true;
    return false;
}

/* Control bytes are none of a header's, and a space is as good (RFC 9110 section 5.5). */
static char *clean_value(struct arena *arena, const char *value)
{
    char *copy = arena_strdup(arena, value);
    for (char *p = copy; *p; p++)
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 0x7f)
            *p = ' ';
    return copy;
}

/* The final response's headers, without those of interim ones and of the trailer, and without what is no header by its
 * name. */
static size_t read_headers(CURL *easy, struct arena *arena, struct stored_header **out)
{
    struct curl_header *h = NULL;
    size_t count = 0, kept = 0, i = 0;
    while ((h = curl_easy_nextheader(easy, CURLH_HEADER, -1, h)))
        count++;
    struct stored_header *all = arena_calloc(arena, count + 1, sizeof *all);
    struct stored_header *items = arena_calloc(arena, count + 1, sizeof *items);
    while (i < count && (h = curl_easy_nextheader(easy, CURLH_HEADER, -1, h)))
        all[i++] = (struct stored_header){arena_strdup(arena, h->name), clean_value(arena, h->value)};
    for (i = 0; i < count; i++)
        if (header_is_token(all[i].name) && !is_of_connection(all, count, all[i].name))
            items[kept++] = all[i];
    *out = items;
    return kept;
}

static int write_head(struct replay *p)
{
    const struct settings *s = run_settings(p->run);
    const struct run_task *t = run_task(p->run);
    const struct result_place place = result_place_of(&s->files);
    struct stored_response head = {.status = p->status, .reason = p->reason};
    struct buf line = BUF_INIT;
    char name[64];
    head.header_count = read_headers(p->easy, run_arena(p->run), &head.headers);
    stored_response_head(&head, &line);
    int rc = result_file_create(&place, t->id, t->fence, "http", &p->file, &p->error);
    if (!rc) {
        snprintf(name, sizeof name, "task-%" PRIu64 "-response.http", t->id);
        result_file_name(p->file, name, "http");
        result_file_set_response(p->file);
        rc = result_file_write(p->file, line.data, line.len, &p->error);
    }
    buf_free(&line);
    return rc;
}

/* The head is complete. */
static void begin_response(struct replay *p)
{
    long status = 0;
    curl_off_t length = -1;
    curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(p->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    p->status = (unsigned)status;
    p->unwanted = p->request.forget || replay_comes_again(p);
    if (p->unwanted)
        return;
    if (length > run_settings(p->run)->defer.max_result_bytes && strcmp(p->request.method, "HEAD") != 0)
        p->fault = REPLAY_TOO_LARGE;
    else if (write_head(p))
        p->fault = REPLAY_NOT_STORED;
}

/* Only the status line is looked at: the headers are curl's to read. */
static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct replay *p = arg;
    size_t len = size * count;
    if (len < 5 || memcmp(line, "HTTP/", 5) != 0)
        return len;
    while (len && (line[len - 1] == '\r' || line[len - 1] == '\n'))
        len--;
    const char *end = line + len, *reason = line;
    for (int spaces = 0; spaces < 2 && reason < end; reason++)
        spaces += *reason == ' ';
    size_t n = 0;
    for (; reason < end && n < sizeof p->reason - 1; reason++)
        if ((unsigned char)*reason >= 0x20 && *reason != 0x7f)
            p->reason[n++] = *reason;
    p->reason[n] = '\0';
    return size * count;
}

/* --- the body --------------------------------------------------------------------------------------- */

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct replay *p = arg;
    size_t len = size * count;
    if (!p->status)
        begin_response(p);
    p->bytes += len;
    if (!p->unwanted && p->bytes > (uint64_t)run_settings(p->run)->defer.max_result_bytes)
        p->fault = REPLAY_TOO_LARGE;
    else if (p->file && result_file_write(p->file, data, len, &p->error))
        p->fault = REPLAY_NOT_STORED;
    if (p->fault != REPLAY_GOOD)
        return 0; /* curl ends the transfer */
    curl_off_t total = -1;
    curl_easy_getinfo(p->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &total);
    run_progress(p->run, p->bytes, total > 0 ? (uint64_t)total : 0, "bytes");
    return len;
}

void replay_take_response(struct replay *p)
{
    curl_easy_setopt(p->easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(p->easy, CURLOPT_HEADERDATA, p);
    curl_easy_setopt(p->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(p->easy, CURLOPT_WRITEDATA, p);
    curl_easy_setopt(p->easy, CURLOPT_HTTP_CONTENT_DECODING, 0L); /* what is compressed stays so */
    curl_easy_setopt(p->easy, CURLOPT_FOLLOWLOCATION, 0L);
}

void replay_complete(struct replay *p)
{
    if (!p->status)
        begin_response(p);
}
