/* SPDX-License-Identifier: Apache-2.0 */
/* As fast as one thread reads memory: sums in as many vectors as keep several
 * loads on their way. The compiler's vectors, so that each target gets its own
 * widest (natively compiled with -march=native). */
#ifndef BENCH_PLAIN_READ_H
#define BENCH_PLAIN_READ_H

#include <stdint.h>

typedef uint64_t lanes __attribute__((vector_size(64), may_alias));

static uint64_t plain_sum; /* kept, so that the sum is made */

static void plain_read(const uint8_t *data, uint32_t bytes) {
  const lanes *at = (const lanes *)(const void *)data;
  lanes a = {0}, b = {0}, c = {0}, d = {0};
  for (uint32_t left = bytes / sizeof(lanes); left >= 4; left -= 4, at += 4) {
    a += at[0];
    b += at[1];
    c += at[2];
    d += at[3];
  }
  a += b + c + d;
  for (uint32_t i = 0; i < 8; i++)
    plain_sum += a[i];
}

#endif
