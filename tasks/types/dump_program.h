/* SPDX-License-Identifier: MIT */
/* dump_program.h: finds mariadb-dump or mysqldump and says how it is called for a backup. */
#ifndef TASKS_TYPES_DUMP_PROGRAM_H
#define TASKS_TYPES_DUMP_PROGRAM_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/db_address.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/settings.h"

/* The program of B: the configured one, or the first that is found. ERR_NOT_FOUND with the remedy. Strings from
 * ARENA. */
int dump_program_find(const struct backup_def *b, struct arena *arena, const char **path,
                      struct error *e) MUST_USE;

/* Its arguments, NULL at their end; the account is not among them. MYSQL: it is MySQL's program, not
 * MariaDB's. From ARENA. */
const char *const *dump_program_arguments(const struct backup_def *b, const char *path, bool mysql,
                                          const char *database, struct arena *arena);

/* A file without a name that holds the account and the address as options: nothing of it is ever on a disk or in an
 * argument. MYSQL as above. *FD is the caller's to close. */
int dump_program_secret(const struct db_address *address, bool mysql, int *fd, struct error *e) MUST_USE;

#endif
