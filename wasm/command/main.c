/* SPDX-License-Identifier: Apache-2.0 */
/* minnow: builds, searches and checks index files. Natively and under WASI. */
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
  const char *name;
  exit_code (*run)(int words_count, char **words);
  help_parts *help;
} commands[] = {
    {"build", command_build, help_build},
    {"pack", command_pack, help_pack},
    {"thaw", command_thaw, help_thaw},
    {"search", command_search, help_search},
    {"upsert", command_upsert, help_upsert},
    {"update", command_update, help_update},
    {"delete", command_delete, help_delete},
    {"merge", command_merge, help_merge},
    {"repair", command_repair, help_repair},
    {"compact", command_compact, help_compact},
    {"tune", command_tune, help_tune},
    {"audit", command_audit, help_audit},
    {"encode", command_encode, help_encode},
    {"decode", command_decode, help_decode},
    {"info", command_info, help_info},
    {"verify", command_verify, help_verify},
};
#define COMMANDS_COUNT (sizeof commands / sizeof commands[0])

exit_code output_end(exit_code code) {
  if (fflush(stdout) == 0 && !ferror(stdout))
    return code;
  return report(EXIT_OUTPUT, "standard output", "cannot be written: %s",
                strerror(errno));
}

static bool asks_for_help(int words_count, char **words) {
  for (int i = 0; i < words_count && strcmp(words[i], "--") != 0; i++)
    if (strcmp(words[i], "--help") == 0 || strcmp(words[i], "-h") == 0)
      return true;
  return false;
}

static void write_parts(help_parts *parts, FILE *to) {
  for (; *parts; parts++)
    fputs(*parts, to);
}

static exit_code print(help_parts *help) {
  write_parts(help, stdout);
  return output_end(EXIT_OK);
}

static exit_code print_version(void) {
  printf("minnow %d.%d.%d, index format %d.%d\n", MN_VERSION_MAJOR,
         MN_VERSION_MINOR, MN_VERSION_PATCH, MN_FORMAT_MAJOR, MN_FORMAT_MINOR);
  return output_end(EXIT_OK);
}

static exit_code run(int words_count, char **words) {
  if (words_count < 2) {
    write_parts(help_minnow, stderr);
    return EXIT_USAGE;
  }
  const char *name = words[1];
  for (size_t i = 0; i < COMMANDS_COUNT; i++)
    if (strcmp(commands[i].name, name) == 0)
      return asks_for_help(words_count - 2, words + 2)
                 ? print(commands[i].help)
                 : commands[i].run(words_count - 2, words + 2);
  if (asks_for_help(1, words + 1))
    return print(help_minnow);
  if (strcmp(name, "--version") == 0)
    return print_version();
  return report(
      EXIT_USAGE, name,
      "not a command; give build, pack, thaw, search, upsert, update, delete, "
      "merge, repair, compact, tune, audit, encode, decode, info or verify, or "
      "see `minnow --help`");
}

int main(int words_count, char **words) {
  return (int)run(words_count, words);
}
