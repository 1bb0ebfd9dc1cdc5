/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vectors from a file or from standard input, row by row, whatever the format.
 * A format is one table entry, `input_format`, in a file of its own.
 */
#ifndef MINNOW_COMMAND_INPUT_H
#define MINNOW_COMMAND_INPUT_H

#include "reader.h"

typedef struct input input;

typedef struct input_format {
  const char *name; /* as after --format, and as a file's extension */
  /* Reads what comes before the first row; sets dimensions, rows_expected and
   * state. The input is not empty. */
  exit_code (*begin)(input *in);
  /* Reads one row, or sets *end. Sets place, and has_key and key. */
  exit_code (*next)(input *in, float *row, bool *end);
} input_format;

struct input {
  reader reader;
  const input_format *format;
  uint32_t dimensions;         /* of every row; before `begin`: wanted, or 0 */
  const char *dimensions_from; /* who wants them: "--dimensions" */
  uint64_t rows;               /* read so far */
  uint64_t rows_expected;      /* as the file's size has it; 0: not known */
  uint64_t place;              /* of the row read last: jsonl its line, from 1;
                                  other formats its first byte, from 0 */
  bool wants_keys;             /* read keys where the format has them */
  bool takes_bits;             /* rows of packed bits may come, where the format
                                  has bytes */
  bool has_key;                /* the row read last has one */
  uint64_t key;
  void *state; /* the format's own, one allocation */
};

extern const input_format input_npy, input_fvecs, input_f32, input_jsonl;

/* What is wanted of an input. */
typedef struct input_wish {
  const char *format;          /* a name, or NULL: the path's extension */
  uint32_t dimensions;         /* if not 0, these must be the rows' */
  const char *dimensions_from; /* who wants them */
  bool keys, bits;             /* as wants_keys and takes_bits */
} input_wish;

/* Opens `path` ("-": standard input). There is at least one row, or an error.
 */
exit_code input_open(input *in, const char *path, const input_wish *wish);
exit_code input_next(input *in, float *row, bool *end);
void input_close(input *in);

/* Where a row is, for messages: "line 18 (row 17)" or "byte 4352 (row 17)". */
#define INPUT_PLACE_BYTES 64u
void input_describe(const input *in, uint64_t row, uint64_t place,
                    char text[INPUT_PLACE_BYTES]);

/* --- For the formats ------------------------------------------------------ */

/* Takes the rows' dimensions as found, unless others are wanted. */
exit_code input_set_dimensions(input *in, uint64_t found);

/* Reads `bytes` bytes of a row in a binary format. */
exit_code input_read_row(input *in, void *row, size_t bytes, bool *end);

/* Reports what is wrong with the rows' bytes. Says nothing after a failed
 * read, which was reported. */
exit_code input_malformed(const input *in, const char *where,
                          const char *format, ...) REPORT_FORMAT(3);

#endif
