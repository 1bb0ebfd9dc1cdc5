/* SPDX-License-Identifier: Apache-2.0 */
#include "Arduino.h"

HardwareSerial Serial;

void delay(unsigned long) {
}

int main() {
  setup();
  loop();
}
