/* SPDX-License-Identifier: Apache-2.0 */
/* embedded/flash_store.c: a block that is saved while the power fails, at every
 * step of the flash, is there as it was or as it was to be. */
#include "../../embedded/flash_store.h"
#include "fixture.h"

enum {
  SECTOR = 4096,
  SLOT = 16 * SECTOR,
  COUNT = 120,
  DIMENSIONS = 24,
  ADDED = 8
};

/* Flash as it is: erasing sets bits, programming clears them; what a failing
 * power interrupts is done in part, and nothing after it. */
static _Alignas(64) uint8_t flash[2 * SLOT], saved_flash[2 * SLOT];
static uint32_t steps_left; /* until the power fails */
static int power_is_out, was_programmed_twice;

static uint32_t bytes_done(uint32_t bytes) {
  if (power_is_out)
    return 0;
  if (steps_left > 0) {
    steps_left--;
    return bytes;
  }
  power_is_out = 1;
  return bytes / 3;
}

static int erase_sector(void *context, uint32_t offset) {
  (void)context;
  const uint32_t done = bytes_done(SECTOR);
  memset(flash + offset, 0xff, done);
  return done < SECTOR;
}

static int program_page(void *context, uint32_t offset, const void *data) {
  const flash_device *device = *(flash_device **)context;
  const uint32_t done = bytes_done(device->page_bytes);
  for (uint32_t i = 0; i < done; i++) {
    was_programmed_twice |= flash[offset + i] != 0xff;
    flash[offset + i] &= ((const uint8_t *)data)[i];
  }
  return done < device->page_bytes;
}

static void power_for(uint32_t steps) {
  steps_left = steps;
  power_is_out = 0;
}

static flash_device *the_device;
static flash_device device_of(uint32_t page_bytes) {
  return (flash_device){.memory = flash,
                        .slot_bytes = SLOT,
                        .sector_bytes = SECTOR,
                        .page_bytes = page_bytes,
                        .erase = erase_sector,
                        .program = program_page,
                        .context = &the_device};
}

/* An index in flash has these keys, and is sound. */
static int holds(const flash_device *device, uint32_t from, uint32_t to) {
  const void *block;
  uint32_t bytes, slot;
  mn_index index;
  if (flash_store_open(device, &block, &bytes) != FLASH_OK ||
      mn_index_open(&index, block, bytes) != MN_OK ||
      mn_index_verify(&index) != MN_OK ||
      mn_index_info(&index).count != to - from)
    return 0;
  for (uint32_t key = from; key < to; key++)
    if (mn_index_find(&index, key, &slot) != MN_OK)
      return 0;
  return 1;
}

static void change(fixture *f, float *rows, uint32_t from, uint32_t count) {
  uint64_t keys[COUNT], old[ADDED];
  for (uint32_t i = 0; i < count; i++)
    keys[i] = from + i;
  CHECK_OK(fixture_add(f, keys, rows + (size_t)from * DIMENSIONS, count));
  for (uint32_t i = 0; i < ADDED && from > 0; i++)
    old[i] = from - COUNT + i;
  if (from > 0)
    CHECK_OK(mn_index_delete(&f->index, old, ADDED, NULL));
  CHECK_OK(mn_index_seal(&f->index));
}

static flash_status save(const flash_device *device, const fixture *f) {
  return flash_store_save(device, f->index.block,
                          (uint32_t)f->index.block_bytes);
}

static void test_cuts(uint32_t page_bytes) {
  flash_device device = device_of(page_bytes);
  the_device = &device;
  fixture f = fixture_create("hnsw8,bits4", MN_COSINE, DIMENSIONS, 2 * COUNT);
  float *rows = fixture_rows("clustered", 0, 2 * COUNT, DIMENSIONS);
  const mn_vectors sample = fixture_view(rows, COUNT, DIMENSIONS);
  CHECK_OK(mn_index_train(&f.index, &sample, &f.arena));
  memset(flash, 0, sizeof flash); /* never erased */
  const void *block;
  uint32_t bytes;
  CHECK(flash_store_open(&device, &block, &bytes) == FLASH_EMPTY);
  was_programmed_twice = 0;

  power_for(UINT32_MAX);
  change(&f, rows, 0, COUNT);
  CHECK(save(&device, &f) == FLASH_OK);
  CHECK(holds(&device, 0, COUNT));

  /* Twice, so that either slot is written. */
  for (uint32_t turn = 0; turn < 2; turn++) {
    const uint32_t from = turn * ADDED;
    change(&f, rows, from + COUNT, ADDED);
    memcpy(saved_flash, flash, sizeof flash);
    uint32_t cut = 0;
    int done = 0;
    for (; !done; cut++) {
      memcpy(flash, saved_flash, sizeof flash);
      power_for(cut);
      done = save(&device, &f) == FLASH_OK;
      CHECK(done == !power_is_out);
      /* A third of the record's pages may be all of what counts in them. */
      CHECK(done ? holds(&device, from + ADDED, from + ADDED + COUNT)
                 : holds(&device, from, from + COUNT) ||
                       holds(&device, from + ADDED, from + ADDED + COUNT));
    }
    CHECK(cut > f.index.block_bytes / page_bytes);

    /* Cut, then saved by the next attempt. */
    memcpy(flash, saved_flash, sizeof flash);
    power_for(5);
    CHECK(save(&device, &f) == FLASH_FAILED);
    power_for(UINT32_MAX);
    CHECK(save(&device, &f) == FLASH_OK);
    CHECK(holds(&device, from + ADDED, from + ADDED + COUNT));
  }
  CHECK(!was_programmed_twice);
  fixture_free(&f);
  free(rows);
}

/* Damage to the latest block, or to its record, leaves the one before. */
static void test_damage(void) {
  flash_device device = device_of(64);
  the_device = &device;
  const void *block;
  uint32_t bytes;
  static const char first[100] = "the first", second[100] = "the second";
  for (uint32_t at = 0; at < FLASH_STORE_RECORD + 100; at++) {
    memset(flash, 0xff, sizeof flash);
    power_for(UINT32_MAX);
    CHECK(flash_store_save(&device, first, 100) == FLASH_OK);
    CHECK(flash_store_save(&device, second, 100) == FLASH_OK);
    flash[SLOT + at] ^= 1;
    CHECK(flash_store_open(&device, &block, &bytes) == FLASH_OK &&
          bytes == 100);
    /* What stands behind the record's fields says nothing. */
    CHECK(!strcmp(block, at >= 20 && at < FLASH_STORE_RECORD ? "the second"
                                                             : "the first"));
  }
  CHECK(flash_store_save(&device, flash, SLOT) == FLASH_TOO_LARGE);
}

/* The slots take turns. */
static void test_many(void) {
  flash_device device = device_of(8);
  the_device = &device;
  memset(flash, 0xff, sizeof flash);
  power_for(UINT32_MAX);
  for (uint32_t i = 0; i < 9; i++) {
    const void *block;
    uint32_t bytes, value = 7 * i;
    CHECK(flash_store_save(&device, &value, sizeof value) == FLASH_OK);
    CHECK(flash_store_open(&device, &block, &bytes) == FLASH_OK);
    CHECK(bytes == sizeof value && !memcmp(block, &value, sizeof value));
  }
}

int main(void) {
  test_cuts(64);
  test_cuts(8);
  test_damage();
  test_many();
  return test_report();
}
