/* SPDX-License-Identifier: MIT */
/* result_file_impl.h: what the files about unfinished result files share; included nowhere else. */
#ifndef TASKS_TASK_RESULT_FILE_IMPL_H
#define TASKS_TASK_RESULT_FILE_IMPL_H

#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/buf.h"
#include "result_path.h"
#include "task/result_file.h"

enum { RESULT_BUFFER = 64 * 1024 };

/* The checkpoint that a thread is writing, or has written. Invariant: while started is set the thread
 * may use everything here, and nobody else may but for done. */
struct checkpoint_writer {
    pthread_t thread;
    bool started;
    atomic_bool done;   /* it can be joined without waiting */
    bool saved;         /* at least one is on the disk */
    bool complained;    /* of one that could not be written: once is enough */
    struct buf data;    /* its bytes */
};

/* Invariant: path names the file that exists on the disk, "" = none; it is relative to dir. */
struct result_file {
    int dir;    /* the shared directory */
    int fd;     /* the file; -1 once finished */
    mode_t mode;
    mode_t directory_mode;
    uint64_t id, fence;
    char path[RESULT_PATH_SIZE];
    char *full_path; /* the temporary one, absolute */
    char final_path[RESULT_PATH_SIZE];
    EVP_MD_CTX *hash;
    struct error error; /* the first one sticks */
    struct result_info info;
    uint64_t flushed; /* bytes given to the kernel */
    uint64_t writeback; /* up to here it has been told to start writing */
    struct checkpoint_writer checkpoint;
    size_t used;
    unsigned char buffer[RESULT_BUFFER];
};

/* Remembers the first failure, with errno's text. */
int result_file_failed(struct result_file *f, const char *what, struct error *e);

int result_file_flush(struct result_file *f, struct error *e);

/* SHA-256 of all that was flushed so far, which goes on. 0 or ERR_SYSTEM. */
int result_file_digest(const struct result_file *f, unsigned char *out);

/* Until no thread writes a checkpoint. */
void checkpoint_wait(struct result_file *f);

/* Takes the checkpoint off the disk. */
void checkpoint_remove(struct result_file *f);

#endif
