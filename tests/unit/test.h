/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that print where they fail and are counted. A program of tests ends
 * with `return test_report();`. */
#ifndef TEST_H
#define TEST_H

#include "../../core/minnow.h"

#include <stdio.h>

#define TEST_PRINTED_MAX 20u

static unsigned test_passed, test_failed;

static inline int test_count(int ok) {
  ok ? test_passed++ : test_failed++;
  return !ok && test_failed <= TEST_PRINTED_MAX;
}

static inline void test_check(int ok, const char *file, int line,
                              const char *what) {
  if (test_count(ok))
    printf("%s:%d: not so: %s\n", file, line, what);
}

static inline void test_status(mn_status actual, mn_status expected,
                               const char *file, int line, const char *what) {
  if (test_count(actual == expected))
    printf("%s:%d: %s gave %s, not %s\n", file, line, what,
           mn_status_name(actual), mn_status_name(expected));
}

static inline void test_equal(unsigned long long actual,
                              unsigned long long expected, const char *file,
                              int line, const char *what) {
  if (test_count(actual == expected))
    printf("%s:%d: %s is %llu, not %llu\n", file, line, what, actual, expected);
}

#define CHECK(condition)                                                       \
  test_check((condition) ? 1 : 0, __FILE__, __LINE__, #condition)
#define CHECK_STATUS(call, expected)                                           \
  test_status((call), (expected), __FILE__, __LINE__, #call)
#define CHECK_EQUAL(actual, expected)                                          \
  test_equal((actual), (expected), __FILE__, __LINE__, #actual)
#define CHECK_OK(call) CHECK_STATUS(call, MN_OK)

/* Nothing checked is a failure too. */
static inline int test_report(void) {
  if (test_failed > TEST_PRINTED_MAX)
    printf("… and %u more\n", test_failed - TEST_PRINTED_MAX);
  printf("%u passed, %u failed\n", test_passed, test_failed);
  return test_failed > 0 || test_passed == 0;
}

#endif
