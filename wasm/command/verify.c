/* SPDX-License-Identifier: Apache-2.0 */
/* minnow verify: is the index what was written? */
#include "arguments.h"
#include "commands.h"
#include "index_file.h"

#include <stdio.h>

/* Whether what follows the index is one byte again and again, as in the image
 * of a flash partition. */
static bool is_filling(const uint8_t *bytes, size_t count) {
  for (size_t i = 1; i < count; i++)
    if (bytes[i] != bytes[0])
      return false;
  return true;
}

static exit_code check(const index_file *file) {
  const mn_index *index = &file->index;
  mn_status status = mn_index_verify(index);
  if (status != MN_OK) {
    report_index(file->path, status);
    return EXIT_DAMAGE;
  }
  const uint8_t *rest = index->block + index->block_bytes;
  const size_t rest_bytes = file->bytes_count - index->block_bytes;
  if (!is_filling(rest, rest_bytes))
    return report(EXIT_DAMAGE, file->path,
                  "%zu bytes follow the index's %zu; copy it again or build "
                  "it again",
                  rest_bytes, index->block_bytes);
  printf("%s: sound: %u vectors, %zu bytes%s", file->path,
         mn_index_info(index).count, index->block_bytes,
         mn_index_info(index).sealed ? ""
                                     : "; not sealed, so without checksums");
  if (rest_bytes > 0)
    printf(", then %zu of 0x%02x", rest_bytes, rest[0]);
  puts("");
  return output_end(EXIT_OK);
}

exit_code command_verify(int words_count, char **words) {
  const char *path = NULL;
  const argument arguments[] = {{"INDEX", "", &path, NULL, true}};
  exit_code code = arguments_read("verify", arguments, 1, words_count, words);
  if (code != EXIT_OK)
    return code;
  index_file file;
  mn_status status = MN_OK;
  code = index_file_open(&file, path, &status);
  if (code == EXIT_OK) {
    code = check(&file);
    index_file_close(&file);
  } else if (status == MN_ERROR_TRUNCATED || status == MN_ERROR_CORRUPT) {
    code = EXIT_DAMAGE;
  }
  return code;
}
