/* SPDX-License-Identifier: MIT */
/* json_check.c: an automaton over the bytes of a JSON text (RFC 8259 sections 2 to 7). */
#include "json_check.h"

#include <string.h>

#include "base/utf8.h"
#include "scan.h"

enum state {
    VALUE,        /* a value must come */
    FIRST_VALUE,  /* a value or ] */
    FIRST_MEMBER, /* a member's name or } */
    MEMBER,       /* a member's name */
    COLON,
    BEHIND,       /* a value is complete: , or the end of what it is in */
    STRING,
    ESCAPE,       /* behind a \ */
    HEX,          /* digits of \uXXXX */
    WORD,
    MINUS,        /* behind the - of a number */
    ZERO,         /* behind its 0 */
    INTEGER,
    POINT,        /* behind the . */
    FRACTION,
    E,            /* behind the e */
    E_SIGN,
    EXPONENT,
    WRONG,
};

void json_check_begin(struct json_check *c)
{
    c->state = VALUE;
    c->depth = 0;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static enum state open(struct json_check *c, bool object)
{
    if (c->depth == JSON_CHECK_DEPTH)
        return WRONG;
    c->object[c->depth++] = object;
    return object ? FIRST_MEMBER : FIRST_VALUE;
}

static enum state close(struct json_check *c, bool object)
{
    if (!c->depth || c->object[c->depth - 1] != object)
        return WRONG;
    c->depth--;
    return BEHIND;
}

static enum state string(struct json_check *c, bool member)
{
    c->member = member;
    return STRING;
}

static enum state word(struct json_check *c, const char *rest)
{
    c->word = rest;
    return WORD;
}

static enum state value(struct json_check *c, char ch)
{
    switch (ch) {
    case '{':
        return open(c, true);
    case '[':
        return open(c, false);
    case '"':
        return string(c, false);
    case 't':
        return word(c, "rue");
    case 'f':
        return word(c, "alse");
    case 'n':
        return word(c, "ull");
    case '-':
        return MINUS;
    case '0':
        return ZERO;
    default:
        return is_digit(ch) ? INTEGER : WRONG;
    }
}

static enum state behind(struct json_check *c, char ch)
{
    if (ch == ']' || ch == '}')
        return close(c, ch == '}');
    if (ch != ',' || !c->depth)
        return WRONG;
    return c->object[c->depth - 1] ? MEMBER : VALUE;
}

/* What comes behind a number's present digits: more of the number, or the number is complete. */
static enum state number(struct json_check *c, char ch, enum state digit, bool point, bool e)
{
    if (is_digit(ch) && digit != WRONG)
        return digit;
    if (ch == '.' && point)
        return POINT;
    if ((ch == 'e' || ch == 'E') && e)
        return E;
    return is_space(ch) ? BEHIND : behind(c, ch);
}

static enum state escape(struct json_check *c, char ch)
{
    if (ch == 'u') {
        c->digits = 4;
        return HEX;
    }
    return ch && strchr("\"\\/bfnrt", ch) ? STRING : WRONG;
}

static enum state hex(struct json_check *c, char ch)
{
    if (!is_digit(ch) && !(ch >= 'a' && ch <= 'f') && !(ch >= 'A' && ch <= 'F'))
        return WRONG;
    return --c->digits ? HEX : STRING;
}

static enum state next(struct json_check *c, char ch)
{
    switch ((enum state)c->state) {
    case VALUE:
        return is_space(ch) ? VALUE : value(c, ch);
    case FIRST_VALUE:
        return is_space(ch) ? FIRST_VALUE : ch == ']' ? close(c, false) : value(c, ch);
    case FIRST_MEMBER:
        if (ch == '}')
            return close(c, true);
        return is_space(ch) ? FIRST_MEMBER : ch == '"' ? string(c, true) : WRONG;
    case MEMBER:
        return is_space(ch) ? MEMBER : ch == '"' ? string(c, true) : WRONG;
    case COLON:
        return is_space(ch) ? COLON : ch == ':' ? VALUE : WRONG;
    case BEHIND:
        return is_space(ch) ? BEHIND : behind(c, ch);
    case STRING:
        if (ch == '"')
            return c->member ? COLON : BEHIND;
        return ch == '\\' ? ESCAPE : (unsigned char)ch < 0x20 ? WRONG : STRING;
    case ESCAPE:
        return escape(c, ch);
    case HEX:
        return hex(c, ch);
    case WORD:
        return ch != *c->word ? WRONG : *++c->word ? WORD : BEHIND;
    case MINUS:
        return ch == '0' ? ZERO : is_digit(ch) ? INTEGER : WRONG;
    case ZERO:
        return number(c, ch, WRONG, true, true);
    case INTEGER:
        return number(c, ch, INTEGER, true, true);
    case POINT:
        return is_digit(ch) ? FRACTION : WRONG;
    case FRACTION:
        return number(c, ch, FRACTION, false, true);
    case E:
        return ch == '+' || ch == '-' ? E_SIGN : is_digit(ch) ? EXPONENT : WRONG;
    case E_SIGN:
        return is_digit(ch) ? EXPONENT : WRONG;
    case EXPONENT:
        return number(c, ch, EXPONENT, false, false);
    case WRONG:
        break;
    }
    return WRONG;
}

bool json_check_add(struct json_check *c, const char *part, size_t len)
{
    if (utf8_valid_prefix(part, len) != len)
        c->state = WRONG;
    const char *end = part + len;
    while (part < end && c->state != WRONG) {
        if (c->state == STRING && end - part >= 8) {
            uint64_t w = scan_load(part);
            if (!(scan_byte(w, '"') | scan_byte(w, '\\') | scan_less(w, 0x20))) {
                part += 8;
                continue;
            }
        }
        c->state = (unsigned char)next(c, *part++);
    }
    return c->state != WRONG;
}

bool json_check_end(struct json_check *c)
{
    return json_check_add(c, " ", 1) && c->state == BEHIND && c->depth == 0;
}
