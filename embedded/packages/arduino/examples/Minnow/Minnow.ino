/* SPDX-License-Identifier: Apache-2.0 */
/* Three vectors, and which of them are nearest to a fourth (nearest.c). */
#include "nearest.h"

void setup() {
  Serial.begin(115200);
}

void loop() {
  mn_hit hits[2];
  uint32_t found = 0;
  const mn_status status = nearest(hits, &found);
  if (status != MN_OK)
    Serial.println(mn_status_name(status));
  for (uint32_t i = 0; i < found; i++) {
    Serial.print((unsigned long)hits[i].key);
    Serial.print(": ");
    Serial.print((int)(hits[i].distance * 1000));
    Serial.println(" thousandths away");
  }
  delay(1000);
}
