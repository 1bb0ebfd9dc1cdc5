/* SPDX-License-Identifier: Apache-2.0 */
#include "arguments.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define ARGUMENTS_MAX 32u

static bool is_option(const char *text) {
  return text[0] == '-' && text[1] != '\0';
}

static const argument *find_option(const argument *arguments, size_t count,
                                   const char *word, size_t length) {
  for (size_t i = 0; i < count; i++)
    if (strlen(arguments[i].name) == length &&
        memcmp(arguments[i].name, word, length) == 0)
      return &arguments[i];
  return NULL;
}

static const argument *next_positional(const argument *arguments, size_t count,
                                       const bool *given) {
  for (size_t i = 0; i < count; i++)
    if (!is_option(arguments[i].name) && !given[i])
      return &arguments[i];
  return NULL;
}

exit_code arguments_read(const char *command, const argument *arguments,
                         size_t count, int words_count, char **words) {
  bool given[ARGUMENTS_MAX] = {false};
  bool options_ended = false;
  for (int i = 0; i < words_count; i++) {
    const char *word = words[i];
    if (!options_ended && strcmp(word, "--") == 0) {
      options_ended = true;
      continue;
    }
    if (options_ended || !is_option(word)) {
      const argument *positional = next_positional(arguments, count, given);
      if (!positional)
        return report(EXIT_USAGE, command,
                      "`%s` is one argument too many; see `minnow %s --help`",
                      word, command);
      given[positional - arguments] = true;
      *positional->value = word;
      continue;
    }
    const char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const argument *option = find_option(arguments, count, word, length);
    if (!option)
      return report(EXIT_USAGE, command,
                    "no option is called `%.*s`; see `minnow %s --help`",
                    (int)length, word, command);
    if (given[option - arguments])
      return report(EXIT_USAGE, command, "%s is given twice; give it once",
                    option->name);
    given[option - arguments] = true;
    if (option->flag) {
      if (equals)
        return report(EXIT_USAGE, command, "%s takes no value; give it alone",
                      option->name);
      *option->flag = true;
    } else if (equals) {
      *option->value = equals + 1;
    } else if (++i < words_count) {
      *option->value = words[i];
    } else {
      return report(EXIT_USAGE, command,
                    "%s lacks its value, %s; see `minnow %s --help`",
                    option->name, option->takes, command);
    }
  }
  for (size_t i = 0; i < count; i++)
    if (arguments[i].required && !given[i])
      return report(EXIT_USAGE, command,
                    "%s%s%s is missing; see `minnow %s --help`",
                    arguments[i].name, arguments[i].takes[0] ? " " : "",
                    arguments[i].takes, command);
  return EXIT_OK;
}

/* Reads digits and returns what follows them; `text` where there are none, or
 * a number too large. */
static const char *read_digits(const char *text, uint64_t *number) {
  uint64_t value = 0;
  const char *at = text;
  for (; *at >= '0' && *at <= '9'; at++) {
    uint64_t digit = (uint64_t)(*at - '0');
    if (value > (UINT64_MAX - digit) / 10)
      return text;
    value = value * 10 + digit;
  }
  *number = value;
  return at;
}

/* The same, or the digits behind 0x, as tables of flash partitions and linker
 * scripts have them. */
static const char *read_hexadecimal(const char *text, uint64_t *number) {
  static const char digits[] = "0123456789abcdefABCDEF";
  if (text[0] != '0' || (text[1] != 'x' && text[1] != 'X'))
    return read_digits(text, number);
  const size_t count = strspn(text + 2, digits);
  if (count == 0 || count > 16)
    return text;
  uint64_t value = 0;
  for (size_t i = 0; i < count; i++) {
    const size_t at = (size_t)(strchr(digits, text[2 + i]) - digits);
    value = value << 4 | (at < 16 ? at : at - 6);
  }
  *number = value;
  return text + 2 + count;
}

exit_code arguments_number(const char *name, const char *text, uint64_t least,
                           uint64_t most, uint64_t *number) {
  if (!text)
    return EXIT_OK;
  uint64_t value = 0;
  const char *end = read_digits(text, &value);
  if (end == text || *end != '\0' || value < least || value > most)
    return report(EXIT_USAGE, name,
                  "`%s` is not an integer from %" PRIu64 " to %" PRIu64, text,
                  least, most);
  *number = value;
  return EXIT_OK;
}

static uint64_t unit_bytes(const char *name) {
  static const struct {
    const char *name;
    uint64_t bytes;
  } units[] = {
      {"", 1},
      {"KB", 1000},
      {"MB", 1000 * 1000},
      {"GB", 1000 * 1000 * 1000},
      {"KiB", 1 << 10},
      {"MiB", 1 << 20},
      {"GiB", 1 << 30},
  };
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
    if (strcmp(units[i].name, name) == 0)
      return units[i].bytes;
  return 0;
}

exit_code arguments_bytes(const char *name, const char *text, uint64_t *bytes) {
  if (!text)
    return EXIT_OK;
  uint64_t value = 0;
  const char *end = read_hexadecimal(text, &value);
  const uint64_t unit = unit_bytes(end);
  if (end == text || unit == 0 || value == 0 || value > UINT64_MAX / unit)
    return report(EXIT_USAGE, name,
                  "`%s` is not a number of bytes, such as 20000000, 20MB, "
                  "512KiB, 1GB or 0x40000",
                  text);
  *bytes = value * unit;
  return EXIT_OK;
}

exit_code arguments_byte(const char *name, const char *text, uint8_t *byte) {
  if (!text)
    return EXIT_OK;
  uint64_t value = 0;
  const char *end = read_hexadecimal(text, &value);
  if (end == text || *end != '\0' || value > UINT8_MAX)
    return report(EXIT_USAGE, name,
                  "`%s` is not a byte, 0 to 255 or 0x00 to 0xff", text);
  *byte = (uint8_t)value;
  return EXIT_OK;
}

exit_code arguments_real(const char *name, const char *text, float least,
                         float most, float *number) {
  if (!text)
    return EXIT_OK;
  char *end = NULL;
  float value = strtof(text, &end);
  const char *digits = text + (least < 0 && text[0] == '-');
  /* strtof takes spaces, other signs, hexadecimal and names as well. */
  if (digits[strspn(digits, "0123456789.")] != '\0' || end == text ||
      *end != '\0' || !(value >= least && value <= most))
    return report(EXIT_USAGE, name, "`%s` is not a number from %g to %g", text,
                  (double)least, (double)most);
  *number = value;
  return EXIT_OK;
}
