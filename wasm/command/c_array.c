/* SPDX-License-Identifier: Apache-2.0 */
#include "c_array.h"

#include "options.h"
#include "output_file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

/* --- What can be asked for ------------------------------------------------ */

/* Of C11 and C++20, where firmware may be either; with a space at both sides of
 * each. */
static const char keywords[] =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch "
    "char char8_t char16_t char32_t class co_await co_return co_yield compl "
    "concept const const_cast consteval constexpr constinit continue decltype "
    "default delete do double dynamic_cast else enum explicit export extern "
    "false float for friend goto if inline int long mutable namespace new "
    "noexcept not not_eq nullptr operator or or_eq private protected public "
    "register reinterpret_cast requires restrict return short signed sizeof "
    "static static_assert static_cast struct switch template this thread_local "
    "throw true try typedef typeid typename typeof union unsigned using "
    "virtual void volatile wchar_t while xor xor_eq ";

static bool is_keyword(const char *name) {
  const size_t length = strlen(name);
  for (const char *at = strstr(keywords, name); at; at = strstr(at + 1, name))
    if (at[-1] == ' ' && at[length] == ' ')
      return true;
  return false;
}

static bool is_reserved(const char *name) {
  return name[0] == '_' || strstr(name, "__");
}

static exit_code check_name(const char *name) {
  if (name[0] == '\0' || strspn(name, LETTERS DIGITS "_") < strlen(name) ||
      strspn(name, DIGITS) > 0)
    return report(EXIT_USAGE, "--c-array",
                  "`%s` cannot be a name in C; give letters, digits and _, no "
                  "digit first, such as passages_index",
                  name);
  if (is_reserved(name))
    return report(EXIT_USAGE, "--c-array",
                  "`%s` is a name that C and C++ reserve for themselves; give "
                  "one without _ in front and without __",
                  name);
  if (is_keyword(name))
    return report(EXIT_USAGE, "--c-array",
                  "`%s` is a word of C or C++; give another name, such as "
                  "passages_index",
                  name);
  return EXIT_OK;
}

/* What has a meaning in a string, or in what an assembler reads, stays out. */
static exit_code check_section(const char *section) {
  if (section[0] != '\0' &&
      strspn(section, LETTERS DIGITS "_.$-,") == strlen(section))
    return EXIT_OK;
  return report(EXIT_USAGE, "--section",
                "`%s` is not a section's name; give letters, digits and "
                "_ . $ - or a comma, such as .rodata.index",
                section);
}

/* Where the extension begins; NULL where it is not one of a source. */
static const char *extension_of(const char *path) {
  static const char *const extensions[] = {".c", ".cc", ".cpp", ".cxx"};
  const char *slash = strrchr(path, '/');
  const char *file = slash ? slash + 1 : path;
  const char *dot = strrchr(file, '.');
  for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++)
    if (dot && dot > file && strcmp(dot, extensions[i]) == 0)
      return dot;
  return NULL;
}

exit_code c_array_check(const c_array *of, const char *path) {
  if (!of->name)
    return of->section ? report(EXIT_USAGE, "--section",
                                "goes with --c-array, whose array it places")
                       : EXIT_OK;
  exit_code code = check_name(of->name);
  if (code == EXIT_OK && of->section)
    code = check_section(of->section);
  if (code == EXIT_OK && !extension_of(path))
    code = report(EXIT_USAGE, "-o",
                  "`%s` is no C source's name, which --c-array writes; give "
                  "one that ends in .c or .cpp",
                  path);
  return code;
}

exit_code c_array_header(const char *path, char **header) {
  const size_t stem = (size_t)(extension_of(path) - path);
  *header = malloc(stem + sizeof ".h");
  if (!*header)
    return report_memory("a file name", stem + sizeof ".h");
  memcpy(*header, path, stem);
  memcpy(*header + stem, ".h", sizeof ".h");
  return EXIT_OK;
}

/* --- Writing -------------------------------------------------------------- */

/* What the index is, as a comment of the header. */
static exit_code write_comment(output_file *to, const mn_index *index) {
  const mn_info info = mn_index_info(index);
  char spec[MN_SPEC_BYTES];
  const mn_status status = mn_options_format(&info.options, spec);
  if (status != MN_OK)
    return report_status("writing the spec", status);
  return output_file_print(
      to,
      "/* A Minnow index, written by `minnow pack`: %u vectors of %u "
      "dimensions,\n"
      " * %s, %s, format %u.%u. Open it where it lies: mn_index_open. */\n",
      info.count, info.options.dimensions, metric_name(info.options.metric),
      spec, info.format_major, info.format_minor);
}

/* The length is in the type, for sizeof, and a constant for those who would
 * rather have that. */
static exit_code write_header(output_file *to, const c_array *of,
                              const mn_index *index) {
  exit_code code = write_comment(to, index);
  if (code == EXIT_OK)
    code = output_file_print(to,
                             "#ifndef MINNOW_ARRAY_%s\n"
                             "#define MINNOW_ARRAY_%s\n"
                             "\n"
                             "#include <stddef.h>\n"
                             "#include <stdint.h>\n"
                             "\n"
                             "#ifdef __cplusplus\n"
                             "extern \"C\" {\n"
                             "#endif\n"
                             "\n"
                             "extern const uint8_t %s[%zu];\n"
                             "extern const size_t %s_bytes;\n"
                             "\n"
                             "#ifdef __cplusplus\n"
                             "}\n"
                             "#endif\n"
                             "\n"
                             "#endif\n",
                             of->name, of->name, of->name, index->block_bytes,
                             of->name);
  return code;
}

static exit_code write_bytes(output_file *to, const uint8_t *bytes,
                             size_t count) {
  enum { PER_LINE = 15, EACH = sizeof "0x00," - 1 };
  static const char hex[] = "0123456789abcdef";
  exit_code code = EXIT_OK;
  for (size_t at = 0; at < count && code == EXIT_OK; at += PER_LINE) {
    char line[2 + PER_LINE * EACH + 1] = "  ";
    size_t length = 2;
    for (size_t i = at; i < count && i < at + PER_LINE; i++) {
      const char number[] = {'0', 'x', hex[bytes[i] >> 4], hex[bytes[i] & 15],
                             ','};
      memcpy(line + length, number, EACH);
      length += EACH;
    }
    line[length++] = '\n';
    code = output_file_write(to, line, length);
  }
  return code;
}

static exit_code write_source(output_file *to, const c_array *of,
                              const mn_index *index, const char *header) {
  const char *slash = strrchr(header, '/');
  exit_code code = output_file_print(
      to,
      "/* Written by `minnow pack`; %s tells what it is. */\n"
      "#include \"%s\"\n"
      "\n"
      "#ifdef __cplusplus\n"
      "alignas(%u)\n"
      "#else\n"
      "_Alignas(%u)\n"
      "#endif\n"
      "const uint8_t %s[%zu]",
      slash ? slash + 1 : header, slash ? slash + 1 : header, MN_ALIGNMENT,
      MN_ALIGNMENT, of->name, index->block_bytes);
  if (code == EXIT_OK && of->section)
    code =
        output_file_print(to, " __attribute__((section(\"%s\")))", of->section);
  if (code == EXIT_OK)
    code = output_file_print(to, " = {\n");
  if (code == EXIT_OK)
    code = write_bytes(to, index->block, index->block_bytes);
  if (code == EXIT_OK)
    code = output_file_print(to, "};\n\nconst size_t %s_bytes = sizeof %s;\n",
                             of->name, of->name);
  return code;
}

exit_code c_array_write(const c_array *of, const mn_index *index,
                        const char *path) {
  char *header = NULL;
  output_file to;
  exit_code code = c_array_header(path, &header);
  if (code == EXIT_OK)
    code = output_file_begin(&to, path);
  if (code == EXIT_OK)
    code = output_file_end(&to, write_source(&to, of, index, header));
  if (code == EXIT_OK)
    code = output_file_begin(&to, header);
  if (code == EXIT_OK)
    code = output_file_end(&to, write_header(&to, of, index));
  free(header);
  return code;
}
