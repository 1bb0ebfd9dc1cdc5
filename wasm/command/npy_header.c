/* SPDX-License-Identifier: Apache-2.0 */
#include "npy_header.h"

#include <string.h>

typedef struct scan {
  const char *text;
  size_t bytes, at;
  const char *expected; /* what was missing, once something was */
} scan;

static bool missing(scan *s, const char *expected) {
  s->expected = expected;
  return false;
}

static char peek(const scan *s) {
  return s->at < s->bytes ? s->text[s->at] : '\0';
}

static void skip_space(scan *s) {
  while (peek(s) == ' ' || peek(s) == '\n' || peek(s) == '\t')
    s->at++;
}

/* Takes `c` if it comes next, after space. */
static bool accept(scan *s, char c) {
  skip_space(s);
  if (peek(s) != c)
    return false;
  s->at++;
  return true;
}

static bool accept_word(scan *s, const char *word) {
  skip_space(s);
  size_t length = strlen(word);
  if (s->bytes - s->at < length || memcmp(s->text + s->at, word, length) != 0)
    return false;
  s->at += length;
  return true;
}

static bool read_string(scan *s, char *string, size_t room,
                        const char *expected) {
  skip_space(s);
  char quote = peek(s);
  if (quote != '\'' && quote != '"')
    return missing(s, expected);
  size_t from = ++s->at;
  while (s->at < s->bytes && s->text[s->at] != quote)
    s->at++;
  size_t length = s->at - from;
  if (s->at == s->bytes || length >= room) {
    s->at = from;
    return missing(s, expected);
  }
  memcpy(string, s->text + from, length);
  string[length] = '\0';
  s->at++;
  return true;
}

static bool read_integer(scan *s, uint64_t *number) {
  skip_space(s);
  if (peek(s) < '0' || peek(s) > '9')
    return missing(s, "a length");
  *number = 0;
  for (; peek(s) >= '0' && peek(s) <= '9'; s->at++) {
    if (*number > (UINT64_MAX - 9) / 10)
      return missing(s, "a length below 2^64");
    *number = *number * 10 + (uint64_t)(peek(s) - '0');
  }
  if (peek(s) == 'L') /* as Python 2 wrote it */
    s->at++;
  return true;
}

static bool read_shape(scan *s, npy_header *header) {
  if (!accept(s, '('))
    return missing(s, "a shape such as (1000, 384)");
  header->axes = 0;
  while (!accept(s, ')')) {
    uint64_t length;
    if (!read_integer(s, &length))
      return false;
    if (header->axes < 2)
      header->shape[header->axes] = length;
    header->axes++;
    if (!accept(s, ',') && peek(s) != ')')
      return missing(s, "`,` or `)`");
  }
  return true;
}

static bool read_boolean(scan *s, bool *value) {
  if (accept_word(s, "True"))
    *value = true;
  else if (accept_word(s, "False"))
    *value = false;
  else
    return missing(s, "True or False");
  return true;
}

static bool read_value(scan *s, npy_header *header, const char *name,
                       uint32_t *seen) {
  if (strcmp(name, "descr") == 0) {
    *seen |= 1u;
    return read_string(s, header->type, sizeof header->type,
                       "a number type such as '<f4'");
  }
  if (strcmp(name, "fortran_order") == 0) {
    *seen |= 2u;
    return read_boolean(s, &header->is_fortran);
  }
  if (strcmp(name, "shape") == 0) {
    *seen |= 4u;
    return read_shape(s, header);
  }
  return missing(s, "the value of descr, fortran_order or shape");
}

static bool read_dictionary(scan *s, npy_header *header) {
  uint32_t seen = 0;
  if (!accept(s, '{'))
    return missing(s, "`{`");
  while (!accept(s, '}')) {
    char name[16];
    if (!read_string(s, name, sizeof name, "descr, fortran_order or shape"))
      return false;
    if (!accept(s, ':'))
      return missing(s, "`:`");
    if (!read_value(s, header, name, &seen))
      return false;
    if (!accept(s, ',') && peek(s) != '}')
      return missing(s, "`,` or `}`");
  }
  if (seen != 7u)
    return missing(s, "descr, fortran_order and shape before this");
  skip_space(s);
  return s->at == s->bytes || missing(s, "only spaces after `}`");
}

bool npy_header_parse(npy_header *header, const char *text, size_t bytes,
                      size_t *at, const char **expected) {
  scan s = {.text = text, .bytes = bytes};
  *header = (npy_header){.axes = 0};
  bool is_good = read_dictionary(&s, header);
  *at = s.at;
  *expected = s.expected;
  return is_good;
}
