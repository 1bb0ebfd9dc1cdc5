/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The browser module: minnow.h with plain numbers for arguments, so that
 * JavaScript can call it. One instance of the module is one index; letting the
 * instance go frees everything. No imports, no algorithms.
 *
 *     stack, constants, `report`   block   staged bytes   scratch
 *                                  ^ __heap_base, rounded up   ^ grows
 *
 * The block is the arena's first allocation. What JavaScript hands over is
 * staged behind it, scratch follows, and both are forgotten at the next
 * `stage`, `reserve` or `save`. mn_plan says beforehand how many bytes an
 * operation takes, and memory is grown by them.
 *
 * 64-bit keys and seeds arrive as two halves: no BigInt at the boundary.
 */
#include "module.h"

#define PAGE 65536u
/* Of the 65,536 pages one stays out of use, so that an address one past the
 * end still fits in 32 bits. */
#define PAGES_MAX 65535u

/* The one status beside mn_status: linear memory would not grow. */
enum { MEMORY = 1 };

extern uint8_t __heap_base;

mn_arena arena;
mn_index index_;
size_t block_end;
struct report report;

_Static_assert(sizeof(size_t) == 4, "pointers are plain 32-bit numbers");
AT(mn_options, kept_dimensions, 16);
AT(mn_options, pq_correction, 36);
AT(mn_options, refine, 40);
AT(mn_options, ef_construction, 48);
AT(mn_options, seed, 56);
AT(mn_info, is_auto, 64);
AT(mn_info, packed, 88);
AT(mn_info, clipped, 96);
AT(mn_info, graph_bytes, 112);
AT(mn_info, error, 128);
AT(mn_info, format_major, 136);
AT(mn_info, dead, 148);
AT(mn_info, tuned_refine_k, 156);
AT(mn_info, tuned_nprobe, 160);
AT(mn_info, tuned_gamma, 164);
AT(struct report, spec, 8);
AT(struct report, info, 88);
AT(struct report, stats, 256);

/* --- Memory --------------------------------------------------------------- */

int32_t make_room(uint64_t bytes) {
  if (!arena.base) {
    uintptr_t base = (uintptr_t)round_up((uintptr_t)&__heap_base);
    arena = mn_arena_over((void *)base,
                          __builtin_wasm_memory_size(0) * PAGE - base);
  }
  size_t left = arena.capacity - arena.used;
  if (bytes <= left)
    return MN_OK;
  uint64_t pages = (bytes - left + PAGE - 1) / PAGE;
  if (pages > PAGES_MAX - __builtin_wasm_memory_size(0) ||
      __builtin_wasm_memory_grow(0, (size_t)pages) == (size_t)-1)
    return MEMORY;
  arena.capacity += (size_t)pages * PAGE;
  return MN_OK;
}

void unstage(void) {
  mn_arena_rewind(&arena, block_end);
}

/* Forgets what was staged and makes room for `bytes`; 0 when memory will not
 * grow. */
void *EXPORT(stage)(size_t bytes) {
  unstage();
  return make_room(round_up(bytes)) ? NULL : mn_arena_allocate(&arena, bytes);
}

/* The options that the index was asked for. */
static void asked(mn_options *options) {
  *options = index_.options;
  if (index_.is_auto)
    options->structure = MN_AUTO;
  if (index_.is_auto == 2)
    options->encoding = 0;
}

const mn_query any_query = {.k = 1};

int32_t plan(uint32_t capacity, const mn_query *query, mn_sizes *sizes) {
  mn_options options;
  asked(&options);
  return mn_plan(&options, capacity, query, sizes);
}

int32_t plan_now(mn_sizes *sizes) {
  return plan(index_.capacity, &any_query, sizes);
}

int32_t vector_room(void) {
  mn_sizes sizes;
  int32_t status = plan_now(&sizes);
  return status ? status : make_room(sizes.vector_scratch_bytes);
}

/* --- Life ----------------------------------------------------------------- */

uint32_t EXPORT(version)(void) {
  return (uint32_t)MN_VERSION_MAJOR << 16 | MN_VERSION_MINOR << 8 |
         MN_VERSION_PATCH;
}

uint32_t EXPORT(simd)(void) {
#ifdef __wasm_simd128__
  return 1;
#else
  return 0;
#endif
}

struct report *EXPORT(report_at)(void) {
  return &report;
}

static int32_t create_block(const mn_options *options, uint32_t capacity) {
  mn_sizes sizes;
  int32_t status = mn_plan(options, capacity, &any_query, &sizes);
  if (!status)
    status = make_room(sizes.block_bytes);
  if (!status)
    status = mn_index_create(&index_, options, capacity, &arena);
  block_end = arena.used;
  return status;
}

/* `report.spec` holds the spec; on MN_ERROR_SPEC `report.value` is the offset
 * of the word that was not understood. */
int32_t EXPORT(create)(uint32_t dimensions, uint32_t metric,
                       uint32_t spec_bytes, uint32_t ef_construction,
                       uint32_t seed_low, uint32_t seed_high,
                       uint32_t capacity) {
  mn_options options = {.dimensions = dimensions,
                        .metric = (mn_metric)metric,
                        .ef_construction = ef_construction,
                        .seed = (uint64_t)seed_high << 32 | seed_low};
  if (spec_bytes > sizeof report.spec)
    return MN_ERROR_SPEC;
  size_t at = 0;
  int32_t status = mn_options_parse(&options, report.spec, spec_bytes, &at);
  report.value = (uint32_t)at;
  return status ? status : create_block(&options, capacity);
}

/* Empties the index: the same options, room for one vector, nothing learnt. */
int32_t EXPORT(clear)(void) {
  mn_options options;
  asked(&options);
  mn_arena_rewind(&arena, 0);
  return create_block(&options, 1);
}

/* Opens the `bytes` bytes that were staged first of all. */
int32_t EXPORT(open)(size_t bytes) {
  int32_t status = mn_index_open_writable(&index_, arena.base, bytes);
  if (!status) {
    block_end = (size_t)round_up(index_.block_bytes);
    unstage();
  }
  return status;
}

int32_t EXPORT(verify)(void) {
  return mn_index_verify(&index_);
}

/* Host sections come on top of what mn_plan says of a block. */
int32_t EXPORT(reserve)(uint32_t capacity) {
  mn_sizes now, then;
  int32_t status = plan_now(&now);
  if (!status)
    status = plan(capacity, &any_query, &then);
  if (status)
    return status;
  unstage();
  if (then.block_bytes > now.block_bytes)
    status = make_room(then.block_bytes - now.block_bytes);
  if (!status)
    status = mn_index_resize(&index_, capacity, &arena);
  block_end = arena.used;
  return status;
}

/* The block is the `report.bytes` bytes at `report.value`. */
void EXPORT(block)(void) {
  report.value = (uint32_t)(uintptr_t)index_.block;
  report.bytes = index_.block_bytes;
}

/* Drops unused capacity, of which a packed block has none, and seals. The bytes
 * to save are then those of `block`. */
int32_t EXPORT(save)(void) {
  mn_info info = mn_index_info(&index_);
  uint32_t tight = info.slots ? info.slots : 1;
  /* also where it is tight: the key map is then as if made of these slots */
  int32_t status = info.packed ? MN_OK : (int32_t)reserve(tight);
  if (!status)
    status = mn_index_seal(&index_);
  block();
  return status;
}

/* --- Change --------------------------------------------------------------- */

/* What training with `count` vectors wants: `report.value` is the least and
 * `report.bytes` what is enough; `*scratch_bytes` what it takes. */
static int32_t plan_training(uint32_t count, size_t *scratch_bytes) {
  mn_options options;
  asked(&options);
  mn_training training;
  int32_t status = mn_plan_training(&options, count, &training);
  if (status)
    return status;
  report.value = training.least;
  report.bytes = training.enough;
  *scratch_bytes = training.scratch_bytes;
  return MN_OK;
}

int32_t EXPORT(training)(void) {
  size_t scratch_bytes;
  return plan_training(1, &scratch_bytes);
}

int32_t EXPORT(train)(const float *data, uint32_t count, uint32_t dimensions) {
  size_t scratch_bytes;
  int32_t status = plan_training(count, &scratch_bytes);
  if (!status)
    status = make_room(scratch_bytes);
  if (status)
    return status;
  mn_vectors sample = {data, count, dimensions};
  return mn_index_train(&index_, &sample, &arena);
}

int32_t EXPORT(set_model)(const void *model, size_t bytes) {
  return mn_index_set_model(&index_, model, bytes);
}

/* Turns `count` rows of packed bits into floats. */
void EXPORT(unpack)(const uint8_t *bits, uint32_t count, uint32_t dimensions,
                    uint32_t is_signed, float *vectors) {
  for (uint32_t i = 0; i < count; i++) {
    mn_unpack_bits(bits, dimensions, (int)is_signed, vectors);
    bits += (dimensions + 7) / 8;
    vectors += dimensions;
  }
}

/* --- Report and host sections --------------------------------------------- */

void EXPORT(info)(void) {
  report.info = mn_index_info(&index_);
  mn_options_format(&index_.options, report.spec);
}

/* Attaches the `bytes` bytes that were staged: the block grows over them. */
int32_t EXPORT(attach)(uint32_t name, size_t bytes) {
  const uint8_t *data = arena.base + block_end;
  unstage();
  int32_t status = make_room(round_up(bytes));
  if (!status)
    status = mn_index_attach(&index_, name, data, bytes, &arena);
  block_end = arena.used;
  return status;
}

/* After a change that was taken back. */
int32_t EXPORT(seal)(void) {
  return mn_index_seal(&index_);
}

/* The section is the `report.bytes` bytes at `report.value`. */
int32_t EXPORT(section)(uint32_t name) {
  const void *data;
  size_t bytes;
  int32_t status = mn_index_section(&index_, name, &data, &bytes);
  if (!status) {
    report.value = (uint32_t)(uintptr_t)data;
    report.bytes = bytes;
  }
  return status;
}
