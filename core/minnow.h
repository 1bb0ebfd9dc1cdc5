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
 *           except `mn_index_create`, `mn_index_open*`, `mn_index_resize`,
 *           `mn_index_attach`, `mn_index_pack` and `mn_index_thaw`, whose
 *           handle points at the block. `mn_plan` and the other plans say
 *           beforehand how many bytes an operation takes: exactly, and the
 *           same on every target.
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
#define MN_FORMAT_MAJOR  3
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
/* Where a walk ends by the distances that it meets, see mn_query; and by how
 * many times ef it may then keep more where a query is hard. */
#define MN_GAMMA_DEFAULT 0.1f
#define MN_GAMMA_MAX     16.0f
#define MN_GAMMA_RANK    10u
#define MN_GAMMA_LEAST   64u
#define MN_EF_STRETCH    4u
/* Candidates that are refined, as a multiple of k, where a query says nothing.
 */
#define MN_REFINE_K_DEFAULT 10.0f
/* Bounds of pq and prq: bits of one code, and residual stages. */
#define MN_PQ_BITS_MAX 12u
#define MN_PQ_NRQ_MAX  16u
/* Alignment, in bytes, of everything an arena hands out and of every section
 * in a block. A block that is opened in place needs only MN_OPEN_ALIGNMENT. */
#define MN_ALIGNMENT      64u
#define MN_OPEN_ALIGNMENT 8u
/* Bytes that hold any spec string with its final NUL. */
#define MN_SPEC_BYTES 80u
/* A vector's squared norm may not exceed 2^125, so that no distance between
 * two accepted vectors overflows. */
#define MN_NORM2_MAX 4.2535295865117308e37f
/* Vectors that are linked into a graph together. */
#define MN_LINK_BATCH 64u
/* Lists of an inverted file. */
#define MN_NLIST_MAX 65536u
/* Sections that a host may attach to one block. */
#define MN_HOST_SECTIONS_MAX 8u

/* --- Small builds --------------------------------------------------------- */

/* The linker drops functions that are not called (-ffunction-sections,
 * --gc-sections), but not what a block may need. These macros, defined for the
 * core's sources and for those that include this header, say what no block
 * will:
 *
 *   MN_ONLY_SEARCH    nothing makes an index, changes or verifies it, and
 *                     MN_NO_TRAIN. Not to be linked: mn_index_append, _add,
 *                     _delete, _update, _upsert, _repair, _link, _batch,
 *                     _propose, _commit, _resize, _pack, _thaw, _merge,
 *                     _merge_step, _tune, _audit, _set_tuned, _verify,
 *                     _encode, _between, mn_plan_pack, mn_plan_thaw,
 *                     mn_plan_merge, mn_plan_tune, mn_plan_audit
 *   MN_NO_DECODE      goes with MN_ONLY_SEARCH: no vector is taken from its
 *                     code. Not to be linked: mn_index_reconstruct, _decode,
 *                     _search_like
 *   MN_NO_TRAIN       vectors can be added to a block that was trained
 *                     elsewhere. Not to be linked: mn_index_train,
 *                     mn_plan_training
 *   MN_NO_IVF         no MN_IVF
 *   MN_NO_GRAPH       no MN_HNSW; MN_AUTO wants it from MN_AUTO_HNSW_CAPACITY
 *   MN_NO_FLOATS      no MN_F32, MN_F16, MN_BF16
 *   MN_NO_SQ          no MN_SQ8, MN_SQ6, MN_SQ4
 *   MN_NO_SIGN        no MN_SIGN
 *   MN_NO_BITS        no MN_BITS1 to MN_BITS8
 *   MN_NO_PQ          no MN_PQ, MN_PRQ
 *   MN_NO_TRANSFORMS  no transform (bits1 to bits8 rotate all the same)
 *   MN_NO_FILTERS     goes with MN_ONLY_SEARCH: no filter, ranges, without and
 *                     match in a query, and no block from which vectors were
 *                     deleted (unless it is packed)
 *   MN_NO_FETCH       no fetch in a query. Not to be linked: mn_index_rank,
 *                     _tune, _audit
 *   MN_NO_STRINGS     mn_status_name gives "" always
 *   MN_SMALL_CODE     all is there, in less code, but slower; without the
 *                     kernels for the DSP instructions of a Cortex-M4 or M7
 *   MN_WITH_DSP       goes with MN_SMALL_CODE: with these kernels all the same
 *
 * What is asked for and left out, be it by options, by a query or by a block
 * that is opened, is MN_ERROR_UNSUPPORTED. All else is as in a full build, bit
 * for bit.
 */

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
  MN_ERROR_RANGE = -6,         /* a component that f16 cannot hold, or a vector
                                  so far from the sample that its corrections
                                  would overflow (bits) */
  MN_ERROR_DUPLICATE_KEY = -7, /* in the index already, or twice in a call */
  MN_ERROR_UNKNOWN_KEY = -8,   /* not in the index */
  MN_ERROR_CAPACITY = -9,      /* index full: mn_index_resize makes room */
  MN_ERROR_ARENA = -10,        /* arena full: mn_plan says what is needed */
  MN_ERROR_READ_ONLY = -11,    /* opened with mn_index_open, or packed */
  MN_ERROR_UNTRAINED = -12,    /* the encoding needs mn_index_train first */
  MN_ERROR_TRAINED = -13,      /* trained already, or needs no training */
  MN_ERROR_SAMPLE = -14,       /* too few vectors to train on: see
                                  mn_plan_training */
  MN_ERROR_ALIGNMENT = -15,    /* the block's address is not a multiple of 8 */
  MN_ERROR_NOT_MINNOW = -16,   /* the bytes do not begin as a block does */
  MN_ERROR_VERSION = -17,      /* a format this library does not read */
  MN_ERROR_TRUNCATED = -18,    /* fewer bytes than the block says it has */
  MN_ERROR_CORRUPT = -19,      /* a checksum, bound or invariant fails */
  MN_ERROR_TOO_LARGE = -20,    /* the block would not fit in size_t */
  MN_ERROR_SECTION = -21,      /* no such section, reserved name, or too many */
  MN_ERROR_UNSUPPORTED = -22,  /* needs what this build leaves out */
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
 *   MN_L2       the sum of (x_i - y_i)^2: squared, no root is taken
 *   MN_IP       minus the inner product
 *   MN_COSINE   1 minus the cosine of their angle, from 0 to 2; vectors are
 *               normalised as they are added and searched for
 * and, where a component means the bit 1 if it is above 0, for MN_SIGN only,
 *   MN_HAMMING  the number of bits that differ
 *   MN_JACCARD  1 minus (bits set in both) / (bits set in either), from 0 to
 *               1; 0 where neither has a bit set. */
typedef enum mn_metric {
  MN_L2 = 1,
  MN_IP = 2,
  MN_COSINE = 3,
  MN_HAMMING = 4,
  MN_JACCARD = 5
} mn_metric;

/* What is done to vectors before they are encoded: a linear map, trained or
 * not. Under cosine its result is normalised again. Hits' distances are those
 * of the mapped vectors, unless they are refined.
 *   MN_HADAMARD  a seeded random rotation by sign flips and fast Walsh-Hadamard
 *                rounds, for any dimensions; O(d log d); no training
 *   MN_FIRST     keeps the first N components, for embeddings trained so
 *                (Matryoshka, arXiv 2205.13147); no training
 *   MN_PCA       rotates to the principal axes of the sample and keeps the
 *                strongest N; O(d N)
 *   MN_OPQ       a rotation learnt together with the codebooks of MN_PQ or
 *                MN_PRQ (Ge et al., CVPR 2013, non-parametric); O(d^2) */
typedef enum mn_transform {
  MN_NO_TRANSFORM = 0,
  MN_HADAMARD = 1,
  MN_FIRST = 2,
  MN_PCA = 3,
  MN_OPQ = 4
} mn_transform;

/* How a vector is stored. d is the number of dimensions after the transform.
 *   MN_F32   4d bytes, as given
 *   MN_F16   2d bytes, IEEE half, round to nearest even
 *   MN_BF16  2d bytes, the upper half of a float, round to nearest even
 *   MN_SQ8   d bytes, MN_SQ6 ceil(d/2) + ceil(d/4), MN_SQ4 ceil(d/2), and 4
 *            more under l2: a trained range per dimension as 256, 64 or 16 even
 *            steps. Values outside the range are clamped to it, and vectors
 *            that lose more than half a step by that are counted in
 *            `mn_info.clipped`. Trained on 1 vector or more.
 *   MN_SIGN  ceil(d/8) bytes: a bit per component, 1 where it is above 0,
 *            component 0 in the most significant bit of byte 0 (the order of
 *            sentence-transformers' "ubinary"). For MN_HAMMING and MN_JACCARD.
 *   MN_BITS1 to MN_BITS8
 *            b bit planes, and 4 bytes (b = 1) or 8; under ip 4 more. Planes
 *            take ceil(d/8) bytes each, but the first P of bits4 and up, which
 *            are packed, ceil(P d/8) together: P is 4 below 192 dimensions, 2
 *            below 384, else 1. Centred on the mean of a sample (1 vector or
 *            more; 100 suffice), rotated as by MN_HADAMARD, put on a grid of
 *            2^b values per component whose step is chosen per vector, with
 *            correction factors that make the estimate of an inner product
 *            unbiased (RaBitQ, arXiv 2405.12497, and its extension to more
 *            bits, arXiv 2409.09913). The planes are nested: see
 *            mn_query.planes.
 *   MN_PQ    product quantization (Jegou et al., TPAMI 2011, section III):
 *            pq_m subspaces of d / pq_m components, a code of pq_bits bits for
 *            each, ceil(pq_m pq_bits / 8) bytes
 *   MN_PRQ   the same with pq_nrq codes for each subspace, each for what the
 *            one before left over, found by beam search (product residual
 *            quantization; Liu et al., arXiv 1509.05195);
 *            ceil(pq_m pq_nrq pq_bits / 8) bytes; 4 more under l2, cosine
 *
 * MN_PQ and MN_PRQ are trained by k-means on 2^pq_bits vectors or more. With
 * pq_correction vectors are centred on the mean of the sample, and 4 bytes
 * behind the packed codes give back to each the length that its code lost; more
 * neighbours are then found under every metric.
 *
 * All but the first three and MN_SIGN estimate distances. An estimate of a
 * small one may come out below 0, by MN_BITS1 far below. Components of 2^-100
 * and less count as 0 where a query is rounded to integers. */
typedef enum mn_encoding {
  MN_F32 = 1,
  MN_F16 = 2,
  MN_BF16 = 3,
  MN_SQ8 = 4,
  MN_SQ6 = 5,
  MN_SQ4 = 6,
  MN_SIGN = 7,
  MN_PQ = 8,
  MN_PRQ = 9,
  MN_BITS1 = 17,
  MN_BITS2 = 18,
  MN_BITS3 = 19,
  MN_BITS4 = 20,
  MN_BITS5 = 21,
  MN_BITS6 = 22,
  MN_BITS7 = 23,
  MN_BITS8 = 24
} mn_encoding;

/* How vectors are found.
 *   MN_AUTO  flat while the capacity is below MN_AUTO_HNSW_CAPACITY, hnsw from
 *            there on; re-decided by mn_index_resize
 *   MN_FLAT  every vector is looked at: exact for the encoding, but for the
 *            sieve that mn_query.planes describes; O(n d)
 *   MN_HNSW  a navigable small world graph (Malkov and Yashunin, arXiv
 *            1603.09320; Algorithms 1, 2 and 4), without upper levels: a walk
 *            begins at the nearest of up to 64 entries. Approximate, with
 *            recall traded for time by `ef`
 *   MN_IVF   an inverted file (Jegou et al., TPAMI 2011, section IV): `nlist`
 *            lists, a vector in that of the centroid nearest to it; a search
 *            scans the `nprobe` lists whose centroids are nearest to the query.
 *            Centroids are trained, by k-means that evens out the lists, on the
 *            transformed vectors. Approximate, and exact where nprobe is nlist.
 *            It compares more than a graph does, but reads vectors that lie
 *            side by side once the index is packed: fewer pages of a file */
typedef enum mn_structure {
  MN_AUTO = 0,
  MN_FLAT = 1,
  MN_HNSW = 2,
  MN_IVF = 3
} mn_structure;

/* Below this many vectors a flat scan was measured to be as fast as a graph
 * walk of equal recall (core/DESIGN.md says how). */
#define MN_AUTO_HNSW_CAPACITY 4096u

typedef struct mn_options {
  uint32_t dimensions;      /* 1 to MN_DIMENSIONS_MAX; no default */
  mn_metric metric;         /* no default */
  mn_structure structure;   /* 0: MN_AUTO */
  mn_transform transform;   /* 0: none */
  uint32_t kept_dimensions; /* MN_FIRST, MN_PCA: 1 to dimensions; else 0 */
  mn_encoding encoding;     /* 0: MN_F32; under hamming and jaccard MN_SIGN */
  uint32_t pq_m;            /* MN_PQ, MN_PRQ: subspaces, a divisor of the
                               dimensions; else 0 */
  uint32_t pq_bits;         /* bits of a code: 4 or 8 for MN_PQ, 1 to
                               MN_PQ_BITS_MAX for MN_PRQ; 0: 8 */
  uint32_t pq_nrq;          /* MN_PRQ: codes per subspace, 1 to MN_PQ_NRQ_MAX;
                               0: 2; MN_PQ: 0 or 1 */
  uint32_t pq_correction;   /* 1: with a correction per vector */
  mn_encoding refine;       /* 0: none; or a second, better encoding of the
                               vectors as they were before the transform, by
                               which candidates are ranked again: not MN_SIGN,
                               MN_PQ or MN_PRQ */
  uint32_t m;               /* hnsw: links that a vector begins with; there is
                               room for twice as many; MN_M_MIN to MN_M_MAX;
                               0: 16 */
  uint32_t ef_construction; /* hnsw: candidates kept while linking; m to
                               MN_EF_MAX; 0: 100 */
  uint32_t nlist; /* ivf: lists, 1 to MN_NLIST_MAX; 0: 4 times the root
                     of the capacity, at most an eighth of it; else
                     0 */
  uint64_t seed;  /* of all pseudo-random choices; 0 is a seed too */
} mn_options;

/* Reads a spec string of `bytes` bytes into the options, leaving dimensions,
 * metric, ef_construction and seed alone:
 *
 *     spec      = word { "," word }, of each kind at most one, in this order:
 *     structure = "auto" | "flat" | "hnsw" [ M ] | "ivf" [ NLIST ]
 *     transform = "hadamard" | "first" N | "pca" N | "opq"
 *     encoding  = "f32" | "f16" | "bf16" | "sq8" | "sq6" | "sq4" | "sign"
 *               | "bits" B | "pq" M "x" BITS [ "+c" ]
 *               | "prq" M "x" BITS "x" NRQ [ "+c" ]
 *     refine    = "refine=" encoding
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

/* Chooses everything but dimensions, metric, ef_construction and seed, which
 * stay, so that an index of `count` vectors (0: not known yet), once packed,
 * takes no more than `budget_bytes` (0: no bound), host sections aside; of what
 * fits, the one with the best recall. It may have to be trained.
 * is_paged is 1 where the packed block will be read by pages, from a file, from
 * flash or over a network, and not be kept in memory; then what counts is the
 * pages that a query reads, not the distances that it computes. A large index
 * becomes inverted lists, whose centroids alone, a sixteenth of the block at
 * the most, all queries read; others stay what they would be. Hamming and
 * jaccard were not measured: a graph. The rules and what they were measured by
 * stand in core/DESIGN.md. Errors: ARGUMENT (dimensions or metric out of range,
 * a budget or is_paged without a count), CAPACITY (nothing fits). O(1). */
mn_status mn_options_choose(mn_options *options, uint32_t count,
                            uint64_t budget_bytes, uint32_t is_paged);

/* --- Handle --------------------------------------------------------------- */

struct mn_kernels;
struct mn_codec_ops;
struct mn_transform_ops;

/* The library's own; here because the handle contains it. */
typedef struct mn_codec {
  const struct mn_codec_ops *ops;
  const struct mn_kernels *kernels;
  mn_metric metric;
  mn_encoding encoding;
  uint32_t dimensions; /* of what is encoded */
  uint32_t pq_m, pq_bits, pq_nrq, pq_correction;
  uint32_t code_bytes; /* the part of a code that is always read */
  uint32_t rest_bytes; /* and the rest */
  uint64_t seed;
  uint8_t *model; /* what training found */
} mn_codec;

/* Fields up to `writable` may be read; the rest is the library's. */
typedef struct mn_index {
  uint8_t *block;     /* first byte of the block */
  size_t block_bytes; /* the block's size: what to write to save it */
  mn_options options; /* defaults filled in, `auto` resolved */
  uint32_t capacity;  /* vectors that fit */
  uint8_t is_auto;    /* 1: the structure was chosen by MN_AUTO; 2: and
                         nothing else was named */
  uint8_t is_packed;  /* see mn_index_pack */
  uint8_t writable;

  const struct mn_transform_ops *transform; /* NULL: none */
  mn_codec codec;                           /* of the encoding */
  mn_codec fine;                            /* of refine; ops NULL: none */
  struct mn_state *state;
  uint32_t *live;      /* a bit by slot: there is a vector; NULL: packed */
  uint64_t *keys;      /* by slot */
  uint32_t *key_map;   /* hash table of slot + 1 */
  uint8_t *codes;      /* by slot, codec.code_bytes each */
  uint8_t *rests;      /* by slot, codec.rest_bytes each */
  uint8_t *fine_codes; /* the same of refine */
  uint8_t *fine_rests;
  uint8_t *model;     /* of the transform; the codecs' follow */
  uint8_t *links;     /* hnsw: lists of links, by slot */
  uint32_t *entries;  /* hnsw: slots where a walk may begin */
  uint8_t *centroids; /* ivf: part of the model */
  uint32_t *lists;    /* ivf: which vectors are in which list */
} mn_index;

/* --- Sizes ---------------------------------------------------------------- */

/* Bytes taken from an arena, exactly; all are multiples of MN_ALIGNMENT. */
typedef struct mn_sizes {
  size_t block_bytes;           /* mn_index_create, or a resize to `capacity` */
  size_t code_bytes;            /* of one encoded vector, not rounded */
  size_t refine_bytes;          /* of its refine code, not rounded */
  size_t append_scratch_bytes;  /* mn_index_append */
  size_t link_scratch_bytes;    /* mn_index_link */
  size_t proposals_bytes;       /* of one batch, see mn_index_propose */
  size_t propose_scratch_bytes; /* mn_index_propose */
  size_t commit_scratch_bytes;  /* mn_index_commit */
  size_t add_scratch_bytes;     /* mn_index_add: the larger of the two */
  size_t search_scratch_bytes;  /* mn_index_search with the given query, and
                                   mn_index_search_many; of an index that is
                                   tuned, these and all searches': see
                                   mn_plan_search */
  size_t rank_scratch_bytes;    /* mn_index_rank of its k hits */
  size_t vector_scratch_bytes;  /* mn_index_encode, _decode, _reconstruct,
                                   _compare, _between, _distance_table: enough
                                   for any of them */
  size_t update_scratch_bytes;  /* mn_index_update, mn_index_upsert */
  size_t like_scratch_bytes;    /* mn_index_search_like; 0 where k is
                                   MN_EF_MAX, which is one too many for it */
  size_t within_scratch_bytes;  /* mn_index_within, of up to k hits */
  size_t diversify_scratch_bytes; /* mn_index_diversify, of k hits */
  size_t repair_scratch_bytes;    /* mn_index_repair */
} mn_sizes;

struct mn_query;

/* What an index of `capacity` vectors takes, and a search in it; of the query,
 * only k, ef, gamma, planes, refine_planes, refine_k, plan, and whether there
 * are `fetch` and keys in `without` matter. Host sections come on top of
 * block_bytes. O(1).
 * MN_ERROR_ARGUMENT when an option, the capacity (1 to MN_CAPACITY_MAX) or one
 * of those is out of range; MN_ERROR_TOO_LARGE when size_t cannot hold the
 * answer; MN_ERROR_UNSUPPORTED. */
mn_status mn_plan(const mn_options *options, uint32_t capacity,
                  const struct mn_query *query, mn_sizes *sizes);

/* mn_plan for searches in this index: ef, gamma and refine_k of 0 are what it
 * is tuned to (see mn_index_tune), which may take more scratch than the
 * defaults. */
mn_status mn_plan_search(const mn_index *index, const struct mn_query *query,
                         mn_sizes *sizes);

typedef struct mn_training {
  uint32_t least;       /* vectors that training cannot do without; 0: there is
                           nothing to train */
  uint32_t enough;      /* more were not measured to improve recall */
  size_t scratch_bytes; /* mn_index_train with `count` vectors */
} mn_training;

/* What training wants and takes. Errors: ARGUMENT (an option, or a null
 * pointer; ivf: nlist is 0, as the capacity is not known here: a created
 * index's options say it), TOO_LARGE. O(1). */
mn_status mn_plan_training(const mn_options *options, uint32_t count,
                           mn_training *training);

/* --- Life ----------------------------------------------------------------- */

/* An empty index with room for `capacity` vectors, in a block of exactly
 * mn_plan's block_bytes taken from `arena`. O(block_bytes): it is cleared.
 * Errors: ARGUMENT (an option or the capacity is out of range), ARENA,
 * TOO_LARGE, UNSUPPORTED. */
mn_status mn_index_create(mn_index *index, const mn_options *options,
                          uint32_t capacity, mn_arena *arena);

/* Opens a block where it lies: flash, a mapped file, a byte array. Nothing is
 * copied, and the bytes are not written to. `block` must be a multiple of
 * MN_OPEN_ALIGNMENT (ALIGNMENT otherwise, before anything is read). `bytes` may
 * exceed the block, as those of a flash partition do: what follows is not read.
 * Nothing in the block is trusted: header, table and bounds are checked here,
 * every number that is followed later is checked then, so that no block,
 * however hostile, leads outside itself. Contents that are damaged but within
 * bounds give wrong answers; mn_index_verify finds them. O(1).
 * Errors: ARGUMENT, ALIGNMENT, NOT_MINNOW, VERSION, TRUNCATED, CORRUPT,
 * UNSUPPORTED. */
mn_status mn_index_open(mn_index *index, const void *block, size_t bytes);

/* The same, for a block that may be changed. */
mn_status mn_index_open_writable(mn_index *index, void *block, size_t bytes);

/* Computes the section checksums, so that the block can be verified after it
 * was stored. Any later change unseals it. O(block_bytes). READ_ONLY. */
mn_status mn_index_seal(mn_index *index);

/* Checks all that opening does not: the checksums, when the block is sealed;
 * that every key is found at its slot, every link leads to a linked vector,
 * no stored number makes a sum overflow, unused room is 0. MN_ERROR_CORRUPT
 * otherwise. O(block_bytes), and for pca and opq the bytes of their axes times
 * their number. */
mn_status mn_index_verify(const mn_index *index);

/* Changes the capacity, up or down to no less than the number of slots in use
 * (mn_info.slots). A
 * block that is the last thing in `arena` is changed in place; otherwise a new
 * one is taken from `arena` and the old one is left as it was. The handle
 * points at the result. Where MN_AUTO now prefers a graph, it is added with no
 * vector linked yet (see mn_index_link). Unseals. O(block_bytes).
 * Errors: CAPACITY (fewer than there are slots in use), ARENA, READ_ONLY
 * (packed; or opened to be read, in place), TOO_LARGE. */
mn_status mn_index_resize(mn_index *index, uint32_t capacity, mn_arena *arena);

/* --- Change --------------------------------------------------------------- */

/* A view of `count` rows. */
typedef struct mn_vectors {
  const float *data; /* count * dimensions floats, row-major */
  uint32_t count;
  uint32_t dimensions;
} mn_vectors;

/* Learns from a sample what transform, lists, encoding and refine need:
 * principal axes, centroids, ranges, means, codebooks. f32, f16, bf16 and sign
 * need nothing where there are no lists. Once only,
 * and before the first add. mn_plan_training says how many vectors it wants,
 * and its scratch.
 * sq8, sq6, sq4, bits: O(count d); pca: O(count d^2 + d^3); pq, prq: 25
 * iterations of k-means, O(count d 2^pq_bits) each; opq: several times that;
 * ivf: 8 times O(count d nlist).
 * Errors: ARGUMENT, DIMENSIONS, NOT_FINITE (also where a vector with the
 * largest value of every dimension would not be accepted), ZERO_VECTOR, SAMPLE
 * (fewer than mn_training.least), TRAINED (already, or never needed),
 * READ_ONLY, ARENA. */
mn_status mn_index_train(mn_index *index, const mn_vectors *sample,
                         mn_arena *scratch);

/* Takes over what another index with the same options has learnt, or what was
 * made elsewhere: the bytes of its section MODL, whose layout FORMAT.md gives.
 * Errors: ARGUMENT (not as many bytes as the section has), TRAINED, READ_ONLY,
 * NOT_FINITE (numbers that make sums overflow, or axes of pca or opq whose
 * products with one another differ by 2^-10 or more from those of orthonormal
 * ones). O(bytes); pca and opq: that times the kept dimensions. */
mn_status mn_index_set_model(mn_index *index, const void *model, size_t bytes);

/* Adds vectors under `keys`, one per row; NULL numbers them on from how many
 * vectors there ever were, deleted and updated ones included (0, 1, 2, … in a
 * new index; DUPLICATE_KEY where such a number was given as a key before). All
 * rows go in or none. Slots that were freed are taken first, the latest freed
 * one before the others; then new ones.
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

/* The second half: links more vectors into the graph, in slot order and in
 * whole batches of MN_LINK_BATCH, until `limit` or more are linked, and says
 * how many could still be. The last vectors, fewer than a batch, wait for more
 * to come and are scanned by every search meanwhile; so the block depends on
 * the vectors and their order, not on how they were divided among calls. A host
 * calls it in steps to show progress or to stop. Each vector takes about
 * ef_construction times 5 to 10 distances. A flat index has nothing to link.
 * Errors: ARGUMENT, READ_ONLY, ARENA. */
mn_status mn_index_link(mn_index *index, uint32_t limit, uint32_t *left,
                        mn_arena *scratch);

/* What mn_index_link does, in halves, for hosts with threads (after ParlayANN's
 * batch insertion, arXiv 2305.04359, section 3, here with batches of one size
 * whose members are compared with one another):
 *
 *     while ((count = mn_index_batch(&index)) > 0) {
 *       in any threads: mn_index_propose for every i below count, each i once
 *       when all are done, in one thread: mn_index_commit
 *     }
 *
 * mn_index_propose only reads the index: no thread may change it meanwhile.
 * Every thread brings its own handle (a copy), scratch and its part of
 * `proposals`, sizes.proposals_bytes in all, aligned to MN_ALIGNMENT and shared
 * by all threads. The block is that of mn_index_link, bit for bit, however many
 * threads there are. */

/* Vectors in the next batch: MN_LINK_BATCH, or 0 where nothing is to be linked.
 * O(1). */
uint32_t mn_index_batch(const mn_index *index);

/* Finds the links of vectors `from` to `to` - 1 of the next batch and notes
 * them in `proposals`. Errors: ARGUMENT, ARENA. */
mn_status mn_index_propose(const mn_index *index, uint32_t from, uint32_t to,
                           void *proposals, mn_arena *scratch);

/* Enters a batch of which every vector was proposed for. Errors: ARGUMENT
 * (there is no batch), READ_ONLY, ARENA. */
mn_status mn_index_commit(mn_index *index, const void *proposals,
                          mn_arena *scratch);

/* --- Delete --------------------------------------------------------------- */

/* Deletes the vectors of `count` keys, all or none. No search finds them any
 * more, and every search still finds min(k, vectors). Without a graph, slots
 * are free at once, as are those of vectors that were not linked yet or equal
 * another. Any other vector in a graph stays, without its key, to be passed
 * through; mn_index_repair frees its slot. A vector keeps its slot until it is
 * deleted or updated.
 * O(count M). Errors: ARGUMENT, UNKNOWN_KEY, DUPLICATE_KEY (twice in the call),
 * READ_ONLY; `*bad_row` is the key's place, and may be NULL. */
mn_status mn_index_delete(mn_index *index, const uint64_t *keys, uint32_t count,
                          uint32_t *bad_row);

/* Replaces the vectors of keys that are all there, one per row: deletes and
 * adds, row by row, all or none, and links what can be. The new vector's slot
 * is another one where the old one stays in the graph.
 * Errors: as for mn_index_add, but UNKNOWN_KEY; DUPLICATE_KEY is a key twice in
 * the call; CAPACITY where fewer slots are free than there are keys of vectors
 * that are linked, or may be before their row comes: mn_index_repair, or
 * mn_index_resize. Every vector is encoded twice,
 * first to see whether it can be. */
mn_status mn_index_update(mn_index *index, const uint64_t *keys,
                          const mn_vectors *vectors, uint32_t *bad_row,
                          mn_arena *scratch);

/* The same, but a key that is not there is added. */
mn_status mn_index_upsert(mn_index *index, const uint64_t *keys,
                          const mn_vectors *vectors, uint32_t *bad_row,
                          mn_arena *scratch);

/* Repairs the graph after deletes and updates, in steps as small as `limit`
 * says. Every vector whose list leads to dead ones gets others in their place,
 * chosen among those that they led to (Singh et al., "FreshDiskANN", arXiv
 * 2105.09613, section 4.3); a vector to which nothing would lead any more is
 * linked again. When all lists have been gone over, which takes two passes, the
 * slots of those that were dead when it began are free. Adding, deleting and
 * searching go on between steps.
 * `limit` is how many slots are gone over at the most; `*left` says how many
 * must be until everything that is dead now is free, 0 where nothing is. A slot
 * whose list leads to no dead vector takes no distance. A deleted vector took
 * 500 to 4,000 distances in all, the fewer the more were deleted at once
 * (core/DESIGN.md).
 * Errors: ARGUMENT, READ_ONLY, ARENA. */
mn_status mn_index_repair(mn_index *index, uint32_t limit, uint32_t *left,
                          mn_arena *scratch);

/* --- Merge ---------------------------------------------------------------- */

/* What becomes of a key that is in both indexes. */
typedef enum mn_merge_policy {
  MN_MERGE_REFUSE = 0, /* nothing is merged: DUPLICATE_KEY */
  MN_MERGE_KEEP = 1,   /* the vector that is there stays */
  MN_MERGE_TAKE = 2    /* the other one takes its place */
} mn_merge_policy;

/* A merge, planned and under way. */
typedef struct mn_merging {
  mn_merge_policy policy;
  uint32_t added;          /* vectors whose keys are new */
  uint32_t conflicts;      /* keys in both */
  uint32_t replaced;       /* of them, those whose vector is taken */
  uint64_t first_conflict; /* the first of them, in slot order; where there is
                              none, 0 */
  uint32_t recoded;        /* vectors that are decoded and encoded again */
  uint32_t capacity;       /* that there must be: mn_index_resize makes room */
  uint32_t checked;        /* slots that were checked and merged so far */
  uint32_t merged;
  uint32_t left;             /* and steps still to go, of both kinds */
  size_t scratch_bytes;      /* mn_index_merge */
  size_t step_scratch_bytes; /* mn_index_merge_step */
} mn_merging;

/* What merging all vectors of `from`, which stays as it is and may be packed,
 * into another index of the same dimensions and metric amounts to. Conflicts
 * and want of room are reported, no errors. Errors: ARGUMENT (also where both
 * are one, or the metrics differ), DIMENSIONS, READ_ONLY, UNTRAINED (see
 * mn_index_set_model), CORRUPT (a key that does not lead to its vector).
 * O(vectors of `from`). */
mn_status mn_plan_merge(const mn_index *into, const mn_index *from,
                        mn_merge_policy policy, mn_merging *merging);

/* Merges all vectors of `from`, in the order of its slots, or none; then links
 * what can be linked. Where transform, encoding and refine, their options and
 * what they learnt are the same, and the seed where it matters, codes are
 * copied byte for byte; a refine encoding that only `from` has is dropped.
 * Otherwise every vector is decoded by the best that `from` has of it and
 * encoded again, which loses what both encodings lose. In mn_info.clipped and
 * error a merged vector counts with the mean of `from`, and with what the
 * second encoding loses on top; where it is decoded from a refine code, with
 * that alone.
 * `*merging` (NULL: not wanted) becomes the plan, also where the errors are
 * DUPLICATE_KEY (conflicts that are refused: mn_merging.first_conflict is one)
 * and CAPACITY (it says how much is needed). Other errors: as for
 * mn_plan_merge, what a vector that is encoded again is refused for (RANGE,
 * NOT_FINITE, ZERO_VECTOR), ARENA. As an add: O(vectors d), and the links. */
mn_status mn_index_merge(mn_index *into, const mn_index *from,
                         mn_merge_policy policy, mn_merging *merging,
                         mn_arena *scratch);

/* The same in steps, for hosts that show progress, but for the links:
 *
 *     mn_plan_merge(&into, &from, policy, &merging)
 *     while (merging.left > 0) mn_index_merge_step(…, &merging, 1000, …)
 *     mn_index_link(&into, …) until none is left
 *
 * Each looks at up to `limit` slots of `from`. All that can be refused is
 * before the first vector goes in, so up to then, while merging.merged is 0, it
 * can be given up without a trace. Neither index may be changed by others in
 * between; CORRUPT, CAPACITY or DUPLICATE_KEY halfway say that one was. Errors:
 * as for mn_index_merge. */
mn_status mn_index_merge_step(mn_index *into, const mn_index *from,
                              mn_merging *merging, uint32_t limit,
                              mn_arena *scratch);

/* --- Pack ----------------------------------------------------------------- */

/* A packed block is for search only: it has no room for more, its vectors are
 * renumbered so that near ones lie near one another, and its links are
 * compressed, to be decoded as they are walked. Keys stay. It gives the answers
 * of the live block that it was made from. Everything that changes an index but
 * seal and the host sections is refused: READ_ONLY (training: TRAINED). Slots
 * change: host columns by slot must follow (mn_index_find). */

typedef struct mn_packing {
  size_t block_bytes;   /* of the packed block, host sections included */
  size_t scratch_bytes; /* mn_index_pack, on top of that */
} mn_packing;

/* What packing this index takes; slots without a vector take nothing. Errors:
 * ARGUMENT (packed already, without a vector, or with deleted vectors that the
 * graph still passes through: mn_index_repair first), TOO_LARGE, CORRUPT
 * (vectors are not as many as the block says). O(links). */
mn_status mn_plan_pack(const mn_index *index, mn_packing *plan);

/* Writes a packed copy of the index into a new block, taken from `arena` as is
 * the scratch behind it. The index stays as it is. Order: recursive halving by
 * two far vectors; links: Elias-Fano (Vigna, "Quasi-succinct indices", WSDM
 * 2013, section 3). O(n log n) distances; as many comparisons are expected.
 * Errors: those of mn_plan_pack, and ARENA. */
mn_status mn_index_pack(const mn_index *index, mn_index *packed,
                        mn_arena *arena);

/* The bytes of the block that thawing makes, host sections included. Errors:
 * ARGUMENT (not packed), CAPACITY (fewer than there are vectors), TOO_LARGE.
 * O(1). */
mn_status mn_plan_thaw(const mn_index *packed, uint32_t capacity,
                       size_t *block_bytes);

/* Writes a live copy of a packed index, with room for `capacity` vectors, into
 * a new block from `arena`: mn_plan_thaw's bytes, and no scratch. Slots and
 * answers are those of the packed one. Errors: ARGUMENT (not packed), CAPACITY
 * (fewer than there are vectors), ARENA, TOO_LARGE. O(block_bytes). */
mn_status mn_index_thaw(const mn_index *packed, uint32_t capacity,
                        mn_index *live, mn_arena *arena);

/* --- Search --------------------------------------------------------------- */

/* How matches are found: the vectors that the conditions of a query let through
 * (see mn_query). In a flat index they are scanned, whatever is asked for.
 *   MN_PLAN_AUTO     what is estimated to take the least time; where that turns
 *                    out to be wrong, a scan ends it
 *   MN_PLAN_SCAN     compares every match: exact for the encoding, also without
 *                    any condition; O(matches d), and a look at every slot
 *   MN_PLAN_WALK     walks the graph through all vectors; only matches are
 *                    results
 *   MN_PLAN_TWO_HOP  walks the graph of the matches alone: where a link leads
 *                    to another vector, its links are followed at once (ACORN,
 *                    Patel et al., arXiv 2403.04871)
 *   MN_PLAN_POST     walks as if there were no condition, with as many
 *                    candidates as there is room for, until gamma ends it, and
 *                    drops what does not match
 *   MN_PLAN_PROBE    only of an ivf index, where it stands for every plan but a
 *                    scan: scans the lists nearest to the query */
typedef enum mn_plan_kind {
  MN_PLAN_AUTO = 0,
  MN_PLAN_SCAN = 1,
  MN_PLAN_WALK = 2,
  MN_PLAN_TWO_HOP = 3,
  MN_PLAN_POST = 4,
  MN_PLAN_PROBE = 5
} mn_plan_kind;

/* Why a search took its plan. */
typedef enum mn_plan_reason {
  MN_WHY_NO_GRAPH = 1, /* flat, or nothing is linked yet */
  MN_WHY_FORCED = 2,   /* mn_query.plan said so */
  MN_WHY_ALL = 3,      /* there is no condition */
  MN_WHY_FEW = 4,      /* comparing the matches is estimated to take least */
  MN_WHY_SPARSE = 5,   /* most links lead to no match */
  MN_WHY_DENSE = 6     /* enough do; ivf: more than a search compares */
} mn_plan_reason;

/* What a search did. */
typedef struct mn_stats {
  uint64_t distances; /* computed to find candidates; ivf: those to the
                         centroids, nlist, included */
  uint64_t bytes;     /* of codes that were read, refining included; ivf:
                         and of centroids */
  uint32_t hops;      /* graph: vectors whose links were followed */
  uint32_t probed;    /* ivf: lists that were scanned */
  uint32_t exact;     /* 1: every match was compared by `planes`, so the
                         candidates are the best as far as those can tell; 0
                         also where a sieve spared most that */
  uint32_t refined;   /* candidates that were ranked again */
  uint32_t planes;    /* bits: planes that candidates were found by; else 0 */
  uint64_t refine_bytes; /* of `bytes`, those of refining */
  mn_plan_kind plan;     /* that was taken, never MN_PLAN_AUTO */
  mn_plan_reason reason; /* for it */
  uint32_t matches;      /* vectors that may be hits: counted; with ranges or a
                            predicate, where not all were compared, estimated */
  uint32_t cut;          /* 1: mn_query.budget ended the search, and there may
                            be nearer hits, and more; mn_index_within: 2 where
                            its limit did, 3 both */
  uint32_t fell_back;    /* 1: the plan's walk found fewer than k, or (under
                            MN_PLAN_AUTO) cost as much as a scan, and the
                            matches were scanned after it */
} mn_stats;

/* Keys from `from` to `to`, both included; none where from > to. */
typedef struct mn_key_range {
  uint64_t from, to;
} mn_key_range;

/* Brings the vector of a candidate, from wherever the caller keeps it, into
 * `vector` (`dimensions` floats). What it returns other than MN_OK ends the
 * search with that status. */
typedef mn_status (*mn_fetch)(void *context, uint64_t key, uint32_t slot,
                              float *vector);

/* Fields that are 0 take their default. */
typedef struct mn_query {
  const float *vector;
  uint32_t dimensions; /* must be the index's */
  uint32_t k;          /* hits wanted, 1 to MN_EF_MAX; no default */
  uint32_t ef;         /* graph: candidates kept, up to MN_EF_MAX; more finds
                          more and takes longer; raised to k (or the number
                          to refine) where smaller; with conditions half as
                          many more are kept; 0: where gamma is 0 too, what the
                          index is tuned to, or else MN_EF_DEFAULT */
  uint32_t nprobe;     /* ivf: lists that are scanned, the nearest first; more
                          find more and take longer; as many more as k hits
                          need; 0: what the index is tuned to, or else 3 times
                          the root of nlist */
  uint32_t planes;     /* bits: how many planes of a code are read, 1, 2, 4
                          or all: precision chosen at query time. 0: for
                          bits4 and up, candidates are found by some 400 bits
                          (1 plane from 384 dimensions, 2 from 192, else 4)
                          and refined by all; else all are read.
                          A flat scan by 1 plane that is refined begins with
                          a sieve: the plane against the signs of the query
                          leaves 4 times what is to be refined, 256 at least,
                          to be compared in full. Of the 10 nearest it lost
                          .001 of sentence embeddings, none of pixels. With
                          a filter, or above 4096, there is no sieve. */
  uint32_t refine_planes; /* bits, with `planes`, without `refine`: candidates
                             are refined by this many, more than `planes`; 0:
                             they are not */
  float refine_k;         /* at least 1: up to refine_k k candidates are
                             refined, rounded up; a walk that gamma ends may
                             leave fewer; 0: what the index is tuned to, or else
                             MN_REFINE_K_DEFAULT */
  mn_fetch fetch;         /* NULL, or refine by exact distances to the vectors
                             that this brings, instead of what is stored; not
                             for MN_SIGN, which keeps all there is */
  void *fetch_context;    /* its first argument */
  const uint32_t *filter; /* NULL, or a bit for each slot, slot i in bit i % 32
                             of word i / 32, (slots + 31) / 32 words: only
                             vectors whose bit is 1 are hits. This and the
                             conditions below must all hold. */
  mn_stats *stats;        /* NULL, or where to write what was done */
  const mn_key_range *ranges; /* only keys within one of these are hits; the
                                 fewer, the faster each is asked */
  uint32_t range_count;       /* 0: any key */
  const uint64_t *without; /* keys that are no hits; those that are not in the
                              index are ignored */
  uint32_t without_count;
  /* NULL, or called for vectors that satisfy all else, possibly twice: those
   * for which it returns 0 are no hits. It must give the same answer throughout
   * a search. A scan calls it for every slot, a walk for what it meets. */
  int (*match)(void *context, uint64_t key, uint32_t slot);
  void *match_context; /* its first argument */
  mn_plan_kind plan;   /* 0: MN_PLAN_AUTO */
  /* graph: the walk ends at the first candidate that is farther than 1 + gamma
   * times the k-th nearest so far (the MN_GAMMA_RANK-th where k is smaller), by
   * the roots of the distances of hits (under MN_JACCARD by those themselves);
   * up to MN_GAMMA_MAX. Easy queries end early, hard ones go on: the same
   * recall for a fifth to a third fewer distances than by ef alone (Al-Jazzazi
   * et al., arXiv 2505.15636, section 3). Up to MN_EF_STRETCH ef candidates are
   * kept. 0: where ef is 0 too, what the index is tuned to, or else
   * MN_GAMMA_DEFAULT, and then MN_GAMMA_LEAST candidates are walked from in any
   * case; where only ef is said, that alone decides. So it does with MN_IP,
   * whose distances have no zero to measure from (there gamma must be 0), and
   * where conditions let through few. */
  float gamma;
  uint64_t budget; /* 0, or compute no more than so many distances to find
                      candidates; what was found until then is the answer,
                      fewer than k perhaps. Which vectors a scan came to
                      until then depends on their slots. */
} mn_query;

typedef struct mn_hit {
  uint64_t key;
  float distance;
  uint32_t slot; /* position in the block, for hosts that keep columns */
} mn_hit;

/* The min(k, matches) nearest matches, into `hits`, which has room for k, and
 * their number into `*count`. k means k: where a walk ends with fewer, the
 * matches are scanned instead, unless the budget is spent.
 * flat: O(n d); hnsw: about O(ef log n) distances, with conditions see
 * mn_plan_kind.
 * Candidates are found by the encoding; where there is a refine encoding, more
 * planes than were read, or `fetch`, up to refine_k k of them, the best, are
 * ranked again by that, and the distances of the hits are its.
 * Errors: ARGUMENT (also a list that is missing, or an unknown plan),
 * DIMENSIONS, NOT_FINITE, ZERO_VECTOR, ARENA, and what `fetch` returns. */
mn_status mn_index_search(const mn_index *index, const mn_query *query,
                          mn_hit *hits, uint32_t *count, mn_arena *scratch);

/* Searches for each row of `vectors` by the other fields of `query`, whose own
 * vector and dimensions are not read: conditions are worked out once. Hits of
 * row i begin at hits[i * k], and there are counts[i] of them. The stats are of
 * all together, `exact` where all were, plan, reason and matches those of the
 * last. The budget is each row's. Errors as for mn_index_search; where it is
 * one that `fetch` returns, hits and counts may be written in part. */
mn_status mn_index_search_many(const mn_index *index, const mn_vectors *vectors,
                               const mn_query *query, mn_hit *hits,
                               uint32_t *counts, mn_arena *scratch);

/* Searches by the stored vector of a key ("more like this"), as
 * mn_index_reconstruct gives it; that key itself is no hit. The query's vector
 * and dimensions are not read; k is at most MN_EF_MAX - 1. Errors: UNKNOWN_KEY,
 * and as for mn_index_search. */
mn_status mn_index_search_like(const mn_index *index, uint64_t key,
                               const mn_query *query, mn_hit *hits,
                               uint32_t *count, mn_arena *scratch);

/* All matches at a distance of `radius` or less, at most query->k, for which
 * `hits` has room; more of it may be written than `*count` says. It searches
 * for 16, then for 8 times as many, and so on until a hit lies outside; so it
 * finds what a search for as many finds. Where there may be more than k,
 * stats.cut says so. Distances are those that hits have: squared under l2. The
 * stats are of all steps together, and so is the budget.
 * Errors: ARGUMENT (also a radius that is not a number), and as for
 * mn_index_search; where it is one that `fetch` returns, hits may be written in
 * part. */
mn_status mn_index_within(const mn_index *index, const mn_query *query,
                          float radius, mn_hit *hits, uint32_t *count,
                          mn_arena *scratch);

/* Brings k of the `count` hits of a search to the front, one after the other:
 * each time the one for which
 *     lambda distance to the query - (1 - lambda) distance to the nearest of
 *     those before it
 * is least, the first of equals. So lambda 1 changes nothing, and lambda 0
 * takes what is farthest from all before. The others follow in the order that
 * they had; distances stay. It is maximal marginal relevance (Carbonell and
 * Goldstein, SIGIR 1998) with minus the distance as similarity; the usual
 * `fetch_k` is `count`, as many hits as were searched for. Hits are compared
 * with one another by their codes (as by mn_index_between), those of `refine`
 * where there are.
 * Errors: ARGUMENT (k above count, count above MN_EF_MAX, lambda not from 0 to
 * 1), UNKNOWN_KEY (a hit that is not of this index as it is), ARENA.
 * O(k count) distances. */
mn_status mn_index_diversify(const mn_index *index, mn_hit *hits,
                             uint32_t count, uint32_t k, float lambda,
                             mn_arena *scratch);

/* Ranks hits again by exact distances to their vectors, row i that of hits[i],
 * for hosts that cannot fetch within a search. Not for MN_SIGN, which keeps all
 * there is; nor for more than MN_EF_MAX hits: ARGUMENT. O(count d), and
 * O(count log count).
 * Errors: ARGUMENT, DIMENSIONS, NOT_FINITE, ZERO_VECTOR, ARENA. */
mn_status mn_index_rank(const mn_index *index, const float *query,
                        const mn_vectors *vectors, mn_hit *hits,
                        mn_arena *scratch);

/* The slot of a key. O(1). Errors: ARGUMENT, UNKNOWN_KEY. */
mn_status mn_index_find(const mn_index *index, uint64_t key, uint32_t *slot);

/* The stored vector of a key, decoded: what the refine encoding kept of it, or
 * else the encoding, taken back through the transform (what that dropped is 0),
 * and normalised under cosine where both keep the length. `vector` has room for
 * `dimensions`. O(d), and the transform's.
 * Errors: ARGUMENT, UNKNOWN_KEY, DIMENSIONS, ARENA. */
mn_status mn_index_reconstruct(const mn_index *index, uint64_t key,
                               float *vector, uint32_t dimensions,
                               mn_arena *scratch);

/* --- Recall --------------------------------------------------------------- */

/* What recall is measured with, on the user's own index. */
typedef struct mn_sampling {
  const struct mn_query *query; /* as searches will be: k, planes, fetch, ...;
                                   its vector, dimensions and stats are not
                                   looked at, conditions are ARGUMENT */
  /* Vectors like those that will be asked for; or NULL: vectors of the index,
   * of which each is left out of its own answer. They are drawn by a hash of
   * their keys, the same ones live, packed and thawed. While one is asked for,
   * a walk takes it for not there, or its links would give the answer away: so
   * it is about as hard to answer as a new vector, rather harder. */
  const mn_vectors *queries;
  uint32_t sample;     /* so many vectors of the index; 0:
                          MN_SAMPLE_DEFAULT */
  mn_fetch fetch;      /* NULL, or brings the vectors as they were:
                          answers are right that are by exact distances
                          to them, and own vectors are taken from it.
                          NULL: query->fetch; if that is NULL too, the
                          answers of a scan by the best that the block
                          has (refine, or all planes). Calls it
                          for every vector once for 16 queries */
  void *fetch_context; /* its first argument */
} mn_sampling;

/* How many of the right answers were found. */
typedef struct mn_recall {
  uint32_t queries;
  uint32_t k;      /* right answers to each: fewer than query->k in an index
                      that has no more vectors */
  uint64_t found;  /* of queries * k. What is as near as the last right answer
                      is right too */
  float recall;    /* found / (queries k) */
  float low, high; /* Wilson's score interval of 95 % (JASA 22, 1927), the
                      number of trials being queries k divided by the design
                      effect (Kish, "Survey Sampling", 1965): misses come in
                      clusters. Where nothing or all was found each query counts
                      once */
  float distances; /* of a query, on average, to find candidates */
  float refined;   /* and candidates that were ranked again */
} mn_recall;

/* Vectors of the index that are taken where nothing is said. */
#define MN_SAMPLE_DEFAULT 256u
/* The largest ef that tuning tries where nothing is said. */
#define MN_TUNE_EF_MAX 4096u

typedef struct mn_tuning {
  mn_sampling sampling; /* its query->ef, gamma, nprobe and refine_k stay as
                           they are where they are not 0, else they are chosen;
                           where ef or gamma is said, neither is */
  float recall;         /* to be reached, above 0, at most 1 */
  uint32_t ef_max;      /* at most so many candidates are kept (with gamma
                           MN_EF_STRETCH times ef: so ef goes up to a fourth of
                           it, as do candidates to refine), or, without a graph,
                           refined; 0: MN_TUNE_EF_MAX. Raised to k */
  uint32_t store;       /* 1: what was found is stored, where it reaches the
                           recall */
  uint64_t budget; /* distances in all, to the next query; 0: no bound. With
                      it, fewer queries are taken where finding what is
                      right would take more than half of it */
} mn_tuning;

typedef struct mn_tuned {
  uint32_t ef;      /* 0: there is no graph, or only gamma was said */
  uint32_t nprobe;  /* 0: there are no lists */
  float refine_k;   /* 0: nothing is refined */
  float gamma;      /* 0: there is no graph, or ef alone decides */
  mn_recall recall; /* with these */
  uint32_t reached; /* 1: the recall; 0: it cannot be, as far as was tried, and
                       this is the best that was seen */
  uint32_t cut;     /* 1: the budget ended it: what is reached may be reached by
                       less, what is not by more */
  uint32_t stored;  /* 1: in the block */
  uint32_t runs;    /* settings that were tried */
  uint64_t spent;   /* distances in all */
} mn_tuned;

/* Finds the smallest gamma (MN_IP: ef; ivf: nprobe) by which searches reach a
 * recall (where candidates are refined, with all of them refined), then the
 * smallest refine_k that still does, and with gamma the smallest ef: each by
 * doubling, then bisection. What a search finds grows with either, but for a
 * few answers; of those next to each other it is not certain that the smallest
 * is met. The same index and queries give the same result. Stored, it takes the
 * place of MN_EF_DEFAULT, MN_GAMMA_DEFAULT and MN_REFINE_K_DEFAULT where a
 * query says 0, and stays when the index is saved, resized, packed or thawed;
 * after many changes it is time to tune again. A packed block may store it too,
 * where it can be written to. Storing unseals. A scan of the index for each
 * query, then some 30 searches. Errors: ARGUMENT (also with k = MN_EF_MAX and
 * vectors of the index), DIMENSIONS, SAMPLE (no query, or no vector to be
 * found), READ_ONLY (to be stored in a block that was opened to be read),
 * ARENA, NOT_FINITE, ZERO_VECTOR, and what `fetch` returns. */
mn_status mn_index_tune(mn_index *index, const mn_tuning *tuning,
                        mn_tuned *tuned, mn_arena *scratch);

/* Stores what was found otherwise, or, with zeros, nothing: then the defaults
 * hold again. Unseals. Errors: ARGUMENT (ef above MN_EF_MAX, gamma not from 0
 * to MN_GAMMA_MAX, or other than 0 with MN_IP, nprobe above
 * MN_NLIST_MAX; refine_k other than 0 and not from 1 to MN_EF_MAX), READ_ONLY
 * (opened to be read). O(1). */
mn_status mn_index_set_tuned(mn_index *index, uint32_t ef, float gamma,
                             uint32_t nprobe, float refine_k);

/* The scratch that it takes. Errors: ARGUMENT, DIMENSIONS, SAMPLE, TOO_LARGE.
 * O(ef_max). */
mn_status mn_plan_tune(const mn_index *index, const mn_tuning *tuning,
                       size_t *scratch_bytes);

/* Looks an index over. */
typedef struct mn_audit {
  mn_recall recall; /* as searches are; all 0 where no query was given */

  uint32_t vectors;
  float dead_share; /* of the slots in use: those of deleted vectors */

  uint32_t duplicates; /* vectors whose code an earlier one has too */
  uint32_t groups;     /* different codes that are there more than once */
  uint32_t largest;    /* vectors of the largest group */

  uint32_t linked;      /* vectors in the graph */
  uint32_t pending;     /* not yet linked: scanned by every search */
  uint32_t unreachable; /* vectors in the graph to which no way leads from an
                           entry, over links and twins */
  float links;          /* of a vector, on average; twins have none */
  float link_bits;      /* bits of the links' section for each of them */

  uint32_t lists; /* ivf: of them, those without a vector, and the most
                     that is in one; vectors / lists is the mean */
  uint32_t empty_lists;
  uint32_t largest_list;
} mn_audit;

/* Measures recall@k of searches such as sampling->query (NULL: not) against an
 * exact scan, and reads the whole graph and all codes. A scan for each query;
 * O(n d + links).
 * Errors: as for mn_index_tune, but for READ_ONLY. */
mn_status mn_index_audit(const mn_index *index, const mn_sampling *sampling,
                         mn_audit *audit, mn_arena *scratch);

/* The scratch that it takes. Errors: ARGUMENT, DIMENSIONS, SAMPLE, TOO_LARGE.
 * O(1). */
mn_status mn_plan_audit(const mn_index *index, const mn_sampling *sampling,
                        size_t *scratch_bytes);

/* --- Codes without an index ----------------------------------------------- */

/* A trained index, which may be empty, is a codec for vectors that are kept
 * elsewhere: a code is mn_info.code_bytes bytes (that of the encoding, not of
 * refine). Codes lie one behind the other from an address that is a multiple of
 * the bytes of the encoding's numbers: 4 for f32, 2 for f16 and bf16, else 1.
 * Scratch: mn_sizes.vector_scratch_bytes. */

/* Errors: ARGUMENT, DIMENSIONS, UNTRAINED, NOT_FINITE, ZERO_VECTOR, RANGE,
 * ARENA; `*bad_row` as for mn_index_add; `codes` may then be written in part.
 * O(count d), for pq and prq times 2^pq_bits. */
mn_status mn_index_encode(const mn_index *index, const mn_vectors *vectors,
                          uint8_t *codes, uint32_t *bad_row, mn_arena *scratch);

/* `vectors` has room for count * dimensions floats. Errors: ARGUMENT,
 * UNTRAINED, ARENA. O(count d), and the transform's. */
mn_status mn_index_decode(const mn_index *index, const uint8_t *codes,
                          uint32_t count, float *vectors, mn_arena *scratch);

/* The distances of a query to `count` codes (asymmetric: ADC). Errors: as for
 * mn_index_search, and UNTRAINED. */
mn_status mn_index_compare(const mn_index *index, const float *query,
                           uint32_t dimensions, const uint8_t *codes,
                           uint32_t count, float *distances, mn_arena *scratch);

/* The distance of one code to another (symmetric: SDC), as the graph compares
 * them. Which of them is first may change it, by no more than the encoding's
 * own error, for sq and with pq_correction. A code's distance to itself is not
 * 0 where distances are estimates. Errors: ARGUMENT, UNTRAINED, ARENA. */
mn_status mn_index_between(const mn_index *index, const uint8_t *code_a,
                           const uint8_t *code_b, float *distance,
                           mn_arena *scratch);

/* MN_PQ: the squared distance (under ip: minus the inner product) of each
 * subspace of a query to each of its 2^pq_bits centroids, into pq_m *
 * 2^pq_bits floats, subspace by subspace. Under l2 and ip a code's distance is
 * the sum of those that it names; under cosine about half of it, but the search
 * knows better, since vectors have the norm 1 and what codes decode to has not.
 * ARGUMENT for another encoding, or with pq_correction; other errors as for
 * mn_index_compare. */
mn_status mn_index_distance_table(const mn_index *index, const float *query,
                                  uint32_t dimensions, float *table,
                                  mn_arena *scratch);

/* Writes `dimensions` floats, 1 or -1, from packed bits, component 0 in the
 * most significant bit of byte 0: how binary embeddings get into an index with
 * MN_SIGN. With is_signed, the bytes are sentence-transformers' "binary": int8,
 * 128 less than "ubinary". */
void mn_unpack_bits(const uint8_t *bits, uint32_t dimensions, int is_signed,
                    float *vector);

/* --- Report --------------------------------------------------------------- */

typedef struct mn_info {
  mn_options options; /* as in the handle */
  uint32_t is_auto;   /* as in the handle */
  uint32_t capacity;
  uint32_t count;   /* vectors */
  uint32_t linked;  /* of them, in the graph; without one: all */
  uint32_t trained; /* 1: ready for adds */
  uint32_t sealed;  /* 1: the section checksums hold */
  uint32_t packed;  /* 1: see mn_index_pack */
  uint64_t clipped; /* vectors that lost more than half a step to an
                       encoding's range, deleted ones included */
  uint64_t block_bytes;
  uint64_t graph_bytes;  /* of them, in links */
  uint32_t code_bytes;   /* of one vector */
  uint32_t refine_bytes; /* of its refine code */
  float error;           /* mean over the vectors, deleted ones included, of
                            |x - y|^2 / |x|^2, where y is x encoded by the
                            encoding and decoded; 0 of none; a vector counts for
                            1 at most */
  float compression;     /* 4 dimensions / (code_bytes + refine_bytes) */
  uint32_t format_major, format_minor;
  uint32_t slots; /* in use, a vector in them or not: numbers below that; what a
                     filter has bits for */
  uint32_t dead; /* of them, those whose vector was deleted, but which the graph
                    still passes through: see mn_index_repair */
  uint32_t tuned_ef; /* what the index is tuned to; 0: it is not */
  float tuned_refine_k;
  uint32_t tuned_nprobe;
  float tuned_gamma;
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
#define MN_CPU_AVX512                                                          \
  2u /* x86: AVX-512 F, BW, DQ, VL, VNNI, VBMI, VPOPCNTDQ, and what AVX2 needs \
      */
#define MN_CPU_DOTPROD 4u /* AArch64: SDOT, UDOT */
#define MN_CPU_I8MM    8u /* AArch64: USDOT, SMMLA */
#define MN_CPU_ALL     0xffffffffu

/* What this machine is known to offer: on x86 asked of the processor, which
 * takes up to some 50 microseconds under a hypervisor; on AArch64 what the
 * compiler was told, since only the operating system knows more: the header
 * hosted/minnow_cpu.h asks that. 0 elsewhere, where a build has one set of
 * kernels. */
uint32_t mn_cpu_features(void);

/* Uses only kernels that need nothing but `features`, and of these the fastest.
 * On x86 what the processor lacks is taken out. On AArch64 a mask of
 * MN_CPU_DOTPROD and MN_CPU_I8MM is believed: pass what hosted/minnow_cpu.h
 * finds out, as a bit that is not true ends in an illegal instruction; one with
 * any other bit, as MN_CPU_ALL, is cut to mn_cpu_features(). Opening and
 * creating already choose by mn_cpu_features(). */
void mn_index_use_features(mn_index *index, uint32_t features);

#ifdef __cplusplus
}
#endif
#endif
