/* SPDX-License-Identifier: MIT */
/* json.h: strict JSON (RFC 8259, and RFC 7493 where that is stricter): a scanner that refuses what
 * json-c alone would let pass, and the parser behind it. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/error.h"

struct json_object; /* of json-c; callers that look inside include <json-c/json.h> */

enum { JSON_DEPTH_MAX = 64 };

/* Checks that TEXT[0..len) is exactly one JSON value. Refused, each with line and column in E
 * (ERR_INVALID): anything outside the grammar, bytes that are not UTF-8, raw control characters,
 * lone surrogates, a member twice in one object (names compared after decoding), U+0000 in a
 * member's name, integers outside int64 and uint64, numbers beyond the range of double, arrays
 * and objects nested more than DEPTH deep, and anything but white space behind the value. Time
 * is O(n log n); memory is a few bytes per member of the open objects; no recursion. */
int json_scan(const char *text, size_t len, unsigned depth, struct error *e) MUST_USE;

/* json_scan with JSON_DEPTH_MAX, then json-c. *OUT belongs to the caller (json_object_put); it
 * is NULL for the JSON text null. */
int json_parse(const char *text, size_t len, struct json_object **out, struct error *e) MUST_USE;

#endif
