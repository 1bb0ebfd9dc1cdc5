/* SPDX-License-Identifier: Apache-2.0 */
/* minnow pack and thaw: an index to search only, and one to add to again. */
#include "arguments.h"
#include "c_array.h"
#include "commands.h"
#include "edit.h"
#include "index_file.h"
#include "index_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct conversion {
  const char *path, *output;
  c_array array;
  uint64_t image_bytes; /* of a flash partition; 0: as many as the index has */
  uint8_t fill;
  index_file file;
  index_memory memory;
  output_file to;
} conversion;

static exit_code begin(conversion *c) {
  exit_code code = output_file_check(c->output);
  if (code == EXIT_OK)
    code = index_file_open(&c->file, c->path, NULL);
  return code == EXIT_OK ? index_file_verify(&c->file) : code;
}

/* --- What is written ------------------------------------------------------ */

static exit_code check_image(const conversion *c) {
  const size_t bytes = c->memory.index.block_bytes;
  return c->image_bytes == 0 || bytes <= c->image_bytes
             ? EXIT_OK
             : report(EXIT_USAGE, "--size",
                      "%s takes %zu bytes packed, %" PRIu64
                      " more than that; build it smaller: `minnow build "
                      "--budget %" PRIu64 "`",
                      c->path, bytes, bytes - c->image_bytes, c->image_bytes);
}

static exit_code write_filling(conversion *c) {
  uint8_t filling[4096];
  memset(filling, c->fill, sizeof filling);
  exit_code code = EXIT_OK;
  for (uint64_t at = c->memory.index.block_bytes;
       at < c->image_bytes && code == EXIT_OK;) {
    const uint64_t rest = c->image_bytes - at;
    const size_t bytes = rest < sizeof filling ? (size_t)rest : sizeof filling;
    code = output_file_write(&c->to, filling, bytes);
    at += bytes;
  }
  return code;
}

static exit_code write_image(conversion *c) {
  exit_code code = check_image(c);
  if (code == EXIT_OK)
    code = output_file_begin(&c->to, c->output);
  if (code != EXIT_OK)
    return code;
  code = index_memory_write(&c->memory, &c->to);
  if (code == EXIT_OK)
    code = write_filling(c);
  return output_file_end(&c->to, code);
}

static exit_code write_array(conversion *c) {
  const exit_code code = index_memory_seal(&c->memory);
  return code == EXIT_OK ? c_array_write(&c->array, &c->memory.index, c->output)
                         : code;
}

static exit_code print_written(const conversion *c) {
  const mn_info info = mn_index_info(&c->memory.index);
  printf("%s: %u vectors, room for %u, %s, %" PRIu64 " bytes (%zu before)",
         c->output, info.count, info.capacity, info.packed ? "packed" : "live",
         info.block_bytes, c->file.index.block_bytes);
  if (c->image_bytes > info.block_bytes)
    printf(", then 0x%02x to %" PRIu64, c->fill, c->image_bytes);
  if (c->array.name) {
    char *header;
    const exit_code code = c_array_header(c->output, &header);
    if (code != EXIT_OK)
      return code;
    printf(", as %s, declared in %s", c->array.name, header);
    free(header);
  }
  puts("");
  return output_end(EXIT_OK);
}

/* Writes what was made, unless `code` says that nothing was. */
static exit_code end(conversion *c, exit_code code) {
  if (code == EXIT_OK)
    code = c->array.name ? write_array(c) : write_image(c);
  if (code == EXIT_OK)
    code = print_written(c);
  index_memory_free(&c->memory);
  index_file_close(&c->file);
  return code;
}

/* --- Pack ----------------------------------------------------------------- */

/* What is deleted must be gone before it is packed. */
static exit_code repair(conversion *c) {
  index_memory live;
  exit_code code = index_memory_open(&live, &c->file);
  if (code == EXIT_OK)
    code = edit_repair(&live);
  memory_free(&live.scratch);
  return code;
}

static exit_code pack(conversion *c) {
  const mn_info info = mn_index_info(&c->file.index);
  if (info.packed && (c->array.name || c->image_bytes > 0))
    return index_memory_open(&c->memory, &c->file); /* in another form */
  const exit_code code = info.dead > 0 ? repair(c) : EXIT_OK;
  return code == EXIT_OK
             ? index_memory_pack(&c->memory, &c->file.index, c->path)
             : code;
}

static exit_code read_form(conversion *c, const char *size, const char *fill) {
  exit_code code = c_array_check(&c->array, c->output);
  if (code == EXIT_OK)
    code = arguments_bytes("--size", size, &c->image_bytes);
  if (code == EXIT_OK)
    code = arguments_byte("--fill", fill, &c->fill);
  if (code == EXIT_OK && size && c->array.name)
    code = report(EXIT_USAGE, "--size",
                  "makes an image, --c-array a C source; give one of them");
  if (code == EXIT_OK && fill && !size)
    code = report(EXIT_USAGE, "--fill", "goes with --size, which it fills to");
  return code;
}

exit_code command_pack(int words_count, char **words) {
  const char *size = NULL, *fill = NULL;
  conversion c = {.fill = 0xff}; /* what erased flash reads as */
  const argument arguments[] = {
      {"INDEX", "", &c.path, NULL, true},
      {"-o", "OUT", &c.output, NULL, true},
      {"--c-array", "NAME", &c.array.name, NULL, false},
      {"--section", "SECTION", &c.array.section, NULL, false},
      {"--size", "BYTES", &size, NULL, false},
      {"--fill", "BYTE", &fill, NULL, false},
  };
  exit_code code = arguments_read("pack", arguments, 6, words_count, words);
  if (code == EXIT_OK)
    code = read_form(&c, size, fill);
  if (code == EXIT_OK)
    code = begin(&c);
  return end(&c, code == EXIT_OK ? pack(&c) : code);
}

/* --- Thaw ----------------------------------------------------------------- */

exit_code command_thaw(int words_count, char **words) {
  conversion c = {.path = NULL};
  const char *capacity = NULL;
  const argument arguments[] = {
      {"INDEX", "", &c.path, NULL, true},
      {"-o", "OUT", &c.output, NULL, true},
      {"--capacity", "N", &capacity, NULL, false},
  };
  exit_code code = arguments_read("thaw", arguments, 3, words_count, words);
  uint64_t room = 0;
  if (code == EXIT_OK)
    code = arguments_number("--capacity", capacity, 1, MN_CAPACITY_MAX, &room);
  if (code == EXIT_OK)
    code = begin(&c);
  if (code == EXIT_OK && room == 0)
    room = mn_index_info(&c.file.index).count;
  if (code == EXIT_OK)
    code = index_memory_thaw(&c.memory, &c.file.index, room, c.path);
  return end(&c, code);
}
