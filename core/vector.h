/* SPDX-License-Identifier: Apache-2.0 */
/* One vector's way into its codes and back. */
#ifndef MN_VECTOR_H
#define MN_VECTOR_H

#include "minnow.h"

/* Room for the vector in its forms. */
typedef struct mn_vector_room {
  float *vector; /* as taken: dimensions floats, as many in the others */
  float *mapped; /* after the transform */
  float *work;   /* what a codec may overwrite */
  void *scratch; /* of the codecs */
} mn_vector_room;

/* 0 where memory is short. */
int mn_vector_room_allocate(const mn_options *options, mn_vector_room *room,
                            mn_arena *scratch);

/* Where a vector's codes go. */
typedef struct mn_code_places {
  uint8_t *code, *rest;
  uint8_t *fine_code, *fine_rest; /* NULL: it is not wanted */
  uint32_t *list;                 /* the number of its list; the same */
} mn_code_places;

/* Room for those of one vector; 0 where memory is short. */
int mn_code_places_allocate(const mn_options *options, mn_code_places *places,
                            mn_arena *scratch);

mn_code_places mn_places_of(const mn_index *index, uint32_t slot);

/* Checks, maps and encodes one vector. `*clipped` becomes 1 where a range was
 * left, `*error` the relative squared error in units of 2^-31 (NULL: not
 * wanted). On failure the places may be written. */
mn_status mn_vector_encode(const mn_index *index, const float *vector,
                           const mn_vector_room *room,
                           const mn_code_places *places, uint32_t *clipped,
                           uint32_t *error);

/* Decodes a code of the encoding and takes it back through the transform. */
void mn_vector_decode(const mn_index *index, const uint8_t *code,
                      const uint8_t *rest, const mn_vector_room *room,
                      float *vector);

/* Decodes the better of a slot's codes. */
void mn_vector_stored(const mn_index *index, uint32_t slot,
                      const mn_vector_room *room, float *vector);

/* Copies a vector's key and codes, those that `to` has too, to an index whose
 * codes are made alike. */
void mn_vector_copy(const mn_index *from, uint32_t from_slot, mn_index *to,
                    uint32_t to_slot);

/* Checks a vector, leaves it as taken in room->vector and mapped in
 * room->mapped. */
mn_status mn_vector_map(const mn_index *index, const float *vector,
                        const mn_vector_room *room);

#endif
