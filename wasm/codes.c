/* SPDX-License-Identifier: Apache-2.0 */
/* The browser module's codes without an index, for vectors that are kept
 * elsewhere. */
#include "module.h"

/* On failure `report.value` is the row at fault. */
int32_t EXPORT(encode)(const float *data, uint32_t count, uint32_t dimensions,
                       uint8_t *codes) {
  mn_vectors vectors = {data, count, dimensions};
  int32_t status = vector_room();
  return status
             ? status
             : mn_index_encode(&index_, &vectors, codes, &report.value, &arena);
}

int32_t EXPORT(decode)(const uint8_t *codes, uint32_t count, float *vectors) {
  int32_t status = vector_room();
  return status ? status
                : mn_index_decode(&index_, codes, count, vectors, &arena);
}

int32_t EXPORT(compare)(const float *query, uint32_t dimensions,
                        const uint8_t *codes, uint32_t count,
                        float *distances) {
  int32_t status = vector_room();
  return status ? status
                : mn_index_compare(&index_, query, dimensions, codes, count,
                                   distances, &arena);
}

int32_t EXPORT(between)(const uint8_t *code_a, const uint8_t *code_b,
                        float *distance) {
  int32_t status = vector_room();
  return status ? status
                : mn_index_between(&index_, code_a, code_b, distance, &arena);
}

int32_t EXPORT(distance_table)(const float *query, uint32_t dimensions,
                               float *table) {
  int32_t status = vector_room();
  return status ? status
                : mn_index_distance_table(&index_, query, dimensions, table,
                                          &arena);
}
