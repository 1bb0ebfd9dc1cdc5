/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queries of pq and prq. A query is compared with codes by tables of what each
 * centroid adds (asymmetric distance computation: Jegou et al., section III.B),
 * rounded to integers: from each table its smallest entry is taken away, and
 * all share one scale, so that
 *   distance = base + share * n + f (offset + scale * sum of entries),
 * f and n being the code's.
 * 12 bits for codes of 4 bits, 16 for others; fewer where there are so many
 * codebooks that a sum might pass 2^32.
 *
 * A query that meets only a few codes is not worth its tables, which take O(d
 * 2^pq_bits): it stays a vector, and codes are decoded as they come (prepare
 * _pair).
 */
#include "../kernels/kernels.h"
#include "pq.h"

#include <float.h>

typedef struct pq_query {
  float base, share, weight, offset, scale;
  uint32_t is_vector;
} pq_query;

/* The query's head; then the tables, or the vector; then room for one table of
 * floats. */
#define HEAD_BYTES 64u

/* Entries of lookup_u4: low bytes, then high bytes, of 16 each; in pairs. */
#define U4_TABLE_BYTES 32u

static uint64_t tables_bytes(const mn_codec *codec) {
  const uint64_t books = mn_pq_books(codec);
  return codec->pq_bits == 4 ? U4_TABLE_BYTES * (books + books % 2)
                             : 2 * books << codec->pq_bits;
}

static uint64_t body_bytes(const mn_codec *codec) {
  const uint64_t vector = 4 * (uint64_t)codec->dimensions;
  const uint64_t tables = tables_bytes(codec);
  return mn_round_up(vector > tables ? vector : tables);
}

uint64_t mn_pq_query_bytes(const mn_codec *codec) {
  return HEAD_BYTES + body_bytes(codec) + 4 * (uint64_t)mn_pq_centroids(codec);
}

static uint8_t *body_of(const void *query) {
  return (uint8_t *)(uintptr_t)query + HEAD_BYTES;
}

static float *room_of(const mn_codec *codec, void *query) {
  return (void *)(body_of(query) + body_bytes(codec));
}

/* --- Tables --------------------------------------------------------------- */

void mn_pq_table(const mn_codec *codec, const float *query, uint32_t book,
                 float *table) {
  const uint32_t width = mn_pq_width(codec), count = mn_pq_centroids(codec);
  const float *part = query + (size_t)(book / codec->pq_nrq) * width;
  const float *columns = mn_pq_book(codec, book);
  if (mn_pq_is_squared(codec)) {
    codec->kernels->l2_columns(part, columns, width, count, table);
    return;
  }
  codec->kernels->dot_columns(part, columns, width, count, table);
  for (uint32_t k = 0; k < count; k++)
    table[k] = -table[k];
}

/* The smallest entry, and how far above it the largest lies. 16 lanes, so that
 * compilers can vectorise it. NaN, which only a damaged model makes, is passed
 * over. */
static float smallest(const float *table, uint32_t count, float *range) {
  float low[16], high[16];
  for (uint32_t j = 0; j < 16; j++) {
    low[j] = FLT_MAX;
    high[j] = -FLT_MAX;
  }
  const uint32_t lanes = count < 16 ? count : 16; /* both powers of 2 */
  for (uint32_t k = 0; k + 16 <= count; k += 16)
    for (uint32_t j = 0; j < 16; j++) {
      low[j] = table[k + j] < low[j] ? table[k + j] : low[j];
      high[j] = table[k + j] > high[j] ? table[k + j] : high[j];
    }
  for (uint32_t j = 0; j < lanes && count < 16; j++)
    low[j] = high[j] = table[j];
  for (uint32_t j = 1; j < lanes; j++) {
    low[0] = low[j] < low[0] ? low[j] : low[0];
    high[0] = high[j] > high[0] ? high[j] : high[0];
  }
  *range = high[0] - low[0];
  return low[0];
}

/* An entry as an integer. `limit` also where a damaged model makes NaN. */
static inline uint32_t entry(float value, float low, float inverse,
                             float limit) {
  const float scaled = (value - low) * inverse;
  return (uint32_t)(int32_t)((scaled < limit ? scaled : limit) + 0.5f);
}

static void set_tables(const mn_codec *codec, const float *vector,
                       pq_query *query) {
  const uint32_t books = mn_pq_books(codec), count = mn_pq_centroids(codec);
  float *table = room_of(codec, query), most = 0.0f, range;
  for (uint32_t book = 0; book < books; book++) {
    mn_pq_table(codec, vector, book, table);
    (void)smallest(table, count, &range);
    most = range > most ? range : most;
  }
  const uint32_t wanted = codec->pq_bits == 4 ? 4095 : 65535;
  const uint32_t safe = UINT32_MAX / books;
  const float limit = (float)(safe < wanted ? safe : wanted);
  /* Entries too small for an inverse count as 0. */
  const float inverse =
      most > 0x1p-100f && most <= FLT_MAX ? limit / most : 0.0f;
  float offset = 0.0f;
  uint8_t *bytes = body_of(query);
  uint16_t *words = (void *)bytes;
  for (uint32_t book = 0; book < books; book++) {
    mn_pq_table(codec, vector, book, table);
    const float low = smallest(table, count, &range);
    offset += low;
    if (codec->pq_bits == 4) {
      for (uint32_t k = 0; k < 16; k++) {
        const uint32_t value = entry(table[k], low, inverse, limit);
        bytes[k] = (uint8_t)value;
        bytes[16 + k] = (uint8_t)(value >> 8);
      }
      bytes += U4_TABLE_BYTES;
    } else {
      for (uint32_t k = 0; k < count; k++)
        words[k] = (uint16_t)entry(table[k], low, inverse, limit);
      words += count;
    }
  }
  if (codec->pq_bits == 4 && books % 2 > 0)
    mn_zero(bytes, U4_TABLE_BYTES);
  query->offset = offset;
  query->scale = inverse > 0.0f ? most / limit : 0.0f;
}

/* --- Preparing ------------------------------------------------------------ */

/* Under cosine, the share of |y|^2 in the squared norm that a vector without a
 * correction is taken to have; the rest of it is 1, which it is known to be. */
#define OWN_NORM 0.8f

/* What all distances have in common, and what counts how often in them. The
 * vector becomes p, or what tables are made of. Where |y|^2 is part of a sum of
 * squared distances, a longer query gives it a smaller share:
 *   |q|^2 + own |y|^2 - 2 q.y = own |q / own - y|^2 + |q|^2 (1 - 1 / own).
 * Cosine is half of l2. */
static void begin(const mn_codec *codec, float *vector, int is_code,
                  pq_query *query) {
  const mn_kernels *kernels = codec->kernels;
  const uint32_t d = codec->dimensions;
  const float *mean = mn_pq_mean(codec);
  if (codec->metric == MN_IP) {
    query->base = mean != NULL ? -kernels->dot_f32(vector, mean, d) : 0.0f;
    query->share = -1.0f;
    query->weight = 1.0f;
  }
  for (uint32_t j = 0; mean != NULL && j < d; j++)
    vector[j] -= mean[j];
  if (codec->metric == MN_IP)
    return;

  const int is_cosine = codec->metric == MN_COSINE;
  const float half = is_cosine ? 0.5f : 1.0f;
  const float own = is_cosine && mean == NULL && !is_code ? OWN_NORM : 1.0f;
  const float norm2 = kernels->dot_f32(vector, vector, d);
  query->share = half * own;
  if (mn_pq_is_squared(codec)) {
    query->base = half * (norm2 * (1.0f - 1.0f / own) + (1.0f - own));
    query->weight = half * own;
    for (uint32_t j = 0; j < d; j++)
      vector[j] *= 1.0f / own;
  } else {
    query->base = half * (norm2 + (1.0f - own));
    query->weight = 2.0f * half;
  }
}

static void prepare(const mn_codec *codec, float *vector, int is_code,
                    pq_query *query) {
  query->is_vector = 0;
  begin(codec, vector, is_code, query);
  set_tables(codec, vector, query);
  query->offset *= query->weight;
  query->scale *= query->weight;
}

void mn_pq_prepare(const mn_codec *codec, float *vector, void *query) {
  prepare(codec, vector, 0, query);
}

void mn_pq_prepare_code(const mn_codec *codec, const uint8_t *code,
                        const uint8_t *rest, uint32_t planes, float *vector,
                        void *scratch, void *query) {
  (void)planes;
  codec->ops->decode(codec, code, rest, vector, scratch);
  prepare(codec, vector, 1, query);
}

void mn_pq_prepare_pair(const mn_codec *codec, const uint8_t *code,
                        const uint8_t *rest, uint32_t planes, float *vector,
                        void *scratch, void *prepared) {
  (void)planes;
  pq_query *query = prepared;
  codec->ops->decode(codec, code, rest, vector, scratch);
  query->is_vector = 1;
  begin(codec, vector, 1, query);
  query->offset = 0.0f;
  query->scale = mn_pq_is_squared(codec) ? query->weight : -query->weight;
  mn_move(body_of(prepared), vector, codec->dimensions * sizeof *vector);
}

/* --- Distances ------------------------------------------------------------ */

/* The distance of a code with such a sum. */
static float finish(const mn_codec *codec, const pq_query *query, float sum,
                    const uint8_t *code) {
  float n;
  const float f = mn_pq_factor(codec, code, &n);
  const float estimate = query->offset + query->scale * sum;
  return (query->base + query->share * n) + f * estimate;
}

/* The sum for one code, whatever pq_bits. */
static uint32_t sum_of(const mn_codec *codec, const uint8_t *tables,
                       const uint8_t *code) {
  const uint32_t books = mn_pq_books(codec);
  const uint16_t *words = (const void *)tables;
  uint32_t sum = 0;
  for (uint32_t book = 0; book < books; book++) {
    const uint32_t number = mn_pq_number(codec, code, book);
    if (codec->pq_bits == 4) {
      const uint8_t *table = tables + (size_t)U4_TABLE_BYTES * book;
      sum += table[number] + (uint32_t)table[16 + number] * 256;
    } else {
      sum += words[((size_t)book << codec->pq_bits) + number];
    }
  }
  return sum;
}

/* Below so many rows, 4-bit codes are looked up one by one: lookup_u4 takes as
 * long for a few as for MN_LOOKUP_ROWS. */
#define U4_ROWS_LEAST 8u

/* The sums for `count` codes, of MN_LOOKUP_ROWS that may be read. Kernels take
 * up to 65535 bytes of codes. */
static void sums_of(const mn_codec *codec, const uint8_t *tables,
                    const uint8_t *const *rows, uint32_t count,
                    uint32_t *sums) {
  const mn_kernels *kernels = codec->kernels;
  const uint32_t bytes = mn_pq_packed_bytes(codec), bits = codec->pq_bits;
  const int fits = bytes <= 65535;
  if (bits == 4 && fits && count >= U4_ROWS_LEAST)
    kernels->lookup_u4(tables, rows, bytes, sums);
  else if (bits == 8 && fits)
    for (uint32_t i = 0; i < count; i++)
      sums[i] = kernels->lookup_u8((const void *)tables, rows[i], bytes);
  else
    for (uint32_t i = 0; i < count; i++)
      sums[i] = sum_of(codec, tables, rows[i]);
}

void mn_pq_distances(const mn_codec *codec, const void *prepared,
                     const uint8_t *codes, const uint8_t *rests,
                     uint32_t planes, const uint32_t *slots, uint32_t count,
                     float *distances) {
  (void)rests;
  (void)planes;
  const pq_query *query = prepared;
  const uint8_t *body = body_of(prepared);
  if (query->is_vector) {
    const mn_kernels *kernels = codec->kernels;
    for (uint32_t i = 0; i < count; i++) {
      const uint8_t *code = codes + (size_t)slots[i] * codec->code_bytes;
      const float sum = mn_pq_sum(
          codec, mn_pq_is_squared(codec) ? kernels->l2_f32 : kernels->dot_f32,
          (const void *)body, code);
      distances[i] = finish(codec, query, sum, code);
    }
    return;
  }
  while (count > 0) {
    const uint32_t some = count < MN_LOOKUP_ROWS ? count : MN_LOOKUP_ROWS;
    const uint8_t *rows[MN_LOOKUP_ROWS];
    uint32_t sums[MN_LOOKUP_ROWS];
    for (uint32_t i = 0; i < MN_LOOKUP_ROWS; i++)
      rows[i] = codes + (size_t)slots[i < some ? i : 0] * codec->code_bytes;
    sums_of(codec, body, rows, some, sums);
    for (uint32_t i = 0; i < some; i++)
      distances[i] = finish(codec, query, (float)sums[i], rows[i]);
    slots += some;
    distances += some;
    count -= some;
  }
}
