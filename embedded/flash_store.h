/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block of bytes in flash that is never lost: two slots take turns, so that a
 * save touches only the one that does not hold the latest block. Its record,
 * programmed last, makes it the latest; a power cut at any moment leaves the
 * block from before or the new one, whole.
 *
 * A slot is a record of FLASH_STORE_RECORD bytes, then the block. The record
 * has the block's length and CRC-32, a sequence number, and a CRC-32 of itself.
 * There is no dependence on Minnow but the alignment: a slot that lies at a
 * multiple of 64 holds a block that mn_index_open takes as it is.
 */
#ifndef FLASH_STORE_H
#define FLASH_STORE_H

#include <stdint.h>

#define FLASH_STORE_RECORD 64u

/* The flash, by the caller's functions. Offsets count from `memory`; the
 * functions give 0, or another number where the flash reports failure. */
typedef struct flash_device {
  const uint8_t *memory; /* where it is read; a multiple of 64 */
  uint32_t slot_bytes;   /* of each slot, in whole units of erasing; the second
                            one follows the first */
  uint32_t sector_bytes; /* what one erasing clears, to 0xff */
  uint32_t page_bytes; /* what is programmed at a time, 64 or a divisor of it */
  int (*erase)(void *context, uint32_t offset); /* one sector */
  int (*program)(void *context, uint32_t offset,
                 const void *data); /* one page, which was erased */
  void *context;
} flash_device;

typedef enum flash_status {
  FLASH_OK = 0,
  FLASH_EMPTY = -1,     /* neither slot holds a whole block */
  FLASH_TOO_LARGE = -2, /* the block does not fit in a slot */
  FLASH_FAILED = -3     /* the flash did, or does not hold what was written; the
                           block from before is still there */
} flash_status;

/* Finds the latest whole block. O(bytes): its checksum is compared. */
flash_status flash_store_open(const flash_device *device, const void **block,
                              uint32_t *bytes);

/* Saves a block. It may not lie in the slot that is written: save copies, not
 * what flash_store_open gave. O(bytes), and the flash's time. */
flash_status flash_store_save(const flash_device *device, const void *block,
                              uint32_t bytes);

#endif
