/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of measuring recall. tune_test.c and audit_test.c measure. */
#include "../../core/recall.h"
#include "test.h"

#include <math.h>

/* Wilson's own formula, in doubles. */
static void test_wilson(void) {
  float low, high;
  mn_wilson(0.95f, 100, &low, &high);
  CHECK(fabsf(low - 0.88825f) < 1e-5f && fabsf(high - 0.97846f) < 1e-5f);
  mn_wilson(0.0f, 10, &low, &high);
  CHECK(low == 0 && fabsf(high - 0.27753f) < 1e-5f);
  mn_wilson(1.0f, 10, &low, &high);
  CHECK(fabsf(low - 0.72247f) < 1e-5f && fabsf(high - 1) < 1e-6f);
  for (uint32_t n = 1; n < 4000; n = n * 3 + 1)
    for (uint32_t i = 0; i <= n; i += 1 + n / 7) {
      const double p = (double)i / n, z = 1.959964, zz = z * z / n;
      const double root = z * sqrt(p * (1 - p) / n + zz / n / 4);
      mn_wilson((float)p, (float)n, &low, &high);
      CHECK(fabs((double)low - (p + zz / 2 - root) / (1 + zz)) < 1e-5);
      CHECK(fabs((double)high - (p + zz / 2 + root) / (1 + zz)) < 1e-5);
    }
}

/* refine_k says what it means, whatever k is: the search rounds up. */
static void test_refine_k(void) {
  for (uint32_t k = 1; k < 300; k++)
    for (uint32_t more = 0; more < 300; more += 7)
      CHECK(ceilf(mn_refine_k_of(k + more, k) * (float)k) == (float)(k + more));
}

int main(void) {
  test_wilson();
  test_refine_k();
  return test_report();
}
