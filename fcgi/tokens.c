/* SPDX-License-Identifier: MIT */
/* tokens.c: a small table of fingerprints; in a full row the entry that was used longest ago makes room. */
#include "fcgi/tokens.h"

#include <openssl/sha.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fcgi/backend.h"
#include "store/token.h"

/* Ten seconds are promised for a revocation. */
enum { ROWS = 128, PLACES = 8, KEEP_SECONDS = 5 };

struct entry {
    unsigned char fingerprint[SHA256_DIGEST_LENGTH];
    uint64_t used; /* 0: the place is free */
    int64_t until_ns;
    int64_t user; /* 0: no valid token */
    bool admin;
};

struct tokens {
    struct backend *backend;
    pthread_mutex_t lock;
    uint64_t used; /* grows with every use */
    struct entry entries[ROWS][PLACES];
};

struct tokens *tokens_create(struct backend *b)
{
    struct tokens *t = xcalloc(1, sizeof *t);
    t->backend = b;
    pthread_mutex_init(&t->lock, NULL);
    return t;
}

void tokens_destroy(struct tokens **t)
{
    if (!*t)
        return;
    pthread_mutex_destroy(&(*t)->lock);
    free(*t);
    *t = NULL;
}

/* Lock held. The place of a fingerprint, or the one to use for it. */
static struct entry *find(struct tokens *t, const unsigned char *fingerprint, bool *found)
{
    struct entry *row = t->entries[fingerprint[0] % ROWS], *oldest = row;
    for (struct entry *e = row; e < row + PLACES; e++) {
        *found = e->used && memcmp(e->fingerprint, fingerprint, sizeof e->fingerprint) == 0;
        if (*found)
            return e;
        if (e->used < oldest->used)
            oldest = e;
    }
    return oldest;
}

static bool recall(struct tokens *t, const unsigned char *fingerprint, struct entry *out)
{
    bool found;
    pthread_mutex_lock(&t->lock);
    struct entry *e = find(t, fingerprint, &found);
    found = found && clock_mono_ns() < e->until_ns;
    if (found) {
        e->used = ++t->used;
        *out = *e;
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}

static void remember(struct tokens *t, const struct entry *entry)
{
    bool found;
    pthread_mutex_lock(&t->lock);
    struct entry *e = find(t, entry->fingerprint, &found);
    *e = *entry;
    e->used = ++t->used;
    pthread_mutex_unlock(&t->lock);
}

struct question {
    const char *text;
    int64_t user;
    bool admin;
};

static int find_call(struct store *s, void *context, struct error *e)
{
    struct question *q = context;
    return store_find_token(s, q->text, &q->user, &q->admin, e);
}

/* What cannot be a token is not looked up. */
static bool is_token(const char *text)
{
    return strlen(text) == TOKEN_SIZE - 1 && strncmp(text, "bd_", 3) == 0 &&
           strspn(text + 3, "0123456789abcdef") == TOKEN_SIZE - 4;
}

int tokens_find(struct tokens *t, const char *text, int64_t *user, bool *admin, struct error *e)
{
    struct entry entry = {.until_ns = clock_mono_ns() + KEEP_SECONDS * INT64_C(1000000000)};
    if (!is_token(text))
        return error_set(e, ERR_NOT_FOUND, "this is no token");
    SHA256((const unsigned char *)text, strlen(text), entry.fingerprint);
    if (!recall(t, entry.fingerprint, &entry)) {
        struct question q = {.text = text};
        int result = backend_call(t->backend, BACKEND_READ, find_call, &q, e);
        if (result != 0 && result != ERR_NOT_FOUND)
            return result;
        error_clear(e);
        entry.user = result == 0 ? q.user : 0;
        entry.admin = result == 0 && q.admin;
        remember(t, &entry);
    }
    *user = entry.user;
    *admin = entry.admin;
    return entry.user > 0 ? 0 : error_set(e, ERR_NOT_FOUND, "the token is not valid");
}

const char *bearer_token(const char *header)
{
    static const char scheme[] = "Bearer";
    size_t len = sizeof scheme - 1;
    if (strncasecmp(header, scheme, len) != 0 || (header[len] != ' ' && header[len] != '\0'))
        return NULL;
    return header + len + strspn(header + len, " ");
}
