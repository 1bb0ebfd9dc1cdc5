/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An index that grows and shrinks on the device: notes are added to and deleted
 * from a live block in RAM, saved to flash (here: memory that a reset leaves
 * alone and that behaves as flash does), and opened there after a reset, once
 * after the power failed in the middle of saving.
 */
#include "../../../embedded/flash_store.h"
#include "console.h"
#include "embed.h"

extern const uint8_t words_block[], words_block_end[];
extern const texts words_texts, passages_texts;

enum {
  DIMENSIONS = 100,
  FIRST = 300,    /* notes that are added before the first save, */
  DELETED = 60,   /* and of them deleted; */
  MORE = 50,      /* and added, */
  DELETED_2 = 20, /* and deleted after the reset */
  CAPACITY = 400,
  SAMPLE = 64, /* notes that the index is trained on */
  K = 3,
  SECTOR = 4096,
  PAGE = 64,
  SLOT = 24 * SECTOR,
  CUT_AFTER = 500 /* pages and sectors */
};

static const mn_options options = {.dimensions = DIMENSIONS,
                                   .metric = MN_COSINE,
                                   .structure = MN_HNSW,
                                   .encoding = MN_BITS4,
                                   .m = 8,
                                   .ef_construction = 32};

/* --- What a reset leaves alone -------------------------------------------- */

#define KEPT __attribute__((section(".kept")))

static KEPT _Alignas(64) uint8_t flash[2 * SLOT];
static KEPT uint32_t boots, boots_magic;
#define BOOTED 0x600dcafeu

static _Noreturn void reset_board(void) {
  *(volatile uint32_t *)0xe000ed0c = 0x05fa0004; /* AIRCR.SYSRESETREQ */
  __asm__ volatile("dsb" ::: "memory");
  for (;;)
    continue;
}

static uint32_t power_for = UINT32_MAX; /* erasings and programmings */

static uint32_t done_of(uint32_t bytes) {
  if (power_for == 0)
    return bytes / 2;
  power_for--;
  return bytes;
}

static int erase_sector(void *context, uint32_t offset) {
  (void)context;
  const uint32_t done = done_of(SECTOR);
  for (uint32_t i = 0; i < done; i++)
    flash[offset + i] = 0xff;
  if (done < SECTOR)
    reset_board();
  return 0;
}

static int program_page(void *context, uint32_t offset, const void *data) {
  (void)context;
  const uint32_t done = done_of(PAGE);
  for (uint32_t i = 0; i < done; i++)
    flash[offset + i] &= ((const uint8_t *)data)[i];
  if (done < PAGE)
    reset_board();
  return 0;
}

static const flash_device device = {.memory = flash,
                                    .slot_bytes = SLOT,
                                    .sector_bytes = SECTOR,
                                    .page_bytes = PAGE,
                                    .erase = erase_sector,
                                    .program = program_page};

/* --- Notes ---------------------------------------------------------------- */

static _Alignas(MN_ALIGNMENT) uint8_t block_memory[SLOT];
static _Alignas(MN_ALIGNMENT) uint8_t scratch[48 * 1024];
static float sample[SAMPLE * DIMENSIONS], vector[DIMENSIONS],
    word_vector[DIMENSIONS];
static vocabulary known_words;

static _Noreturn void give_up(const char *what, int status) {
  print(what);
  print(" failed, status -");
  print_number((uint32_t)-status);
  print("\n");
  finish(1);
}

static void must(const char *what, mn_status status) {
  if (status != MN_OK)
    give_up(what, status);
}

static void embed_note(uint32_t note, float *to, mn_arena *arena) {
  char text[160];
  size_t bytes;
  uint32_t known;
  const char *from = text_at(&passages_texts, note, &bytes);
  for (size_t i = 0; i < bytes; i++)
    text[i] = from[i];
  text[bytes] = 0;
  must("embed", embed(&known_words, text, to, word_vector, &known, arena));
}

static void add_notes(mn_index *index, uint32_t from, uint32_t count,
                      mn_arena *arena) {
  for (uint32_t note = from; note < from + count; note++) {
    const uint64_t key = note;
    embed_note(note, vector, arena);
    must("add", mn_index_add(index, &key, &(mn_vectors){vector, 1, DIMENSIONS},
                             NULL, arena));
  }
}

static void delete_notes(mn_index *index, uint32_t from, uint32_t count) {
  for (uint32_t note = from; note < from + count; note++) {
    const uint64_t key = note;
    must("delete", mn_index_delete(index, &key, 1, NULL));
  }
}

static void save(mn_index *index) {
  must("seal", mn_index_seal(index));
  const flash_status status =
      flash_store_save(&device, index->block, (uint32_t)index->block_bytes);
  if (status != FLASH_OK)
    give_up("save", status);
}

static void create(mn_index *index, mn_arena *arena) {
  mn_arena memory = mn_arena_over(block_memory, sizeof block_memory);
  must("create", mn_index_create(index, &options, CAPACITY, &memory));
  for (uint32_t note = 0; note < SAMPLE; note++)
    embed_note(note, sample + note * DIMENSIONS, arena);
  must("train",
       mn_index_train(index, &(mn_vectors){sample, SAMPLE, DIMENSIONS}, arena));
}

/* The latest block, in flash and to be read. */
static uint32_t open_saved(mn_index *index) {
  const void *block;
  uint32_t bytes;
  const flash_status status = flash_store_open(&device, &block, &bytes);
  if (status != FLASH_OK)
    give_up("open the store", status);
  must("open", mn_index_open(index, block, bytes));
  must("verify", mn_index_verify(index));
  return bytes;
}

/* And a copy in RAM, to be changed. */
static void open_copy(mn_index *index) {
  mn_index saved;
  const uint32_t bytes = open_saved(&saved);
  for (uint32_t i = 0; i < bytes; i++)
    block_memory[i] = saved.block[i];
  must("open", mn_index_open_writable(index, block_memory, bytes));
}

static void report(const char *what, const mn_index *index, mn_arena *arena) {
  mn_hit hits[K];
  uint32_t known, count;
  print(what);
  print(": ");
  print_number(mn_index_info(index).count);
  print(" notes\n");
  must("embed", embed(&known_words, "a place to live", vector, word_vector,
                      &known, arena));
  must("search", mn_index_search(index,
                                 &(mn_query){.vector = vector,
                                             .dimensions = DIMENSIONS,
                                             .k = K,
                                             .ef = 32},
                                 hits, &count, arena));
  for (uint32_t i = 0; i < count; i++) {
    size_t bytes;
    const char *text = text_at(&passages_texts, (uint32_t)hits[i].key, &bytes);
    print("  ");
    print_fraction(hits[i].distance);
    print("  ");
    print_bytes(text, bytes);
    print("\n");
  }
}

static void change(mn_index *index, mn_arena *arena) {
  open_copy(index);
  add_notes(index, FIRST, MORE, arena);
  delete_notes(index, DELETED, DELETED_2);
}

int main(void) {
  mn_arena arena = mn_arena_over(scratch, sizeof scratch);
  mn_index index;
  must("open", mn_index_open(&known_words.vectors, words_block,
                             (size_t)(words_block_end - words_block)));
  known_words.words = &words_texts;
  if (boots_magic != BOOTED)
    boots = 0;
  boots_magic = BOOTED;
  switch (boots++) {
  case 0:
    create(&index, &arena);
    add_notes(&index, 0, FIRST, &arena);
    delete_notes(&index, 0, DELETED);
    report("in RAM", &index, &arena);
    save(&index);
    reset_board();
  case 1:
    open_saved(&index);
    report("in flash, after a reset", &index, &arena);
    change(&index, &arena);
    report("changed in RAM", &index, &arena);
    print("the power fails while that is saved\n");
    power_for = CUT_AFTER;
    save(&index);
    give_up("to cut the power", 0);
  case 2:
    open_saved(&index);
    report("in flash, after the power cut", &index, &arena);
    change(&index, &arena);
    save(&index);
    reset_board();
  default:
    open_saved(&index);
    report("in flash, saved again", &index, &arena);
    print("stack ");
    print_number(stack_used());
    print(", scratch ");
    print_number((uint32_t)arena.peak);
    print(", block ");
    print_number((uint32_t)index.block_bytes);
    print("\n");
    return 0;
  }
}
