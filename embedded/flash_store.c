/* SPDX-License-Identifier: Apache-2.0 */
#include "flash_store.h"

/* As it lies in flash; what is behind is 0xff. */
typedef struct record {
  uint32_t magic;
  uint32_t sequence;
  uint32_t bytes;
  uint32_t block_crc;
  uint32_t record_crc; /* of the fields before */
} record;

#define MAGIC 0x31534e4du /* "MNS1" */

/* CRC-32 (IEEE 802.3), four bits at a time: a table of 64 bytes. */
static uint32_t crc_of(const void *data, uint32_t bytes) {
  static const uint32_t table[16] = {
      0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
      0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
      0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  const uint8_t *at = data;
  uint32_t crc = 0xffffffffu;
  while (bytes-- > 0) {
    crc ^= *at++;
    crc = crc >> 4 ^ table[crc & 15];
    crc = crc >> 4 ^ table[crc & 15];
  }
  return ~crc;
}

static const uint8_t *slot_at(const flash_device *device, uint32_t slot) {
  return device->memory + (uintptr_t)slot * device->slot_bytes;
}

static const record *record_of(const flash_device *device, uint32_t slot) {
  return (const void *)slot_at(device, slot);
}

/* Whether a slot's record was written whole. */
static int record_holds(const flash_device *device, uint32_t slot) {
  const record *r = record_of(device, slot);
  return r->magic == MAGIC &&
         r->bytes <= device->slot_bytes - FLASH_STORE_RECORD &&
         r->record_crc == crc_of(r, 4 * sizeof(uint32_t));
}

static int block_holds(const flash_device *device, uint32_t slot) {
  const record *r = record_of(device, slot);
  return record_holds(device, slot) &&
         r->block_crc ==
             crc_of(slot_at(device, slot) + FLASH_STORE_RECORD, r->bytes);
}

/* The later of two sequence numbers, which may have begun anew from 0. */
static uint32_t later_slot(const flash_device *device) {
  const uint32_t ahead =
      record_of(device, 1)->sequence - record_of(device, 0)->sequence;
  return ahead != 0 && ahead < 0x80000000u;
}

/* The slot of the latest whole block; 2: there is none. */
static uint32_t find(const flash_device *device) {
  const int holds[2] = {record_holds(device, 0), record_holds(device, 1)};
  const uint32_t first = holds[0] && holds[1] ? later_slot(device)
                         : holds[1]           ? 1
                                              : 0;
  if (block_holds(device, first))
    return first;
  return block_holds(device, 1 - first) ? 1 - first : 2;
}

flash_status flash_store_open(const flash_device *device, const void **block,
                              uint32_t *bytes) {
  const uint32_t slot = find(device);
  if (slot == 2)
    return FLASH_EMPTY;
  *block = slot_at(device, slot) + FLASH_STORE_RECORD;
  *bytes = record_of(device, slot)->bytes;
  return FLASH_OK;
}

/* --- Saving --------------------------------------------------------------- */

/* Programs `bytes` bytes, the last page filled up with 0xff. */
static int program(const flash_device *device, uint32_t offset,
                   const uint8_t *data, uint32_t bytes) {
  uint8_t page[FLASH_STORE_RECORD];
  for (uint32_t done = 0; done < bytes; done += device->page_bytes) {
    for (uint32_t i = 0; i < device->page_bytes; i++)
      page[i] = done + i < bytes ? data[done + i] : 0xff;
    if (device->program(device->context, offset + done, page) != 0)
      return -1;
  }
  return 0;
}

/* The first sector has the record and goes first, so that half a slot is never
 * taken for a whole one. */
static int erase(const flash_device *device, uint32_t offset, uint32_t bytes) {
  for (uint32_t done = 0; done < bytes; done += device->sector_bytes)
    if (device->erase(device->context, offset + done) != 0)
      return -1;
  return 0;
}

flash_status flash_store_save(const flash_device *device, const void *block,
                              uint32_t bytes) {
  if (bytes > device->slot_bytes - FLASH_STORE_RECORD)
    return FLASH_TOO_LARGE;
  const uint32_t latest = find(device);
  const uint32_t slot = latest == 0 ? 1 : 0;
  const uint32_t offset = slot * device->slot_bytes;
  record r = {.magic = MAGIC,
              .sequence =
                  latest == 2 ? 0 : record_of(device, latest)->sequence + 1,
              .bytes = bytes,
              .block_crc = crc_of(block, bytes)};
  r.record_crc = crc_of(&r, 4 * sizeof(uint32_t));
  if (erase(device, offset, FLASH_STORE_RECORD + bytes) != 0 ||
      program(device, offset + FLASH_STORE_RECORD, block, bytes) != 0 ||
      crc_of(slot_at(device, slot) + FLASH_STORE_RECORD, bytes) != r.block_crc)
    return FLASH_FAILED;
  if (program(device, offset, (const uint8_t *)&r, sizeof r) != 0 ||
      !record_holds(device, slot))
    return FLASH_FAILED;
  return FLASH_OK;
}
