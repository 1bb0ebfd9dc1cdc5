/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a description from the console and prints the definitions nearest to
 * it. Both indexes and all texts are searched where they lie in flash; there is
 * no heap, and RAM is what stands below and the stack.
 */
#include "console.h"
#include "embed.h"

/* assets.S */
extern const uint8_t words_block[], words_block_end[];
extern const uint8_t passages_block[], passages_block_end[];
extern const texts words_texts, passages_texts;

enum { DIMENSIONS = 100, K = 10, EF = 32, SHOWN = 5 };

/* mn_plan's search_scratch_bytes for this index, k, ef and refine_k, and more
 * than its vector_scratch_bytes for the words. */
#ifndef SCRATCH_BYTES
#define SCRATCH_BYTES 8192
#endif
static _Alignas(MN_ALIGNMENT) uint8_t scratch[SCRATCH_BYTES];
static float vector[DIMENSIONS], word_vector[DIMENSIONS];
static char line[256];

/* FNV-1a, to see that nothing was written. */
static uint32_t hash_of(const uint8_t *from, const uint8_t *to) {
  uint32_t hash = 0x811c9dc5u;
  while (from < to)
    hash = (hash ^ *from++) * 0x01000193u;
  return hash;
}

static uint32_t hash_of_flash(void) {
  return hash_of(words_block, words_block_end) ^
         hash_of(passages_block, passages_block_end);
}

static void show(const mn_hit *hits, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    size_t bytes;
    const char *text = text_at(&passages_texts, (uint32_t)hits[i].key, &bytes);
    print(i < SHOWN ? "  " : "  . ");
    print_fraction(hits[i].distance);
    print("  ");
    print_bytes(text, bytes);
    print("\n");
  }
}

static mn_status answer(const vocabulary *vocabulary, const mn_index *passages,
                        const char *text, mn_arena *arena) {
  mn_hit hits[K];
  uint32_t known, count = 0;
  const uint32_t begin = ticks_now();
  mn_status status =
      embed(vocabulary, text, vector, word_vector, &known, arena);
  const uint32_t embedded = ticks_now();
  if (status == MN_OK && known == 0) {
    print("  I know none of these words.\n");
    return MN_OK;
  }
  const mn_query query = {.vector = vector,
                          .dimensions = DIMENSIONS,
                          .k = K,
                          .ef = EF,
                          .refine_k = (float)EF / K};
  if (status == MN_OK)
    status = mn_index_search(passages, &query, hits, &count, arena);
  const uint32_t found = ticks_now();
  if (status != MN_OK)
    return status;
  show(hits, count);
  print("  [ticks: ");
  print_number(ticks_between(begin, embedded));
  print(" for the vector, ");
  print_number(ticks_between(embedded, found));
  print(" for the search]\n");
  return MN_OK;
}

static void report(const mn_arena *arena, uint32_t before) {
  print("flash: ");
  print(hash_of_flash() == before ? "untouched" : "CHANGED");
  print("\nram: ");
  print_number(variables_bytes());
  print(" bytes of variables, of which scratch ");
  print_number((uint32_t)arena->peak);
  print(" used; stack ");
  print_number(stack_used());
  print(" of ");
  print_number(stack_room());
  print("\n");
}

int main(void) {
  vocabulary vocabulary = {.words = &words_texts};
  mn_index passages;
  mn_status status = mn_index_open(&vocabulary.vectors, words_block,
                                   (size_t)(words_block_end - words_block));
  if (status == MN_OK)
    status = mn_index_open(&passages, passages_block,
                           (size_t)(passages_block_end - passages_block));
  mn_arena arena = mn_arena_over(scratch, sizeof scratch);
  const uint32_t before = hash_of_flash();
  if (status == MN_OK)
    print("Describe a word.\n");
  while (status == MN_OK && read_line(line, sizeof line)) {
    print("> ");
    print(line);
    print("\n");
    status = answer(&vocabulary, &passages, line, &arena);
  }
  if (status != MN_OK) {
    print("status -");
    print_number((uint32_t) - (int)status);
    print("\n");
  }
  report(&arena, before);
  return status == MN_OK && hash_of_flash() == before ? 0 : 1;
}
