/* SPDX-License-Identifier: Apache-2.0 */
/* minnow verify: is the index what was written? */
#include "arguments.h"
#include "commands.h"
#include "index_file.h"

#include <stdio.h>

static exit_code check(const index_file *file) {
  const mn_index *index = &file->index;
  mn_status status = mn_index_verify(index);
  if (status != MN_OK) {
    report_index(file->path, status);
    return EXIT_DAMAGE;
  }
  if (file->bytes_count > index->block_bytes)
    return report(EXIT_DAMAGE, file->path,
                  "%zu bytes follow the index's %zu; copy it again or build "
                  "it again",
                  file->bytes_count - index->block_bytes, index->block_bytes);
  printf("%s: sound: %u vectors, %zu bytes%s\n", file->path,
         mn_index_info(index).count, index->block_bytes,
         mn_index_info(index).sealed ? ""
                                     : "; not sealed, so without checksums");
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
