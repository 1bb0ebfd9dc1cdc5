/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "progress.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_CELLS 24u
/* A redrawn line is padded to this, so that it covers the one before. */
#define LINE_COLUMNS 78

/* There is one terminal, so there is one bar. */
static struct {
  const char *what;
  double began, drawn;
  bool is_terminal, is_shown;
} bar;

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void progress_begin(const char *what) {
  progress_clear();
  bar.what = what;
  bar.is_terminal = isatty(STDERR_FILENO);
  bar.began = seconds();
  bar.drawn = 0;
}

static void draw(const char *line) {
  fprintf(stderr, "\r%-*.*s", LINE_COLUMNS, LINE_COLUMNS, line);
  fflush(stderr);
}

void progress_update(uint64_t done, uint64_t total, uint64_t vectors) {
  if (!bar.is_terminal)
    return;
  double now = seconds();
  if (now - bar.drawn < 0.1)
    return;
  bar.drawn = now;
  char line[160];
  if (total == 0) {
    snprintf(line, sizeof line, "%s %" PRIu64 " vectors", bar.what, vectors);
  } else {
    double part = done < total ? (double)done / (double)total : 1;
    size_t full = (size_t)(part * BAR_CELLS);
    char cells[BAR_CELLS + 1] = {0};
    memset(cells, '.', BAR_CELLS);
    memset(cells, '#', full);
    int length =
        snprintf(line, sizeof line, "%s [%s] %3.0f %%  %" PRIu64 " vectors",
                 bar.what, cells, part * 100, vectors);
    double elapsed = now - bar.began;
    /* The first second says too little about the rest. */
    if (elapsed > 1 && part > 0)
      snprintf(line + length, sizeof line - (size_t)length, ", %.0f s left",
               elapsed / part - elapsed);
  }
  draw(line);
  bar.is_shown = true;
}

void progress_clear(void) {
  if (!bar.is_shown)
    return;
  draw("");
  fputc('\r', stderr);
  bar.is_shown = false;
}
