/* SPDX-License-Identifier: Apache-2.0 */
/* The commands, a file to each. `words` are what follows the command's name. */
#ifndef MINNOW_COMMAND_COMMANDS_H
#define MINNOW_COMMAND_COMMANDS_H

#include "report.h"

#include <stdbool.h>

exit_code command_build(int words_count, char **words);
exit_code command_pack(int words_count, char **words);
exit_code command_thaw(int words_count, char **words);
exit_code command_search(int words_count, char **words);
exit_code command_upsert(int words_count, char **words);
exit_code command_update(int words_count, char **words);
exit_code command_delete(int words_count, char **words);
exit_code command_merge(int words_count, char **words);
exit_code command_repair(int words_count, char **words);
exit_code command_compact(int words_count, char **words);
exit_code command_tune(int words_count, char **words);
exit_code command_audit(int words_count, char **words);
exit_code command_encode(int words_count, char **words);
exit_code command_decode(int words_count, char **words);
exit_code command_info(int words_count, char **words);
exit_code command_verify(int words_count, char **words);

/* What --help prints, in parts; the last is NULL. */
typedef const char *const help_parts;
extern help_parts help_minnow[], help_build[], help_pack[], help_thaw[],
    help_search[], help_upsert[], help_update[], help_delete[], help_merge[],
    help_repair[], help_compact[], help_tune[], help_audit[], help_encode[],
    help_decode[], help_info[], help_verify[];

/* Flushes standard output: `code`, or EXIT_OUTPUT where it did not arrive. */
exit_code output_end(exit_code code);

#endif
