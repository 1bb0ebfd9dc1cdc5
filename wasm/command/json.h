/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict scanner for JSON (RFC 8259) of which each value stands on one line.
 * It reads a value straight from the input, whatever its length, and keeps
 * nothing. UTF-8 inside strings is not checked.
 *
 * Every function takes what it is named for, after spaces, or returns false
 * with `expected` saying what should have come next.
 */
#ifndef MINNOW_COMMAND_JSON_H
#define MINNOW_COMMAND_JSON_H

#include "reader.h"

/* Arrays and objects within each other that json_skip follows. */
#define JSON_DEPTH_MAX 64u
/* A number's characters, with a final NUL. The longest decimal expansion of a
 * float has 149 digits after the point. */
#define JSON_NUMBER_BYTES 256u

typedef struct json {
  reader *in;
  const char *expected;
} json;

bool json_fail(json *scan, const char *expected);

/* The next byte that is not a space, not taken. A line's end is no space. */
int json_peek(json *scan);

/* Takes `c` if it comes next; does not set `expected`. */
bool json_accept(json *scan, char c);

/* A string between quotes. The first bytes_max - 1 of its bytes, escapes as
 * they stand, go into `string` with a final NUL; NULL keeps none. */
bool json_string(json *scan, char *string, size_t bytes_max);

bool json_number(json *scan, char number[JSON_NUMBER_BYTES]);

/* A value of any kind. */
bool json_skip(json *scan);

#endif
