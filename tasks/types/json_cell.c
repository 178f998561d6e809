/* SPDX-License-Identifier: MIT */
/* json_cell.c: escaping, numbers and embedded JSON. */
#include "json_cell.h"

#include "base/hex.h"
#include "base/utf8.h"
#include "json_check.h"
#include "scan.h"

#define PUT(p, literal) cell_put(p, literal, sizeof(literal) - 1)

enum json_kind json_kind_of(const struct db_column *c, bool hex, bool boolean)
{
    if (boolean)
        return JSON_BOOLEAN;
    if (c->is_json)
        return JSON_JSON;
    switch (c->type) {
    case DB_TYPE_INTEGER:
    case DB_TYPE_DECIMAL:
    case DB_TYPE_FLOAT:
    case DB_TYPE_DOUBLE:
    case DB_TYPE_YEAR:
        return JSON_NUMBER;
    case DB_TYPE_BIT:
        return JSON_BIT;
    case DB_TYPE_BYTES:
        return hex ? JSON_HEX : JSON_BASE64;
    case DB_TYPE_TEXT:
        return JSON_TEXT;
    case DB_TYPE_JSON:
    case DB_TYPE_DATE:
    case DB_TYPE_TIME:
    case DB_TYPE_DATETIME:
    case DB_TYPE_NULL:
        break;
    }
    return JSON_PLAIN;
}

/* --- text --------------------------------------------------------------------------------------- */

static char *put_escape(char *p, unsigned char c)
{
    static const char letters[] = "btn\0fr"; /* of 8 to 13 */
    *p++ = '\\';
    if (c == '"' || c == '\\') {
        *p++ = (char)c;
    } else if (c >= 8 && c <= 13 && letters[c - 8]) {
        *p++ = letters[c - 8];
    } else {
        p = PUT(p, "u00");
        *p++ = hex_digits[c >> 4];
        *p++ = hex_digits[c & 15];
    }
    return p;
}

/* The character at *TEXT, which moves behind it. */
static char *put_char(char *p, const char **text, const char *end)
{
    unsigned char c = (unsigned char)**text;
    size_t n = 1;
    if (c < 0x20 || c == '"' || c == '\\') {
        p = put_escape(p, c);
    } else if (c < 0x80) {
        *p++ = (char)c;
    } else {
        n = utf8_sequence((const unsigned char *)*text, (size_t)(end - *text));
        p = n ? cell_put(p, *text, n) : PUT(p, "\xef\xbf\xbd");
        n = n ? n : 1;
    }
    *text += n;
    return p;
}

char *json_text(char *p, const char *text, size_t len)
{
    const char *end = text + len;
    while (end - text >= 8) {
        uint64_t w = scan_load(text);
        if (!(scan_byte(w, '"') | scan_byte(w, '\\') | scan_less(w, 0x20) | (w & SCAN_HIGHS))) {
            p = cell_put(p, text, 8);
            text += 8;
            continue;
        }
        for (const char *stop = text + 8; text < stop;)
            p = put_char(p, &text, end);
    }
    while (text < end)
        p = put_char(p, &text, end);
    return p;
}

/* --- numbers and JSON ----------------------------------------------------------------------------- */

static size_t digits(const char *v, size_t len, size_t at)
{
    while (at < len && v[at] >= '0' && v[at] <= '9')
        at++;
    return at;
}

bool json_is_number(const char *v, size_t len)
{
    size_t at = len && v[0] == '-', start = at;
    at = digits(v, len, at);
    if (at == start || (v[start] == '0' && at > start + 1))
        return false;
    if (at < len && v[at] == '.') {
        start = ++at;
        at = digits(v, len, at);
        if (at == start)
            return false;
    }
    if (at < len && (v[at] == 'e' || v[at] == 'E')) {
        at++;
        at += at < len && (v[at] == '+' || v[at] == '-');
        start = at;
        at = digits(v, len, at);
        if (at == start)
            return false;
    }
    return at == len;
}

static char *put_string(char *p, const char *v, size_t len)
{
    *p++ = '"';
    p = json_text(p, v, len);
    *p++ = '"';
    return p;
}

static char *put_number(char *p, const char *v, size_t len)
{
    const char *text = v;
    size_t n = len;
    while (n > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') {
        text++;
        n--;
    }
    return json_is_number(text, n) ? cell_put(p, text, n) : put_string(p, v, len);
}

char *json_copy(char *p, const char *text, size_t len)
{
    memcpy(p, text, len);
    for (size_t i = 0; i < len; i++)
        if (p[i] == '\n' || p[i] == '\r')
            p[i] = ' ';
    return p + len;
}

static char *put_json(char *p, const char *v, size_t len)
{
    struct json_check check;
    json_check_begin(&check);
    bool valid = json_check_add(&check, v, len) && json_check_end(&check);
    return valid ? json_copy(p, v, len) : put_string(p, v, len);
}

char *json_cell(char *p, const struct db_column *c, enum json_kind kind, const char *value,
                size_t len)
{
    if (!value)
        return PUT(p, "null");
    switch (kind) {
    case JSON_NUMBER:
        return put_number(p, value, len);
    case JSON_BOOLEAN:
        return cell_is_true(c, value, len) ? PUT(p, "true") : PUT(p, "false");
    case JSON_BIT:
        return cell_bit(p, value, len);
    case JSON_TEXT:
        return put_string(p, value, len);
    case JSON_JSON:
        return put_json(p, value, len);
    case JSON_PLAIN:
    case JSON_BASE64:
    case JSON_HEX:
        break;
    }
    *p++ = '"';
    if (kind == JSON_PLAIN)
        p = cell_put(p, value, len);
    else
        p = cell_bytes(p, kind == JSON_HEX ? CELL_HEX : CELL_BASE64, value, len);
    *p++ = '"';
    return p;
}
