/* SPDX-License-Identifier: MIT */
/* fuzz_checkpoint.c: a checkpoint that was taken lies within what was read, and is what would be written
 * again. The hash at its end is made right first: otherwise nothing would get past it. */
#include <openssl/evp.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "task/checkpoint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct checkpoint c;
    struct error e = {0};
    uint8_t *copy = xmalloc(size + 1);
    memcpy(copy, data, size);
    if (size >= CHECKPOINT_DIGEST)
        EVP_Digest(copy, size - CHECKPOINT_DIGEST, copy + size - CHECKPOINT_DIGEST, NULL, EVP_sha256(),
                   NULL);
    if (checkpoint_decode(copy, size, &c, &e) == 0) {
        struct buf b = BUF_INIT;
        PROMISE(c.key_count <= CHECKPOINT_KEYS_MAX);
        checkpoint_encode(&c, &b);
        PROMISE(!b.err && b.len == size && memcmp(b.data, copy, size) == 0);
        buf_free(&b);
    } else {
        PROMISE(e.code == ERR_INVALID && *e.text);
    }
    free(copy);
    return 0;
}
