/* SPDX-License-Identifier: Apache-2.0 */
int example_main(void); /* main.c */
void app_main(void);

void app_main(void) {
  (void)example_main();
}
