/* SPDX-License-Identifier: Apache-2.0 */
/* What the sketch calls of Arduino's API, by the same declarations, printing to
 * standard output: a stand-in, as cores are for boards and not for computers.
 */
#ifndef ARDUINO_H
#define ARDUINO_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct HardwareSerial {
  void begin(unsigned long) {
  }
  size_t print(const char *s) {
    return (size_t)printf("%s", s);
  }
  size_t print(int n) {
    return (size_t)printf("%d", n);
  }
  size_t print(unsigned long n) {
    return (size_t)printf("%lu", n);
  }
  size_t println(const char *s) {
    return (size_t)printf("%s\n", s);
  }
};
extern HardwareSerial Serial;

void delay(unsigned long ms);
void setup(void);
void loop(void);

#endif
