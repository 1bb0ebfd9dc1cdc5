/* SPDX-License-Identifier: Apache-2.0 */
#include "key_file.h"

#include <inttypes.h>

exit_code key_file_open(key_file *from, const char *path) {
  from->line = 0;
  return reader_open(&from->reader, path);
}

void key_file_close(key_file *from) {
  reader_close(&from->reader);
}

static exit_code malformed(const key_file *from) {
  if (from->reader.failed)
    return EXIT_INPUT;
  return report(EXIT_INPUT, from->reader.name,
                "line %" PRIu64 ": one integer from 0 to "
                "18446744073709551615 is expected",
                from->line);
}

exit_code key_file_next(key_file *from, uint64_t *key, bool *end) {
  reader *in = &from->reader;
  *key = 0;
  *end = reader_peek(in) == READER_END;
  if (*end)
    return in->failed ? EXIT_INPUT : EXIT_OK;
  from->line++;
  uint32_t digits = 0;
  int c = reader_peek(in);
  for (; c >= '0' && c <= '9'; digits++) {
    uint64_t digit = (uint64_t)(c - '0');
    if (*key > (UINT64_MAX - digit) / 10)
      return malformed(from);
    *key = *key * 10 + digit;
    reader_skip(in);
    c = reader_peek(in);
  }
  if (c == '\r') {
    reader_skip(in);
    c = reader_peek(in);
  }
  if (digits == 0 || (c != '\n' && c != READER_END) || in->failed)
    return malformed(from);
  if (c == '\n')
    reader_skip(in);
  return EXIT_OK;
}
