/* SPDX-License-Identifier: MIT */
/* backup_verify.h: reads a finished backup from the disk again. */
#ifndef TASKS_TYPES_BACKUP_VERIFY_H
#define TASKS_TYPES_BACKUP_VERIFY_H

#include "dump_mark.h"
#include "task/run.h"

/* Whether the file of INFO has the bytes that were written (their SHA-256) and expands to the dump of MARK, whole. 0;
 * ERR_INVALID where it does not, ERR_CANCELLED, ERR_IO. */
int backup_verify(struct run *r, const struct result_info *info, enum backup_compression kind,
                  const struct dump_mark *mark, struct error *e) MUST_USE;

#endif
