/* SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"
#include "../bytes.h"
#include "../kernels/kernels.h"

const mn_codec_ops *mn_codec_of(mn_encoding encoding) {
  switch (encoding) {
  case MN_F32:
    return &mn_codec_f32;
  case MN_F16:
    return &mn_codec_f16;
  case MN_BF16:
    return &mn_codec_bf16;
  case MN_SQ8:
    return &mn_codec_sq8;
  }
  return NULL;
}

const void *mn_prepare_slot(const mn_index *index, uint32_t slot, float *vector,
                            void *query) {
  const uint8_t *code = mn_code_at(index, slot);
  if (index->codec->code_is_query)
    return code;
  index->codec->decode(index, code, vector);
  index->codec->prepare(index, vector, query);
  return query;
}

/* Asks for a byte that will be needed soon. WebAssembly has no instruction for
 * that, but a read for whose value nothing waits does the same. */
static inline void fetch(const uint8_t *p) {
#ifdef __wasm__
  (void)*(const volatile uint8_t *)p;
#else
  __builtin_prefetch(p);
#endif
}

/* As much of a code as the processor will not go on to fetch by itself. */
static inline void fetch_code(const uint8_t *code, size_t bytes) {
  for (size_t line = 0; line < bytes && line < 512; line += 64)
    fetch(code + line);
}

void mn_distances(const mn_index *index, const void *query,
                  const uint32_t *slots, uint32_t count, float *distances) {
  enum { AHEAD = 4 }; /* codes lie far apart in a walk */
  float (*const distance)(const mn_index *, const void *, const uint8_t *) =
      index->codec->distance;
  const size_t bytes = index->code_bytes;
  for (uint32_t i = 0; i < AHEAD && i < count; i++)
    fetch_code(index->codes + slots[i] * bytes, bytes);
  for (uint32_t i = 0; i < count; i++) {
    if (count - i > AHEAD)
      fetch_code(index->codes + slots[i + AHEAD] * bytes, bytes);
    distances[i] = distance(index, query, index->codes + slots[i] * bytes);
  }
}

static float root(float x) {
  return __builtin_sqrtf(x); /* one instruction under -fno-math-errno */
}

mn_status mn_vector_take(const mn_index *index, const float *vector,
                         float *copy) {
  const uint32_t d = index->options.dimensions;
  /* NaN and infinity in any component reach the sum. */
  const float norm2 = index->kernels->dot_f32(vector, vector, d);
  if (!(norm2 <= MN_NORM2_MAX))
    return MN_ERROR_NOT_FINITE;
  if (index->options.metric != MN_COSINE) {
    mn_move(copy, vector, sizeof(float) * d);
    return MN_OK;
  }
  /* A subnormal squared norm has too few bits left to divide by. */
  if (norm2 < 0x1p-126f)
    return MN_ERROR_ZERO_VECTOR;
  const float norm = root(norm2);
  for (uint32_t i = 0; i < d; i++)
    copy[i] = vector[i] / norm;
  return MN_OK;
}
