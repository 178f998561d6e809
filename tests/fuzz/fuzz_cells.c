/* SPDX-License-Identifier: MIT */
/* fuzz_cells.c: whatever bytes a value has, its cell is valid JSON or fits an Excel cell, and the
 * checker of JSON columns takes all that the strict scanner takes. */
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "fuzz.h"
#include "tasks/types/json_cell.h"
#include "tasks/types/json_check.h"
#include "tasks/types/xlsx_cell.h"

static bool check(const char *text, size_t len, size_t cut)
{
    struct json_check c;
    json_check_begin(&c);
    (void)json_check_add(&c, text, cut);
    (void)json_check_add(&c, text + cut, len - cut);
    return json_check_end(&c);
}

static void check_json(const char *text, size_t len)
{
    bool json = check(text, len, len);
    size_t cut = len / 2;
    while (cut < len && ((unsigned char)text[cut] & 0xc0) == 0x80)
        cut++;
    PROMISE(check(text, len, cut) == json);
    PROMISE(json || json_scan(text, len, JSON_DEPTH_MAX, NULL) != 0);
    PROMISE(!json_is_number(text, len) || json);

    const struct db_column column = {.type = DB_TYPE_TEXT};
    static const enum json_kind kinds[] = {JSON_TEXT, JSON_NUMBER, JSON_JSON, JSON_HEX};
    char *room = xmalloc(json_room(len));
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        char *end = json_cell(room, &column, kinds[i], text, len);
        size_t out = (size_t)(end - room);
        PROMISE(out <= json_room(len) && check(room, out, 0));
        PROMISE(!memchr(room, '\n', out));
    }
    free(room);
}

static void check_xlsx(const char *text, size_t len)
{
    char *room = xmalloc(XLSX_TEXT_ROOM);
    bool whole = xlsx_text(room, text, len);
    size_t out = strlen(room);
    PROMISE(utf8_valid_prefix(room, out) == out);
    PROMISE(whole || out >= XLSX_TEXT_MAX - 6);
    double n;
    PROMISE(!xlsx_number(text, len, &n) || (n < 1e308 && n > -1e308));
    PROMISE(!xlsx_datetime(text, len, &n) || (n >= 61 && n < 2958466 + 42));
    PROMISE(!xlsx_date(text, len, &n) || (n >= 61 && n < 2958466));
    PROMISE(!xlsx_time(text, len, &n) || (n >= 0 && n < 42));
    free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = xmalloc(size + 1); /* the server's values have a NUL behind them */
    memcpy(text, data, size);
    text[size] = '\0';
    check_json(text, size);
    check_xlsx(text, size);
    free(text);
    return 0;
}
