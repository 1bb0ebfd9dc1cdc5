/* SPDX-License-Identifier: Apache-2.0 */
#include "console.h"
#include "../../../embedded/cortex-m/semihosting.h"

/* The console has a handle for either direction, opened when it is needed. */
static intptr_t open_console(intptr_t *handle, uintptr_t mode) {
  static const char name[] = ":tt";
  if (*handle == 0) {
    const uintptr_t how[3] = {(uintptr_t)name, mode, sizeof name - 1};
    *handle = semihost(SYS_OPEN, how) + 1;
  }
  return *handle - 1;
}

void print_bytes(const char *text, size_t bytes) {
  static intptr_t output;
  enum { MODE_W = 4 };
  const uintptr_t what[3] = {(uintptr_t)open_console(&output, MODE_W),
                             (uintptr_t)text, bytes};
  semihost(SYS_WRITE, what);
}

void print(const char *text) {
  size_t bytes = 0;
  while (text[bytes] != 0)
    bytes++;
  print_bytes(text, bytes);
}

void print_number(uint32_t number) {
  char digits[11];
  char *at = digits + sizeof digits - 1;
  *at = 0;
  do
    *--at = (char)('0' + number % 10);
  while ((number /= 10) > 0);
  print(at);
}

void print_fraction(float number) {
  if (number < 0.0f) {
    print("-");
    number = -number;
  }
  const uint32_t thousandths = (uint32_t)(number * 1000.0f + 0.5f);
  char digits[] = {'.', (char)('0' + thousandths / 100 % 10),
                   (char)('0' + thousandths / 10 % 10),
                   (char)('0' + thousandths % 10), 0};
  print_number(thousandths / 1000);
  print(digits);
}

/* --- Input ---------------------------------------------------------------- */

static int read_byte(void) {
  static intptr_t input;
  enum { MODE_R = 0 };
  uint8_t byte;
  const uintptr_t what[3] = {(uintptr_t)open_console(&input, MODE_R),
                             (uintptr_t)&byte, 1};
  return semihost(SYS_READ, what) == 0 ? byte : -1;
}

int read_line(char *line, size_t room) {
  size_t count = 0;
  int byte;
  while ((byte = read_byte()) >= 0 && byte != '\n')
    if (count + 1 < room && byte != '\r')
      line[count++] = (char)byte;
  line[count] = 0;
  return byte >= 0 || count > 0;
}

void finish(int code) {
  const uintptr_t reason[2] = {ADP_STOPPED_APPLICATION_EXIT, (uintptr_t)code};
  semihost(SYS_EXIT_EXTENDED, reason);
  for (;;)
    continue;
}
