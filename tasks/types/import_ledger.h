/* SPDX-License-Identifier: MIT */
/* import_ledger.h: how far an import is, kept in the database that it fills (sql/import/ledger.sql), so that
 * rows and their account are one transaction, and a worker that has lost its claim changes neither. */
#ifndef TASKS_TYPES_IMPORT_LEDGER_H
#define TASKS_TYPES_IMPORT_LEDGER_H

#include "import_batch.h"

struct import_ledger_key {
    const char *upload;
    uint64_t task, fence;
    const char *options; /* a task with other options begins anew */
};

struct import_ledger;

/* Opens the ledger on D, which must outlive it. ERR_NOT_FOUND or ERR_DENIED where its tables or the rights to
 * them are missing. */
int import_ledger_open(struct db *d, const struct import_ledger_key *key, struct import_ledger **out,
                       struct error *e) MUST_USE;
void import_ledger_close(struct import_ledger **l); /* NULL is accepted */

/* Takes the import over for KEY's fence, in a transaction of its own, and says how far it is. ERR_FENCED where
 * a later claim has it. */
int import_ledger_take(struct import_ledger *l, struct import_state *out, struct error *e) MUST_USE;

/* Within a transaction: holds the import until its end. ERR_FENCED as above. */
int import_ledger_lock(struct import_ledger *l, struct import_state *out, struct error *e) MUST_USE;
int import_ledger_save(struct import_ledger *l, const struct import_state *s, struct error *e) MUST_USE;
int import_ledger_add_rejects(struct import_ledger *l, const struct import_reject *rejects, size_t count,
                              struct error *e) MUST_USE;

/* Calls EACH for every reject so far, in order; it returns 0 or an error that ends the walk. */
int import_ledger_replay(struct import_ledger *l,
                         int (*each)(void *context, const struct import_reject *reject, struct error *e),
                         void *context, struct error *e) MUST_USE;

/* Removes what has not changed for KEEP_USEC; a little at a time. */
int import_ledger_clean(struct import_ledger *l, int64_t keep_usec, struct error *e) MUST_USE;

#endif
