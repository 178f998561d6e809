/* SPDX-License-Identifier: MIT */
/* import_impl.h: one import, as the files that run it share it. */
#ifndef TASKS_TYPES_IMPORT_IMPL_H
#define TASKS_TYPES_IMPORT_IMPL_H

#include "csv_read.h"
#include "import_batch.h"
#include "import_input.h"
#include "import_ledger.h"
#include "import_report.h"
#include "import_table.h"
#include "import_value.h"
#include "import_write.h"
#include "task/run.h"
#include "task/validate.h"

/* How it is written. */
enum import_mode {
    MODE_BATCHES, /* a transaction each, told by the ledger */
    MODE_ATOMIC,  /* one, told by the ledger */
    MODE_DRY,     /* one, rolled back */
};

/* Invariant: db, ledger and writer are there together, or none of them; state is what has been committed, or, but
 * in MODE_BATCHES, what the open transaction holds. */
struct import_job {
    struct run *run;
    struct run_outcome *outcome;
    const struct import *import;
    enum import_policy policy;
    enum import_mode mode;
    char delimiter;
    struct import_ledger_key key;
    char path[RESULT_PATH_SIZE];
    int64_t reject_limit; /* -1: none */

    struct db *db;
    struct import_table table;
    struct import_style style;
    struct import_ledger *ledger;
    struct import_writer *writer;
    struct import_input *input;
    struct csv_reader *reader;
    struct import_batch batch;
    uint64_t unclosed; /* line of a quote that the file never closes; 0: none has been met */
    struct import_state state;
    struct import_report *report;
    const char *first_reject; /* for the message of a failure */
};

/* Fails the outcome by what has gone wrong; returns ERR_INVALID. */
int import_input_failed(struct import_job *j, const struct error *e);
int import_target_failed(struct import_job *j, const struct error *e);
int import_storage_failed(struct import_job *j, const struct error *e);
int import_stopped(struct import_job *j);

/* --- import_open.c: connecting, and the file ------------------------------------------------------------- */

/* Connects and prepares; the table must be read already but for the first time. */
int import_connect(struct import_job *j, struct error *e) MUST_USE;
void import_disconnect(struct import_job *j);

/* Opens the file and maps its header; then stands behind row state. */
int import_open_file(struct import_job *j) MUST_USE;

/* Reads the next batch: 1, 0 at the end of the file, or before a row that is unclosed (the batch may hold rows all the
 * same), or a failure that is in the outcome. */
int import_read_batch(struct import_job *j) MUST_USE;

/* --- import_apply.c: batches into the database ------------------------------------------------------------- */

/* Brings the batch into the table; LAST: nothing follows. 0, or a failure that is in the outcome. */
int import_apply(struct import_job *j, bool last) MUST_USE;

/* Puts a reject into the report; for import_ledger_replay: JOB is a struct import_job. */
int import_tell_reject(void *job, const struct import_reject *r, struct error *e) MUST_USE;

/* Fails the outcome where more rows have been rejected than may be. */
int import_check_rejected(struct import_job *j) MUST_USE;

#endif
