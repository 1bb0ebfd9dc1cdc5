/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the command ends, and what it says on standard error.
 *
 * Functions that can fail return an `exit_code`; the one that finds the fault
 * reports it, and everybody above passes the code on. Names here carry no
 * `mn_`: that prefix marks the library, and this is a program that uses it.
 */
#ifndef MINNOW_COMMAND_REPORT_H
#define MINNOW_COMMAND_REPORT_H

#include "minnow.h"

/* Stable: scripts depend on them. `minnow --help` lists them. */
typedef enum exit_code {
  EXIT_OK = 0,
  EXIT_DAMAGE = 1, /* `minnow verify` found damage */
  EXIT_USAGE = 2,  /* a mistake on the command line */
  EXIT_INPUT = 3,  /* vectors or keys: unreadable, malformed or refused */
  EXIT_INDEX = 4,  /* INDEX: unreadable, not an index, damaged, other version */
  EXIT_MEMORY = 5, /* not enough memory */
  EXIT_OUTPUT = 6, /* a result cannot be written */
} exit_code;

#if defined(__GNUC__)
#define REPORT_FORMAT(AT) __attribute__((format(printf, AT, (AT) + 1)))
#else
#define REPORT_FORMAT(AT)
#endif

/* Prints `minnow: SUBJECT: what is wrong; what to do` and returns `code`. */
exit_code report(exit_code code, const char *subject, const char *format, ...)
    REPORT_FORMAT(3);

/* Not enough memory for `bytes` bytes of `what`. */
exit_code report_memory(const char *what, uint64_t bytes);

/* The status of an index file that could not be opened, searched or verified.
 */
exit_code report_index(const char *path, mn_status status);

/* A status that no input should lead to: a mistake of the program's. */
exit_code report_status(const char *doing, mn_status status);

#endif
