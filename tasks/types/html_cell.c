/* SPDX-License-Identifier: MIT */
/* html_cell.c: escaping of text content (HTML Standard, "serialising HTML fragments"). */
#include "html_cell.h"

#include "cell.h"
#include "scan.h"

static char *put_char(char *p, char c)
{
    switch (c) {
    case '&':
        return cell_put(p, "&amp;", 5);
    case '<':
        return cell_put(p, "&lt;", 4);
    case '>':
        return cell_put(p, "&gt;", 4);
    case '\r':
        return cell_put(p, "&#13;", 5);
    case '\0':
        return cell_put(p, "\xef\xbf\xbd", 3);
    default:
        *p = c;
        return p + 1;
    }
}

char *html_text(char *p, const char *text, size_t len)
{
    const char *end = text + len;
    while (end - text >= 8) {
        uint64_t w = scan_load(text);
        if (!(scan_byte(w, '&') | scan_byte(w, '<') | scan_byte(w, '>') |
              scan_less(w, '\r' + 1))) {
            p = cell_put(p, text, 8);
            text += 8;
            continue;
        }
        for (int i = 0; i < 8; i++)
            p = put_char(p, *text++);
    }
    while (text < end)
        p = put_char(p, *text++);
    return p;
}
