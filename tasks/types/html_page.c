/* SPDX-License-Identifier: MIT */
/* html_page.c: head, style, table header and foot of an HTML export.
 *
 * On the screen each row is a grid with the columns' widths set beforehand, and each tbody is left out
 * while it is out of sight: a browser opens a million rows so in about the time that it takes to read
 * them, where a table whose columns fit their content takes minutes for a tenth. On paper it is
 * an ordinary table, whose header comes again on each page. Browsers keep the roles of table elements
 * whatever their display. */
#include "html_page.h"

#include <string.h>

#include "base/clock.h"

enum {
    WIDTH_MIN = 5, /* of a column, in digits */
    WIDTH_NAME_MAX = 20,
    WIDTH_NUMBER_MAX = 14,
    WIDTH_TEXT_MIN = 10,
    WIDTH_TEXT_MAX = 28,
    PADDING = 2,
    BYTES_PER_CHAR = 4, /* utf8mb4, by which lengths of text are told */
};

static const char style[] =
    ":root{color-scheme:light dark;--line:#c3c8d0;--head:#eef1f5;--dim:#5c6470;--text:#1a1d21;"
    "--page:#fff}\n"
    "@media(prefers-color-scheme:dark){:root{--line:#3c434d;--head:#252a31;--dim:#a3acb8;"
    "--text:#e8eaed;--page:#16191d}}\n"
    "body{margin:1rem;font:.9rem/1.45 system-ui,sans-serif;color:var(--text);"
    "background:var(--page)}\n"
    "h1{font-size:1.4rem;margin:0 0 .3rem}p{margin:.3rem 0;max-width:45rem}a{color:inherit}\n"
    "caption{text-align:left;padding:.3rem 0;color:var(--dim)}\n"
    "th,td{box-sizing:border-box;border:solid var(--line);border-width:0 1px 1px 0;"
    "padding:.2rem .5rem;text-align:left;vertical-align:top;white-space:pre-wrap;"
    "overflow-wrap:anywhere;unicode-bidi:plaintext}\n"
    "th:first-child,td:first-child{border-left-width:1px}\n"
    "th{background:var(--head);border-top-width:1px}\n"
    ".null{color:var(--dim);font-style:italic}\n"
    "@media screen{table,caption,thead,tbody{display:block}tr{display:grid}"
    "thead{position:sticky;top:0;z-index:1}tbody{content-visibility:auto}}\n"
    "@media print{:root{--text:#000;--page:#fff;--head:#eee;--dim:#444;--line:#999}"
    "body{margin:0;font-size:8pt}nav{display:none}tr{break-inside:avoid}"
    "table{table-layout:fixed;width:100%;border-collapse:collapse}}\n";

static bool is_number(const struct db_column *c)
{
    switch (c->type) {
    case DB_TYPE_INTEGER:
    case DB_TYPE_DECIMAL:
    case DB_TYPE_FLOAT:
    case DB_TYPE_DOUBLE:
    case DB_TYPE_BIT:
        return true;
    default:
        return false;
    }
}

static unsigned clamp(uint64_t n, unsigned min, unsigned max)
{
    return n < min ? min : n > max ? max : (unsigned)n;
}

/* How wide a column should be: what its type lets one expect. Longer values wrap. */
static unsigned width(const struct db_column *c)
{
    unsigned value;
    switch (c->type) {
    case DB_TYPE_TEXT:
    case DB_TYPE_JSON:
        value = clamp(c->max_bytes / BYTES_PER_CHAR, WIDTH_TEXT_MIN, WIDTH_TEXT_MAX);
        break;
    case DB_TYPE_BYTES:
        value = clamp(c->max_bytes, WIDTH_TEXT_MIN, WIDTH_TEXT_MAX);
        break;
    case DB_TYPE_DATETIME:
        value = clamp(c->max_bytes, WIDTH_MIN, WIDTH_TEXT_MAX);
        break;
    default:
        value = clamp(c->max_bytes, WIDTH_MIN, WIDTH_NUMBER_MAX);
        break;
    }
    unsigned name = clamp(strlen(c->name), WIDTH_MIN, WIDTH_NAME_MAX);
    return (value > name ? value : name) + PADDING;
}

/* Rules by column instead of markup by cell. */
static void add_column_rules(struct buf *b, const struct html_page *page)
{
    unsigned total = 0, numbers = 0;
    for (unsigned i = 0; i < page->column_count; i++)
        total += width(&page->columns[i]);
    buf_adds(b, "@media screen{tr{grid-template-columns:");
    for (unsigned i = 0; i < page->column_count; i++)
        buf_addf(b, "%sminmax(%uch,%ufr)", i ? " " : "", width(&page->columns[i]),
                 width(&page->columns[i]));
    buf_addf(b, "}table{width:max(100%%,%uch)}tbody{contain-intrinsic-size:auto %urem}}\n", total,
             page->body_rows * 3 / 2);
    buf_adds(b, "@media print{");
    for (unsigned i = 0; i < page->column_count; i++)
        buf_addf(b, "th:nth-child(%u){width:%.2f%%}", i + 1,
                 100.0 * width(&page->columns[i]) / total);
    buf_adds(b, "}\n");
    for (unsigned i = 0; i < page->column_count; i++)
        if (is_number(&page->columns[i]))
            buf_addf(b, "%std:nth-child(%u)", numbers++ ? "," : "", i + 1);
    if (numbers)
        buf_adds(b, "{text-align:right;font-variant-numeric:tabular-nums}\n");
}

static void add_text(struct buf *b, const char *text)
{
    buf_html(b, text, strlen(text));
}

/* The instant of the request: the same in each attempt. */
static void add_origin(struct buf *b, const struct run_task *t)
{
    struct civil c = civil_from_instant(t->created_at);
    char instant[INSTANT_TEXT_SIZE];
    instant_format(t->created_at, instant);
    buf_addf(b,
             "<p>Made for user %lld, as asked for on <time datetime=\"%s\">%04d-%02d-%02d "
             "%02d:%02d UTC</time> (task %llu).</p>\n",
             (long long)t->created_by, instant, c.year, c.month, c.day, c.hour, c.minute,
             (unsigned long long)t->id);
}

void html_page_begin(struct buf *b, const struct html_page *page)
{
    buf_adds(b, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    add_text(b, page->title);
    buf_adds(b, "</title>\n<style>\n");
    buf_adds(b, style);
    add_column_rules(b, page);
    buf_adds(b, "</style>\n</head>\n<body>\n<header>\n<h1>");
    add_text(b, page->title);
    buf_adds(b, "</h1>\n");
    if (page->description) {
        buf_adds(b, "<p>");
        add_text(b, page->description);
        buf_adds(b, "</p>\n");
    }
    add_origin(b, page->task);
    buf_adds(b, "<nav><p><a href=\"#rows\">Number of rows, below the table</a></p></nav>\n"
                "</header>\n<main>\n<table>\n<caption>");
    add_text(b, page->title);
    buf_adds(b, ", one row each</caption>\n<thead>\n<tr>");
    for (unsigned i = 0; i < page->column_count; i++) {
        buf_adds(b, "<th scope=\"col\">");
        add_text(b, page->columns[i].name);
        buf_adds(b, "</th>");
    }
    buf_adds(b, "</tr>\n</thead>\n<tbody>\n");
}

/* "1,234,567" */
static void add_grouped(struct buf *b, uint64_t n)
{
    if (n >= 1000) {
        add_grouped(b, n / 1000);
        buf_addf(b, ",%03u", (unsigned)(n % 1000));
    } else {
        buf_add_u64(b, n);
    }
}

void html_page_end(struct buf *b, uint64_t rows)
{
    buf_adds(b, "</tbody>\n</table>\n</main>\n<footer>\n<p id=\"rows\">");
    add_grouped(b, rows);
    buf_adds(b, rows == 1 ? " row." : " rows.");
    buf_adds(b, "</p>\n</footer>\n</body>\n</html>\n");
}
