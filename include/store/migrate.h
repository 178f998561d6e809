/* SPDX-License-Identifier: MIT */
/* migrate.h: brings the schema to the version that this build knows, by numbered files. */
#ifndef STORE_MIGRATE_H
#define STORE_MIGRATE_H

#include <stdbool.h>

#include "base/db_address.h"
#include "base/error.h"

/* The highest number among sql/NNNN_*.sql; a lint test compares. */
enum { STORE_SCHEMA_VERSION = 6 };

/* Told for each file: "applied", "already applied", "would be applied". */
typedef void migrate_report(void *ctx, unsigned version, const char *file, const char *what);

/* Applies the files of DIRECTORY that the database has not got yet, in order. Each is recorded with its
 * SHA-256; a file that has changed since, a gap in the numbers and a schema newer than the files are
 * refused. Safe to run from two places at once: the second waits and finds nothing to do. After a crash
 * the next run goes on behind the last statement that was recorded. With DRY_RUN nothing is changed. */
int store_migrate(const struct db_address *admin, const char *directory, bool dry_run,
                  migrate_report *report, void *ctx, struct error *e) MUST_USE;

#endif
