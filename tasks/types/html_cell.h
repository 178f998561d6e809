/* SPDX-License-Identifier: MIT */
/* html_cell.h: text as the content of an HTML element. Pure functions over memory. */
#ifndef TASKS_TYPES_HTML_CELL_H
#define TASKS_TYPES_HTML_CELL_H

#include <stddef.h>

/* The longest replacement is 5 bytes; whole words are copied, so 8 bytes behind the end may be
 * written. */
static inline size_t html_room(size_t len)
{
    return 5 * len + 8;
}

/* Writes the text to P, which has html_room(len); returns its end. < > & are escaped; a carriage
 * return, which a parser would turn into a newline, too; U+0000, which HTML cannot hold, becomes
 * U+FFFD. Not for attributes: quotes stay. */
char *html_text(char *p, const char *text, size_t len);

#endif
