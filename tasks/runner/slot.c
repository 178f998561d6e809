/* SPDX-License-Identifier: MIT */
/* slot.c: the shared memory between dispatcher and workers. */
#include "slot.h"

#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

enum { READ_TRIES = 1000 };

static size_t slots_size(size_t count)
{
    return sizeof(struct slots) + count * sizeof(struct slot);
}

struct slots *slots_create(size_t count)
{
    void *p = mmap(NULL, slots_size(count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    struct slots *s = p;
    s->count = count;
    return s;
}

void slots_destroy(struct slots **s)
{
    if (*s)
        munmap(*s, slots_size((*s)->count));
    *s = NULL;
}

void slot_reset(struct slot *slot, int64_t now_ns)
{
    struct slot_progress none = {0};
    atomic_store(&slot->stop, false);
    atomic_store(&slot->committed, false);
    atomic_store(&slot->asked_ns, now_ns);
    atomic_store(&slot->log_end, 0);
    atomic_store(&slot->version, 0); /* a worker that died while writing left it odd */
    slot_write(slot, &none);
}

void slot_write(struct slot *slot, const struct slot_progress *progress)
{
    unsigned version = atomic_load_explicit(&slot->version, memory_order_relaxed);
    atomic_store_explicit(&slot->version, version + 1, memory_order_relaxed);
    atomic_thread_fence(memory_order_release);
    slot->progress = *progress;
    atomic_store_explicit(&slot->version, version + 2, memory_order_release);
}

bool slot_read(const struct slot *slot, struct slot_progress *out, unsigned *version)
{
    for (int i = 0; i < READ_TRIES; i++) {
        unsigned before = atomic_load_explicit(&slot->version, memory_order_acquire);
        if (before & 1)
            continue;
        *out = slot->progress;
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(&slot->version, memory_order_relaxed) == before) {
            *version = before;
            return true;
        }
    }
    return false;
}

void slot_log(struct slot *slot, const char *line, size_t len)
{
    size_t end = atomic_load(&slot->log_end);
    for (size_t i = 0; i < len; i++)
        slot->log[(end + i) % SLOT_LOG_SIZE] = line[i];
    atomic_store(&slot->log_end, end + len);
}

char *slot_log_tail(const struct slot *slot)
{
    size_t end = atomic_load(&slot->log_end);
    if (!end)
        return NULL;
    size_t len = end < SLOT_LOG_SIZE ? end : SLOT_LOG_SIZE;
    char *text = xmalloc(len + 1);
    for (size_t i = 0; i < len; i++) {
        char c = slot->log[(end - len + i) % SLOT_LOG_SIZE];
        text[i] = c ? c : ' ';
    }
    text[len] = '\0';
    char *line = len < end ? strchr(text, '\n') : NULL; /* cut: begin with a whole line */
    if (line && line[1])
        memmove(text, line + 1, strlen(line + 1) + 1);
    return text;
}
