/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How open_search.c's inputs are mutated. Plain mutation breaks the header's
 * checksum, or a length that follows from the options, and never gets past
 * opening. So the options are changed together with all that follows from
 * them, contents are changed by words of likely values, and the checksum is
 * made right again, nearly always.
 */
#include "../../core/block.h"
#include "../../core/bytes.h"

#include <stdlib.h>
#include <string.h>

#define BODY sizeof(mn_header)

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned seed);

static uint32_t state;

static uint32_t draw(void) {
  state = state * 1664525u + 1013904223u;
  return state >> 8;
}

static uint32_t likely(void) {
  static const uint32_t values[] = {
      0,          1,          2,          4,          15,         31,
      255,        65535,      0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
      0x7f800000, 0xff800000, 0x7fc00000, 0x3f800000, 0x00000001, 0x7f7fffff};
  const uint32_t choice = draw();
  return choice % 2 ? draw() % 70 : values[choice / 2 % 18];
}

static void put(uint8_t *data, size_t size, size_t at, uint32_t value) {
  if (at + 4 <= size)
    memcpy(data + at, &value, 4);
}

static mn_encoding draw_encoding(void) {
  static const mn_encoding encodings[] = {MN_F32,   MN_F16, MN_BF16, MN_SQ8,
                                          MN_SQ6,   MN_SQ4, MN_PQ,   MN_PRQ,
                                          MN_BITS1, MN_SIGN};
  const mn_encoding encoding = encodings[draw() % 10];
  return encoding == MN_BITS1 ? (mn_encoding)(MN_BITS1 + draw() % 8) : encoding;
}

/* Options of which most go together. */
static mn_options draw_options(void) {
  mn_options o = {.dimensions = 1 + draw() % 40,
                  .metric = (mn_metric)(1 + draw() % 3),
                  .structure = (mn_structure)(draw() % 4),
                  .encoding = draw_encoding(),
                  .m = 4 + draw() % 5,
                  .ef_construction = 8 + draw() % 20,
                  .seed = draw()};
  if (o.structure == MN_IVF)
    o.nlist = 1 + draw() % 8;
  if (draw() % 2)
    o.transform = (mn_transform)(draw() % 5);
  if (o.transform == MN_FIRST || o.transform == MN_PCA)
    o.kept_dimensions = 1 + draw() % o.dimensions;
  if (o.encoding == MN_PQ || o.encoding == MN_PRQ) {
    const uint32_t left = o.kept_dimensions ? o.kept_dimensions : o.dimensions;
    const uint32_t width = 1 + draw() % 4;
    o.pq_m = left % width ? left : left / width;
    o.pq_bits = o.encoding == MN_PQ ? 4 : 1 + draw() % 6;
    o.pq_nrq = o.encoding == MN_PQ ? 1 : 1 + draw() % 4;
    o.pq_correction = draw() % 2;
  }
  if (o.encoding == MN_SIGN)
    o.metric = (mn_metric)(MN_HAMMING + draw() % 2);
  else if (draw() % 3 == 0)
    o.refine = draw_encoding();
  return o;
}

/* The block made a packed one of as many vectors as it has room for. */
static void make_packed(mn_index *index, size_t max_size) {
  const mn_options *o = &index->options;
  const uint32_t capacity = index->capacity;
  const mn_packed_links packed =
      o->structure == MN_HNSW
          ? mn_packed_shape(capacity, draw() % (8 * capacity))
          : (mn_packed_links){0, 0};
  mn_layout layout;
  if (mn_layout_of(o, capacity, &packed, &layout) != MN_OK ||
      layout.end > max_size)
    return;
  mn_header_write((mn_header *)(void *)index->block, o, 0, capacity, &packed,
                  &layout);
  index->block_bytes = (size_t)layout.end;
}

/* A new header for other options, over the same contents. */
static size_t change_options(uint8_t *data, size_t size, size_t max_size) {
  const mn_options options = draw_options();
  const uint32_t capacity = 1 + draw() % 60;
  uint8_t *memory = malloc(max_size + MN_ALIGNMENT);
  mn_arena arena = mn_arena_over(memory, max_size);
  mn_index index;
  if (mn_index_create(&index, &options, capacity, &arena) == MN_OK) {
    const size_t state_end = BODY + sizeof(mn_state);
    const int is_packed = draw() % 3 == 0;
    mn_state *s = index.state;
    s->count = is_packed ? capacity : draw() % (capacity + 1);
    s->linked = index.links ? draw() % (s->count + 1) : s->count;
    s->added = s->count;
    if (!is_packed && draw() % 2) {
      s->free = draw() % (s->count - s->linked + 1);
      s->dead = index.links ? draw() % (s->linked + 1) : 0;
      s->linked = index.links ? s->linked : s->count - s->free;
      s->free_first = draw() % (s->count + 1);
      s->pending_first = index.links ? draw() % (s->count + 1) : 0;
      s->pending_last = index.links ? draw() % (s->count + 1) : 0;
      s->sweep = index.links ? draw() % 3 : 0;
      s->cursor = s->sweep ? draw() % (s->count + 1) : 0;
    }
    s->entries = index.links && s->linked > 0 ? 1 + draw() % 64 : 0;
    s->stride = s->entries > 0 ? 1u << draw() % 4 : 0;
    s->trained = 1;
    if (is_packed)
      make_packed(&index, max_size);
    if (size > state_end && index.block_bytes > state_end) {
      const size_t rest = index.block_bytes - state_end;
      memcpy(index.block + state_end, data + state_end,
             rest < size - state_end ? rest : size - state_end);
    }
    size = index.block_bytes;
    memcpy(data, index.block, size);
  }
  free(memory);
  return size;
}

static void change_contents(uint8_t *data, size_t size) {
  for (unsigned n = 1 + draw() % 4; n > 0; n--) {
    const size_t words = (size - BODY) / 4;
    put(data, size, BODY + 4 * (draw() % words), likely());
  }
}

/* A number that a field of the state may have: most are counts of slots, a slot
 * and 1 or, of a sweep, a few states. */
static uint32_t state_number(uint32_t count) {
  switch (draw() % 4) {
  case 0:
    return likely();
  case 1:
    return draw() % 3;
  case 2:
    return count - draw() % 3;
  default:
    return count > 0 ? draw() % (count + 1) : 0;
  }
}

/* Every field: count, linked and so on up to what is tuned. Up to three, as a
 * sweep has a pass, a place and its dying, which must go together. */
static void change_state(uint8_t *data, size_t size) {
  const size_t fields = offsetof(mn_state, zero) / 4;
  const size_t sweep = offsetof(mn_state, sweep) / 4;
  uint32_t count;
  memcpy(&count, data + BODY, sizeof count);
  const int is_sweep = draw() % 4 == 0;
  for (unsigned n = 1 + draw() % 3; n > 0; n--)
    put(data, size,
        BODY + 4 * (is_sweep ? sweep + draw() % 4 : draw() % fields),
        state_number(count));
}

/* Words of one section, whichever: a small one is met as often as a large one.
 * In lists of slots, a slot and 1, or the number of a list. */
static void change_section(uint8_t *data, size_t size) {
  mn_header header;
  uint32_t count;
  memcpy(&header, data, sizeof header);
  memcpy(&count, data + BODY, sizeof count);
  if (header.section_count == 0 || header.section_count > MN_TABLE_ENTRIES)
    return;
  const mn_section_entry *entry = &header.table[draw() % header.section_count];
  if (entry->bytes < 4 || entry->offset >= size)
    return;
  const uint64_t words = entry->bytes / 4;
  for (unsigned n = 1 + draw() % 4; n > 0; n--) {
    const size_t at = (size_t)(entry->offset + 4 * (draw() % words));
    uint32_t word = state_number(count);
    if (draw() % 4 == 0)
      word |= 0x80000000u; /* a twin, or the first of a list */
    put(data, size, at, word);
  }
}

/* A run of bytes, by libFuzzer's own ways; the length stays. */
static void change_run(uint8_t *data, size_t size) {
  const size_t at = BODY + draw() % (size - BODY);
  const size_t run = size - at < 64 ? size - at : 64;
  LLVMFuzzerMutate(data + at, run, run);
}

/* A host section that ends where the block is said to end, if need
 * be modulo 2^64. */
static void change_end(mn_header *header) {
  if (header->section_count == 0 || header->section_count >= MN_TABLE_ENTRIES)
    return;
  const mn_section_entry *last = &header->table[header->section_count - 1];
  mn_section_entry host = {.name = MN_SECTION('h', 'o', 's', 't'),
                           .version = 1,
                           .offset = mn_round_up(last->offset + last->bytes)};
  header->block_bytes = BODY + 64 * (draw() % 8);
  host.bytes = header->block_bytes - host.offset;
  header->table[header->section_count++] = host;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size,
                               unsigned seed) {
  state = seed;
  if (size <= BODY + sizeof(mn_state) || draw() % 32 == 0)
    return LLVMFuzzerMutate(data, size, max_size);
  switch (draw() % 10) {
  case 0:
    size = change_options(data, size, max_size);
    break;
  case 1:
    put(data, size, 4 * (draw() % (BODY / 4)), likely());
    break;
  case 2:
    change_state(data, size);
    break;
  case 3:
  case 4:
    change_run(data, size);
    break;
  case 5:
  case 6:
    change_section(data, size);
    break;
  default:
    change_contents(data, size);
  }
  mn_header *header = malloc(sizeof *header);
  memcpy(header, data, sizeof *header);
  /* Unsealed, contents are checked for sense and not by their checksum. */
  if (draw() % 4) {
    header->flags &= ~(uint32_t)MN_FLAG_SEALED;
    for (unsigned i = 0; i < MN_TABLE_ENTRIES; i++)
      header->table[i].checksum = 0;
  }
  if (draw() % 32 == 0)
    change_end(header);
  mn_header_finish(header);
  memcpy(data, header, sizeof *header);
  free(header);
  return size;
}
