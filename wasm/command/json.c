/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

bool json_fail(json *scan, const char *expected) {
  scan->expected = expected;
  return false;
}

int json_peek(json *scan) {
  int c = reader_peek(scan->in);
  while (c == ' ' || c == '\t' || c == '\r') {
    reader_skip(scan->in);
    c = reader_peek(scan->in);
  }
  return c;
}

bool json_accept(json *scan, char c) {
  if (json_peek(scan) != c)
    return false;
  reader_skip(scan->in);
  return true;
}

/* --- Strings -------------------------------------------------------------- */

static bool is_hexadecimal(int c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
         (c >= 'A' && c <= 'F');
}

/* What follows a backslash. */
static bool skip_escape(json *scan) {
  int c = reader_peek(scan->in);
  switch (c) {
  case '"':
  case '\\':
  case '/':
  case 'b':
  case 'f':
  case 'n':
  case 'r':
  case 't':
    reader_skip(scan->in);
    return true;
  case 'u':
    reader_skip(scan->in);
    for (int i = 0; i < 4; i++) {
      if (!is_hexadecimal(reader_peek(scan->in)))
        return json_fail(scan, "4 hexadecimal digits");
      reader_skip(scan->in);
    }
    return true;
  default:
    return json_fail(scan, "an escape: one of \"\\/bfnrtu");
  }
}

bool json_string(json *scan, char *string, size_t bytes_max) {
  if (!json_accept(scan, '"'))
    return json_fail(scan, "a string");
  size_t length = 0;
  for (;;) {
    int c = reader_peek(scan->in);
    if (c == READER_END || c < 0x20)
      return json_fail(scan, "the string's closing quote");
    reader_skip(scan->in);
    if (c == '"')
      break;
    if (string && length + 1 < bytes_max)
      string[length++] = (char)c;
    if (c == '\\' && !skip_escape(scan))
      return false;
  }
  if (string)
    string[length] = '\0';
  return true;
}

/* --- Numbers -------------------------------------------------------------- */

typedef struct token {
  json *scan;
  char *text;
  size_t length;
} token;

static bool take(token *t) {
  if (t->length + 1 == JSON_NUMBER_BYTES)
    return json_fail(t->scan, "a number of at most 255 characters");
  t->text[t->length++] = (char)reader_peek(t->scan->in);
  reader_skip(t->scan->in);
  return true;
}

static bool is_digit(int c) {
  return c >= '0' && c <= '9';
}

static bool take_digits(token *t) {
  if (!is_digit(reader_peek(t->scan->in)))
    return json_fail(t->scan, "a digit");
  while (is_digit(reader_peek(t->scan->in)))
    if (!take(t))
      return false;
  return true;
}

bool json_number(json *scan, char number[JSON_NUMBER_BYTES]) {
  token t = {scan, number, 0};
  int c = json_peek(scan);
  if (c != '-' && !is_digit(c))
    return json_fail(scan, "a number (NaN and Infinity are none)");
  if (c == '-' && !take(&t))
    return false;
  /* A leading zero stands alone. */
  if (reader_peek(scan->in) == '0' ? !take(&t) : !take_digits(&t))
    return false;
  if (reader_peek(scan->in) == '.' && (!take(&t) || !take_digits(&t)))
    return false;
  c = reader_peek(scan->in);
  if (c == 'e' || c == 'E') {
    if (!take(&t))
      return false;
    c = reader_peek(scan->in);
    if ((c == '+' || c == '-') && !take(&t))
      return false;
    if (!take_digits(&t))
      return false;
  }
  number[t.length] = '\0';
  return true;
}

/* --- Values --------------------------------------------------------------- */

static bool skip_word(json *scan, const char *word) {
  for (; *word; word++) {
    if (reader_peek(scan->in) != *word)
      return json_fail(scan, "true, false or null");
    reader_skip(scan->in);
  }
  return true;
}

static bool skip_scalar(json *scan) {
  char number[JSON_NUMBER_BYTES];
  int c = json_peek(scan);
  switch (c) {
  case '"':
    return json_string(scan, NULL, 0);
  case 't':
    return skip_word(scan, "true");
  case 'f':
    return skip_word(scan, "false");
  case 'n':
    return skip_word(scan, "null");
  default:
    if (c != '-' && !is_digit(c))
      return json_fail(scan, "a value");
    return json_number(scan, number);
  }
}

static bool skip_name(json *scan) {
  return json_string(scan, NULL, 0) &&
         (json_accept(scan, ':') || json_fail(scan, "`:`"));
}

bool json_skip(json *scan) {
  uint64_t objects = 0; /* bit i: the i-th container around us is an object */
  uint32_t depth = 0;
  for (;;) {
    int c = json_peek(scan);
    bool is_open = c == '[' || c == '{';
    if (is_open) {
      if (depth == JSON_DEPTH_MAX)
        return json_fail(scan, "at most 64 arrays and objects in each other");
      uint64_t bit = 1ull << depth++;
      objects = c == '{' ? objects | bit : objects & ~bit;
      reader_skip(scan->in);
    } else if (!skip_scalar(scan)) {
      return false;
    }
    /* Close what ends here, up to a container that goes on. */
    for (;; is_open = false) {
      if (depth == 0)
        return true;
      bool in_object = objects >> (depth - 1) & 1u;
      if (json_accept(scan, in_object ? '}' : ']'))
        depth--;
      else if (!is_open && !json_accept(scan, ','))
        return json_fail(scan, in_object ? "`,` or `}`" : "`,` or `]`");
      else if (in_object && !skip_name(scan))
        return false;
      else
        break;
    }
  }
}
