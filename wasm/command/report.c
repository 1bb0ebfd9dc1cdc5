/* SPDX-License-Identifier: Apache-2.0 */
#include "report.h"

#include "progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

exit_code report(exit_code code, const char *subject, const char *format, ...) {
  progress_clear();
  fprintf(stderr, "minnow: %s: ", subject);
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  return code;
}

exit_code report_memory(const char *what, uint64_t bytes) {
  return report(EXIT_MEMORY, what,
                "out of memory: %" PRIu64
                " bytes are needed; give fewer rows or a smaller encoding "
                "(--spec)",
                bytes);
}

exit_code report_index(const char *path, mn_status status) {
  switch (status) {
  case MN_ERROR_NOT_MINNOW:
    return report(EXIT_INDEX, path,
                  "not a Minnow index: it does not begin as one; give a file "
                  "that `minnow build` wrote");
  case MN_ERROR_ALIGNMENT:
    return report(EXIT_INDEX, path,
                  "lies at an address that is not a multiple of %u; please "
                  "report this as a mistake in minnow",
                  MN_OPEN_ALIGNMENT);
  case MN_ERROR_VERSION:
    return report(EXIT_INDEX, path,
                  "an index of another format version; this minnow reads "
                  "format %u.0 to %u.%u: build the index again",
                  MN_FORMAT_MAJOR, MN_FORMAT_MAJOR, MN_FORMAT_MINOR);
  case MN_ERROR_TRUNCATED:
    return report(EXIT_INDEX, path,
                  "cut short: it has fewer bytes than its header says; copy "
                  "it again or build it again");
  case MN_ERROR_CORRUPT:
    return report(EXIT_INDEX, path,
                  "damaged: its contents contradict each other; copy it "
                  "again or build it again");
  case MN_ERROR_TOO_LARGE:
    return report(EXIT_INDEX, path,
                  "too large for this program's address space; use a 64-bit "
                  "build of minnow");
  default:
    return report(EXIT_INDEX, path, "cannot be used: %s",
                  mn_status_name(status));
  }
}

exit_code report_status(const char *doing, mn_status status) {
  return report(EXIT_INPUT, doing,
                "the library refused: %s; please report this as a mistake in "
                "minnow",
                mn_status_name(status));
}
