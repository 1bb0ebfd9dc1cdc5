/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign: a bit per component, 1 where it is above 0, component 0 in the most
 * significant bit of byte 0; bits behind the last component are 0. For vectors
 * that are binary already. A code is a query as it is, and of two codes only
 * counts of bits are compared, so nothing depends on floats.
 */
#include "../kernels/kernels.h"
#include "codec.h"

static void sizes(const mn_codec *codec, mn_codec_sizes *sizes) {
  sizes->code_bytes = (codec->dimensions + 7) / 8;
  sizes->query_bytes = sizes->code_bytes;
}

static void pack(const float *vector, uint32_t dimensions, uint8_t *code) {
  uint32_t byte = 0;
  for (uint32_t i = 0; i < dimensions; i++) {
    byte = byte << 1 | (vector[i] > 0.0f);
    if (i % 8 == 7)
      code[i / 8] = (uint8_t)byte;
  }
  if (dimensions % 8 > 0)
    code[dimensions / 8] = (uint8_t)(byte << (8 - dimensions % 8));
}

void mn_unpack_bits(const uint8_t *bits, uint32_t dimensions, int is_signed,
                    float *vector) {
  /* 128 less, in 8 bits, is the top bit turned round. */
  const uint8_t turned = is_signed ? 0x80 : 0;
  for (uint32_t i = 0; i < dimensions; i++)
    vector[i] = (bits[i / 8] ^ turned) << i % 8 & 0x80 ? 1.0f : -1.0f;
}

static mn_status encode(const mn_codec *codec, float *vector, uint8_t *code,
                        uint8_t *rest, uint32_t *clipped, void *scratch) {
  (void)rest, (void)clipped, (void)scratch;
  pack(vector, codec->dimensions, code);
  return MN_OK;
}

static void decode(const mn_codec *codec, const uint8_t *code,
                   const uint8_t *rest, float *vector, void *scratch) {
  (void)rest, (void)scratch;
  mn_unpack_bits(code, codec->dimensions, 0, vector);
}

static void prepare(const mn_codec *codec, float *vector, void *query) {
  pack(vector, codec->dimensions, query);
}

static float distance(const mn_codec *codec, const void *query,
                      const uint8_t *code, const uint8_t *rest,
                      uint32_t planes) {
  (void)rest, (void)planes;
  const mn_kernels *kernels = codec->kernels;
  const uint32_t bytes = (codec->dimensions + 7) / 8;
  const uint32_t differ = kernels->count_xor(query, code, bytes);
  if (codec->metric == MN_HAMMING)
    return (float)differ;
  const uint32_t both = kernels->count_and(query, code, bytes);
  const uint32_t either = differ + both;
  return either > 0 ? 1.0f - (float)both / (float)either : 0.0f;
}

const mn_codec_ops mn_codec_sign = {
    .name = "sign",
    .sizes = sizes,
    .encode = MN_IF_CHANGE(encode),
    .decode = MN_IF_DECODE(decode),
    .prepare = prepare,
    .distance = distance,
    .code_is_query = 1,
};
