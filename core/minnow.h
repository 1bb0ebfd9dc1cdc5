/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Minnow: vector search that fits anywhere.
 *
 * This is the only public header, and the manual. It needs a C11 or C++11
 * compiler and nothing else: no libc, no malloc, no operating system.
 *
 * --- Conventions -----------------------------------------------------------
 *
 * Index     A set of (key, vector) pairs that can be searched for the vectors
 *           nearest to a query. It is one contiguous block of bytes, described
 *           byte by byte in FORMAT.md. The block is the file: to save an index,
 *           seal it and write its bytes; to open one, point at its bytes.
 * Handle    `mn_index`: pointers into a block. It owns nothing, may be copied
 *           with `=`, and is dropped without ceremony. Two handles may read
 *           one block at the same time from different threads; changing a
 *           block while another thread uses it is the caller's race.
 * Memory    comes from the caller through `mn_arena`. Nothing is allocated
 *           anywhere else, and no function keeps a pointer to its arguments
 *           except `mn_index_create`, `mn_index_open*`, `mn_index_resize` and
 *           `mn_index_attach`, whose handle points at the block. `mn_plan`
 *           says beforehand how many bytes an operation takes: exactly, and
 *           the same on every target.
 * Vectors   are rows of 32-bit IEEE floats, row-major, `dimensions` to a row.
 * Distance  Smaller is nearer, under every metric. See `mn_metric`.
 * Order     Hits come nearest first; equal distances in ascending key. Where
 *           more vectors than fit are equally near, a scan takes those with
 *           the smallest keys, a graph walk those that it finds first.
 * Errors    Every function that can fail returns `mn_status`. When it is not
 *           MN_OK, nothing changed: not the index, not the output arguments,
 *           not the arena's `used` (its `peak` may rise).
 * Bytes     Integers and floats in a block are little-endian; so must be the
 *           machine.
 * Sameness  The same calls with the same input give the same block and the
 *           same hits, bit for bit, on every target and instruction set.
 *
 * A life, without its error checks:
 *
 *     mn_options options = {.dimensions = 384, .metric = MN_COSINE};
 *     mn_options_parse(&options, "hnsw16,f32", 10, NULL);
 *     mn_arena arena = mn_arena_over(memory, memory_bytes);
 *     mn_index index;
 *     mn_index_create(&index, &options, 1000, &arena);
 *     mn_index_add(&index, keys, &(mn_vectors){rows, 1000, 384}, NULL,
 *                  &arena);
 *     mn_hit hits[10];
 *     uint32_t found;
 *     mn_index_search(&index, &(mn_query){.vector = query, .dimensions = 384,
 *                     .k = 10}, hits, &found, &arena);
 *     mn_index_seal(&index);
 *     write(file, index.block, index.block_bytes);
 */
#ifndef MINNOW_H
#define MINNOW_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The library's version, and the block format's. They move separately: a
 * library opens every format of its own major number up to its own minor. */
#define MN_VERSION_MAJOR 0
#define MN_VERSION_MINOR 1
#define MN_VERSION_PATCH 0
#define MN_FORMAT_MAJOR  1
#define MN_FORMAT_MINOR  0

/* --- Limits --------------------------------------------------------------- */

/* Dimensions of a vector, from 1. Bounded so that sums of integer products
 * stay within int32. */
#define MN_DIMENSIONS_MAX 65535u
/* Vectors in an index: a slot number takes 31 bits. */
#define MN_CAPACITY_MAX 0x7fffffffu
/* Bounds of M, and of ef_construction, ef and k. */
#define MN_M_MIN      4u
#define MN_M_MAX      64u
#define MN_EF_MAX     65535u
#define MN_EF_DEFAULT 128u
/* Alignment, in bytes, of everything an arena hands out and of every section
 * in a block. A block that is opened in place needs only MN_OPEN_ALIGNMENT. */
#define MN_ALIGNMENT      64u
#define MN_OPEN_ALIGNMENT 8u
/* Bytes that hold any spec string with its final NUL. */
#define MN_SPEC_BYTES 32u
/* A vector's squared norm may not exceed 2^125, so that no distance between
 * two accepted vectors overflows. */
#define MN_NORM2_MAX 4.2535295865117308e37f
/* Sections that a host may attach to one block. */
#define MN_HOST_SECTIONS_MAX 8u

/* --- Status --------------------------------------------------------------- */

/* The numbers are pinned forever. */
typedef enum mn_status {
  MN_OK = 0,
  MN_ERROR_ARGUMENT = -1,      /* a null pointer or a number out of range */
  MN_ERROR_SPEC = -2,          /* the spec string has an unknown word */
  MN_ERROR_DIMENSIONS = -3,    /* vector and index differ in dimensions */
  MN_ERROR_NOT_FINITE = -4,    /* NaN, infinity, or squared norm > 2^125 */
  MN_ERROR_ZERO_VECTOR = -5,   /* cosine of a vector whose squared norm is
                                  below 2^-126 is undefined */
  MN_ERROR_RANGE = -6,         /* a component that f16 cannot hold */
  MN_ERROR_DUPLICATE_KEY = -7, /* in the index already, or twice in a call */
  MN_ERROR_UNKNOWN_KEY = -8,   /* not in the index */
  MN_ERROR_CAPACITY = -9,      /* index full: mn_index_resize makes room */
  MN_ERROR_ARENA = -10,        /* arena full: mn_plan says what is needed */
  MN_ERROR_READ_ONLY = -11,    /* opened with mn_index_open */
  MN_ERROR_UNTRAINED = -12,    /* the encoding needs mn_index_train first */
  MN_ERROR_TRAINED = -13,      /* trained already, or needs no training */
  MN_ERROR_SAMPLE = -14,       /* too few vectors to train on */
  MN_ERROR_ALIGNMENT = -15,    /* the block's address is not a multiple of 8 */
  MN_ERROR_NOT_MINNOW = -16,   /* the bytes do not begin as a block does */
  MN_ERROR_VERSION = -17,      /* a format this library does not read */
  MN_ERROR_TRUNCATED = -18,    /* fewer bytes than the block says it has */
  MN_ERROR_CORRUPT = -19,      /* a checksum, bound or invariant fails */
  MN_ERROR_TOO_LARGE = -20,    /* the block would not fit in size_t */
  MN_ERROR_SECTION = -21,      /* no such section, reserved name, or too many */
} mn_status;

/* A fixed ASCII name such as "duplicate-key"; "unknown" for other numbers.
 * Compiled out (always "") under MN_NO_STRINGS. */
const char *mn_status_name(mn_status status);

/* --- Arena ---------------------------------------------------------------- */

/* A bump allocator over memory that the caller owns. Plain data: may be
 * copied, and is let go by forgetting it. */
typedef struct mn_arena {
  uint8_t *base;   /* a multiple of MN_ALIGNMENT */
  size_t capacity; /* bytes from base */
  size_t used;     /* bytes handed out, a multiple of MN_ALIGNMENT */
  size_t peak;     /* the largest `used` so far */
} mn_arena;

/* An arena over `bytes` bytes at `memory`, which need not be aligned: up to
 * MN_ALIGNMENT - 1 bytes at the front are skipped. O(1). */
mn_arena mn_arena_over(void *memory, size_t bytes);

/* `bytes` bytes aligned to MN_ALIGNMENT, not cleared; NULL when they do not
 * fit (bytes rounded up to MN_ALIGNMENT). O(1). */
void *mn_arena_allocate(mn_arena *arena, size_t bytes);

/* Remember a position, and give back everything handed out since. A mark that
 * lies beyond `used` is ignored. */
size_t mn_arena_mark(const mn_arena *arena);
void mn_arena_rewind(mn_arena *arena, size_t mark);

/* --- Options -------------------------------------------------------------- */

/* What "near" means. The distance of x and y is
 *   MN_L2      the sum of (x_i - y_i)^2: squared, no root is taken
 *   MN_IP      minus the inner product
 *   MN_COSINE  1 minus the cosine of their angle, from 0 to 2; vectors are
 *              normalised as they are added and searched for. */
typedef enum mn_metric { MN_L2 = 1, MN_IP = 2, MN_COSINE = 3 } mn_metric;

/* How a vector is stored. d is the number of dimensions.
 *   MN_F32   4d bytes, as given
 *   MN_F16   2d bytes, IEEE half, round to nearest even
 *   MN_BF16  2d bytes, the upper half of a float, round to nearest even
 *   MN_SQ8   d bytes (d + 4 under l2), a trained range per dimension as 256
 *            even steps. Values outside the range are clamped to it, and
 *            vectors that lose more than half a step by that are counted in
 *            `mn_info.clipped`. */
typedef enum mn_encoding {
  MN_F32 = 1,
  MN_F16 = 2,
  MN_BF16 = 3,
  MN_SQ8 = 4
} mn_encoding;

/* How vectors are found.
 *   MN_AUTO  flat while the capacity is below MN_AUTO_HNSW_CAPACITY, hnsw from
 *            there on; re-decided by mn_index_resize
 *   MN_FLAT  every vector is looked at: exact for the encoding; O(n d)
 *   MN_HNSW  a hierarchical navigable small world graph (Malkov and Yashunin,
 *            arXiv 1603.09320; Algorithms 1, 2, 4 and 5): approximate, with
 *            recall traded for time by `ef` */
typedef enum mn_structure {
  MN_AUTO = 0,
  MN_FLAT = 1,
  MN_HNSW = 2
} mn_structure;

/* Below this many vectors a flat scan was measured to be as fast as a graph
 * walk of equal recall (core/DESIGN.md says how). */
#define MN_AUTO_HNSW_CAPACITY 4096u

typedef struct mn_options {
  uint32_t dimensions;      /* 1 to MN_DIMENSIONS_MAX; no default */
  mn_metric metric;         /* no default */
  mn_structure structure;   /* 0: MN_AUTO */
  mn_encoding encoding;     /* 0: MN_F32 */
  uint32_t m;               /* hnsw: links per vector; on level 0 up to twice
                               as many; MN_M_MIN to MN_M_MAX; 0: 16 */
  uint32_t ef_construction; /* hnsw: candidates kept while linking; m to
                               MN_EF_MAX; 0: 200 */
  uint64_t seed;            /* of all pseudo-random choices; 0 is a seed too */
} mn_options;

/* Reads a spec string of `bytes` bytes into structure, m and encoding, leaving
 * the other fields alone:
 *
 *     spec      = structure [ "," encoding ] | encoding
 *     structure = "auto" | "flat" | "hnsw" [ M ]
 *     encoding  = "f32" | "f16" | "bf16" | "sq8"
 *
 * What the spec leaves out becomes 0 (the default). On MN_ERROR_SPEC, `*at`
 * is the offset of the word that was not understood; `at` may be NULL.
 * Errors: ARGUMENT (a null pointer), SPEC. O(bytes). */
mn_status mn_options_parse(mn_options *options, const char *spec, size_t bytes,
                           size_t *at);

/* Writes the spec string with every default spelled out and a final NUL, such
 * as "hnsw16,f32". ARGUMENT where an option is out of range. O(1). */
mn_status mn_options_format(const mn_options *options,
                            char spec[MN_SPEC_BYTES]);

/* --- Handle --------------------------------------------------------------- */

struct mn_kernels;
struct mn_codec_ops;

/* Fields up to `options` may be read; the rest is the library's. */
typedef struct mn_index {
  uint8_t *block;     /* first byte of the block */
  size_t block_bytes; /* the block's size: what to write to save it */
  mn_options options; /* defaults filled in, `auto` resolved */
  uint32_t capacity;  /* vectors that fit */
  uint8_t is_auto;    /* the structure was chosen by MN_AUTO */
  uint8_t writable;

  const struct mn_kernels *kernels;
  const struct mn_codec_ops *codec;
  struct mn_state *state;
  uint64_t *keys;    /* by slot */
  uint32_t *key_map; /* hash table of slot + 1 */
  uint8_t *codes;    /* by slot, code_bytes each */
  uint32_t code_bytes;
  uint8_t *model;  /* what training found */
  uint32_t *links; /* hnsw, level 0, by slot */
  uint32_t *upper; /* hnsw, levels 1 and up */
} mn_index;

/* --- Sizes ---------------------------------------------------------------- */

/* Bytes taken from an arena, exactly; all are multiples of MN_ALIGNMENT. */
typedef struct mn_sizes {
  size_t block_bytes;          /* mn_index_create, or a resize to `capacity` */
  size_t code_bytes;           /* of one encoded vector, not rounded */
  size_t append_scratch_bytes; /* mn_index_append */
  size_t link_scratch_bytes;   /* mn_index_link */
  size_t add_scratch_bytes;    /* mn_index_add: the larger of the two */
  size_t train_scratch_bytes;  /* mn_index_train */
  size_t search_scratch_bytes; /* mn_index_search with the given k and ef */
} mn_sizes;

/* What an index of `capacity` vectors takes, and a search for `k` with `ef`
 * (as in mn_query) in it. Host sections come on top of block_bytes. O(1).
 * MN_ERROR_ARGUMENT when an option, the capacity (1 to MN_CAPACITY_MAX), k or
 * ef is out of range; MN_ERROR_TOO_LARGE when size_t cannot hold the answer. */
mn_status mn_plan(const mn_options *options, uint32_t capacity, uint32_t k,
                  uint32_t ef, mn_sizes *sizes);

/* --- Life ----------------------------------------------------------------- */

/* An empty index with room for `capacity` vectors, in a block of exactly
 * mn_plan's block_bytes taken from `arena`. O(block_bytes): it is cleared.
 * Errors: ARGUMENT (an option or the capacity is out of range), ARENA,
 * TOO_LARGE. */
mn_status mn_index_create(mn_index *index, const mn_options *options,
                          uint32_t capacity, mn_arena *arena);

/* Opens a block where it lies: flash, a mapped file, a byte array. Nothing is
 * copied, and the bytes are not written to. `bytes` may exceed the block.
 * Nothing in the block is trusted: header, table and bounds are checked here,
 * every number that is followed later is checked then, so that no block,
 * however hostile, leads outside itself. Contents that are damaged but within
 * bounds give wrong answers; mn_index_verify finds them. O(1).
 * Errors: ARGUMENT, ALIGNMENT, NOT_MINNOW, VERSION, TRUNCATED, CORRUPT. */
mn_status mn_index_open(mn_index *index, const void *block, size_t bytes);

/* The same, for a block that may be changed. */
mn_status mn_index_open_writable(mn_index *index, void *block, size_t bytes);

/* Computes the section checksums, so that the block can be verified after it
 * was stored. Any later change unseals it. O(block_bytes). READ_ONLY. */
mn_status mn_index_seal(mn_index *index);

/* Checks all that opening does not: the checksums, when the block is sealed;
 * that every key is found at its slot, every link leads to a linked vector,
 * no stored number makes a sum overflow, unused room is 0. MN_ERROR_CORRUPT
 * otherwise. O(block_bytes). */
mn_status mn_index_verify(const mn_index *index);

/* Changes the capacity, up or down to no less than the number of vectors. A
 * block that is the last thing in `arena` is changed in place; otherwise a new
 * one is taken from `arena` and the old one is left as it was. The handle
 * points at the result. Where MN_AUTO now prefers a graph, it is added with no
 * vector linked yet (see mn_index_link). Unseals. O(block_bytes).
 * Errors: CAPACITY (fewer than there are vectors), ARENA, READ_ONLY (only in
 * place), TOO_LARGE. */
mn_status mn_index_resize(mn_index *index, uint32_t capacity, mn_arena *arena);

/* --- Change --------------------------------------------------------------- */

/* A view of `count` rows. */
typedef struct mn_vectors {
  const float *data; /* count * dimensions floats, row-major */
  uint32_t count;
  uint32_t dimensions;
} mn_vectors;

/* Learns what the encoding needs from a sample: for sq8 each dimension's
 * range, from at least 1 vector, and NOT_FINITE also where a vector with the
 * largest value of every dimension would not be accepted. f32, f16 and bf16
 * need none. Once only, and before the first add. O(count d).
 * Errors: ARGUMENT, DIMENSIONS, NOT_FINITE, ZERO_VECTOR, SAMPLE (too few),
 * TRAINED (already, or never needed), READ_ONLY, ARENA. */
mn_status mn_index_train(mn_index *index, const mn_vectors *sample,
                         mn_arena *scratch);

/* Adds vectors under `keys`, one per row; NULL numbers them on from the
 * vectors already there (0, 1, 2, … in a new index; DUPLICATE_KEY where such
 * a number was given as a key before). All rows go in or none.
 * It is append, then link until none is left.
 * Errors: DIMENSIONS, NOT_FINITE, ZERO_VECTOR, RANGE, DUPLICATE_KEY, CAPACITY,
 * UNTRAINED, READ_ONLY, ARENA. `*bad_row`, where the error is one row's fault,
 * is that row; bad_row may be NULL. */
mn_status mn_index_add(mn_index *index, const uint64_t *keys,
                       const mn_vectors *vectors, uint32_t *bad_row,
                       mn_arena *scratch);

/* The first half of add: checks and stores the rows. They can be found at
 * once, by a scan of the vectors that are not linked yet. Errors as for add.
 * O(count d). */
mn_status mn_index_append(mn_index *index, const uint64_t *keys,
                          const mn_vectors *vectors, uint32_t *bad_row,
                          mn_arena *scratch);

/* The second half: links up to `limit` more vectors into the graph, in slot
 * order, and says how many are left to link. A host calls it in steps to show
 * progress or to stop; the result does not depend on the steps. Each vector
 * takes about ef_construction times 5 to 10 distances. A flat index has
 * nothing to link. Errors: ARGUMENT, READ_ONLY, ARENA. */
mn_status mn_index_link(mn_index *index, uint32_t limit, uint32_t *left,
                        mn_arena *scratch);

/* --- Search --------------------------------------------------------------- */

/* What a search did. */
typedef struct mn_stats {
  uint64_t distances; /* computed, each touching code_bytes */
  uint32_t hops;      /* graph: vectors whose links were followed */
  uint32_t exact;     /* 1: every vector was looked at, so the hits are the
                         true nearest as far as the encoding can tell */
} mn_stats;

typedef struct mn_query {
  const float *vector;
  uint32_t dimensions;    /* must be the index's */
  uint32_t k;             /* hits wanted, 1 to MN_EF_MAX */
  uint32_t ef;            /* graph: candidates kept, up to MN_EF_MAX; more finds
                             more and takes longer; raised to k where smaller;
                             0: MN_EF_DEFAULT */
  const uint32_t *filter; /* NULL, or a bit for each slot, slot i in bit i % 32
                             of word i / 32, (count + 31) / 32 words: only
                             vectors whose bit is 1 are hits. They are scanned,
                             so a filtered search is exact. */
  mn_stats *stats;        /* NULL, or where to write what was done */
} mn_query;

typedef struct mn_hit {
  uint64_t key;
  float distance;
  uint32_t slot; /* position in the block, for hosts that keep columns */
} mn_hit;

/* The min(k, number of vectors that the filter lets through) nearest, into
 * `hits`, which has room for k, and their number into `*count`. k means k:
 * where a graph walk ends with fewer, the whole index is scanned instead.
 * flat: O(n d); hnsw: about O(ef log n) distances.
 * Errors: ARGUMENT, DIMENSIONS, NOT_FINITE, ZERO_VECTOR, ARENA. */
mn_status mn_index_search(const mn_index *index, const mn_query *query,
                          mn_hit *hits, uint32_t *count, mn_arena *scratch);

/* The slot of a key. O(1). Errors: ARGUMENT, UNKNOWN_KEY. */
mn_status mn_index_find(const mn_index *index, uint64_t key, uint32_t *slot);

/* The stored vector of a key, decoded: what the encoding kept of it, and
 * normalised under cosine. `vector` has room for `dimensions`. O(d).
 * Errors: ARGUMENT, UNKNOWN_KEY, DIMENSIONS. */
mn_status mn_index_reconstruct(const mn_index *index, uint64_t key,
                               float *vector, uint32_t dimensions);

/* --- Report --------------------------------------------------------------- */

typedef struct mn_info {
  mn_options options; /* as in the handle */
  uint32_t is_auto;   /* structure chosen by MN_AUTO */
  uint32_t capacity;
  uint32_t count;   /* vectors */
  uint32_t linked;  /* of them, in the graph; flat: all */
  uint32_t trained; /* 1: ready for adds */
  uint32_t sealed;  /* 1: the section checksums hold */
  uint64_t clipped; /* vectors that lost more than half a step to an
                       encoding's range */
  uint64_t block_bytes;
  uint64_t code_bytes; /* of one vector */
  uint32_t format_major, format_minor;
} mn_info;

/* O(1); cannot fail on an index that was opened or created. */
mn_info mn_index_info(const mn_index *index);

/* --- Host sections -------------------------------------------------------- */

/* A host may keep its own bytes in the block (keys' names, documents, which
 * model made the vectors): they are saved, checked and moved with it. A
 * section is named by four characters of which the first is a lower-case
 * letter; upper-case names are the library's. */
#define MN_SECTION(a, b, c, d)                                                 \
  ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 |                  \
   (uint32_t)(d) << 24)

/* Stores a copy of `data` under `name`, replacing what was there; 0 bytes
 * remove it. The block must be the last thing in `arena` and grows or shrinks
 * in place. `data` may not overlap the block, but may lie in the arena's free
 * room behind it. Unseals. O(bytes).
 * Errors: SECTION (not a host's name, nothing to remove, or one too many),
 * ARGUMENT (the block is not last, or data overlaps it), ARENA, READ_ONLY. */
mn_status mn_index_attach(mn_index *index, uint32_t name, const void *data,
                          size_t bytes, mn_arena *arena);

/* Where a section lies, core or host. MN_ERROR_SECTION where there is none.
 * The pointer holds until the next resize or attach. O(1). */
mn_status mn_index_section(const mn_index *index, uint32_t name,
                           const void **data, size_t *bytes);

/* --- Instruction sets ----------------------------------------------------- */

/* Answers do not depend on these; speed does. */
#define MN_CPU_AVX2 1u /* x86: AVX2 and F16C */
#define MN_CPU_ALL  0xffffffffu

/* What this machine offers: on x86 asked of the processor, which takes up to
 * some 50 microseconds under a hypervisor; 0 elsewhere, where a build has one
 * set of kernels. */
uint32_t mn_cpu_features(void);

/* Uses only kernels that need nothing but `features`. Opening and creating
 * already choose by mn_cpu_features(). */
void mn_index_use_features(mn_index *index, uint32_t features);

#ifdef __cplusplus
}
#endif
#endif
