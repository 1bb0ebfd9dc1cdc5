/* SPDX-License-Identifier: Apache-2.0 */
/* Made by golden.py, which says how; with numpy 1.24.2. */
#define GOLDEN_ROWS       3000u
#define GOLDEN_DIMENSIONS 32u
/* Of all components in order: sum = 31 sum + component. */
#define GOLDEN_CHECKSUM 0xd48bf538u

static const struct {
  const char *spec;
  double error;
} golden[] = {
    {"flat,pq8x4", 0.095397},     {"flat,pq16x4", 0.047321},
    {"flat,pq4x8", 0.030435},     {"flat,pq8x8", 0.018231},
    {"flat,opq,pq8x4", 0.010870}, {"flat,opq,pq16x4", 0.007581},
    {"flat,opq,pq4x8", 0.004937}, {"flat,opq,pq8x8", 0.000683},
};
