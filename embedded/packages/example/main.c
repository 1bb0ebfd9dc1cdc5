/* SPDX-License-Identifier: Apache-2.0 */
#include "nearest.h"

#include <stdio.h>

int main(void) {
  mn_hit hits[2];
  uint32_t found = 0;
  const mn_status status = nearest(hits, &found);
  if (status != MN_OK) {
    printf("%s\n", mn_status_name(status));
    return 1;
  }
  for (uint32_t i = 0; i < found; i++)
    printf("%u: %d thousandths away\n", (unsigned)hits[i].key,
           (int)(hits[i].distance * 1000));
  return 0;
}
