/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MN_RUNTIME_TIME_H
#define MN_RUNTIME_TIME_H

/* Boards here have no clock: always 0. */
typedef long time_t;
time_t time(time_t *at);

#endif
