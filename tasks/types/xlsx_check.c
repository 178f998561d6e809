/* SPDX-License-Identifier: MIT */
/* xlsx_check.c: unpacks the sheets of a workbook and measures them. */
#include "xlsx_check.h"

#include <minizip/unzip.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char rows_begin[] = "<sheetData>", rows_end[] = "</sheetData>",
                  sheet_end[] = "</worksheet>";

enum { BLOCK = 64 * 1024, OVERLAP = sizeof rows_end }; /* a tag may stand in two blocks */

/* Where the tags of a sheet are; none of them can stand in its data, where < is escaped. */
struct measure {
    uint64_t seen; /* bytes before the block's overlap */
    uint64_t begin, end;
    bool has_begin, has_end, is_complete;
};

static bool find(const char *data, size_t len, const char *tag, uint64_t base, uint64_t *at)
{
    const char *p = memmem(data, len, tag, strlen(tag));
    if (p)
        *at = base + (uint64_t)(p - data);
    return p != NULL;
}

static void look(struct measure *m, const char *data, size_t len)
{
    size_t tail = sizeof sheet_end - 1;
    if (!m->has_begin)
        m->has_begin = find(data, len, rows_begin, m->seen, &m->begin);
    if (!m->has_end)
        m->has_end = find(data, len, rows_end, m->seen, &m->end);
    m->is_complete = len >= tail && memcmp(data + len - tail, sheet_end, tail) == 0;
}

/* Reads the package's present file through BLOCK, which has OVERLAP + BLOCK bytes. False where it
 * cannot be read. */
static bool measure(unzFile zip, char *block, struct measure *m)
{
    size_t kept = 0;
    int n;
    if (unzOpenCurrentFile(zip) != UNZ_OK)
        return false;
    while ((n = unzReadCurrentFile(zip, block + kept, BLOCK)) > 0) {
        size_t len = kept + (size_t)n;
        look(m, block, len);
        kept = len < OVERLAP ? len : OVERLAP;
        memmove(block, block + len - kept, kept);
        m->seen += len - kept;
    }
    return unzCloseCurrentFile(zip) == UNZ_OK && n == 0; /* looks at the checksum */
}

static bool is_whole(unzFile zip, char *block, unsigned number, uint64_t size)
{
    char name[64];
    snprintf(name, sizeof name, "xl/worksheets/sheet%u.xml", number);
    struct measure m = {0};
    return unzLocateFile(zip, name, 1) == UNZ_OK && measure(zip, block, &m) && m.has_begin &&
           m.has_end && m.is_complete && m.end - m.begin == size + sizeof rows_begin - 1;
}

int xlsx_check(const char *path, const uint64_t *sizes, unsigned count, struct error *e)
{
    unzFile zip = unzOpen64(path);
    char *block = xmalloc(OVERLAP + BLOCK);
    unsigned whole = 0;
    while (zip && whole < count && is_whole(zip, block, whole + 1, sizes[whole]))
        whole++;
    free(block);
    if (zip)
        unzClose(zip);
    if (zip && whole == count)
        return 0;
    return error_set(e, ERR_IO, "sheet %u of the workbook is not whole: is there room for its "
                                "temporary files in the directory of result files?",
                     whole + 1);
}
