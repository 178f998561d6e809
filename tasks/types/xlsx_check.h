/* SPDX-License-Identifier: MIT */
/* xlsx_check.h: whether the sheets of a finished workbook are whole. libxlsxwriter copies them through
 * temporary files and takes no notice of a write that fails, so that a full disk would go unseen. */
#ifndef TASKS_TYPES_XLSX_CHECK_H
#define TASKS_TYPES_XLSX_CHECK_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/* Reads the sheets of the workbook at PATH: the rows of the one numbered NUMBER, from 1, must be
 * SIZES[NUMBER - 1] bytes of XML. ERR_IO where they are not, or the package is broken. */
int xlsx_check(const char *path, const uint64_t *sizes, unsigned count, struct error *e) MUST_USE;

#endif
