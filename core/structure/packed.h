/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links of a packed block: every list in ascending order, in the code of Elias
 * and Fano (Vigna, "Quasi-succinct indices", WSDM 2013, section 3). The low
 * bits of a link are stored as they are; the rest of all links of a list are
 * unary numbers, each the difference to the one before: the link whose high
 * part is h and whose place is i has a 1 at bit h + i of a string. So a list of
 * k links takes k (1 + low bits) + the highest high part + 1 bits, and where it
 * begins follows from the number of links before it.
 *
 *     LINK  u32 before[(capacity + 15) / 16]: links in the lists before each
 *           16th slot
 *           u8 counts[capacity], up to the next multiple of 8
 *           the lists, bit by bit, the lowest of a byte first; 8 bytes of 0
 *     list  its string, then low bits of its links, in order
 */
#ifndef MN_PACKED_H
#define MN_PACKED_H

#include "../minnow.h"

/* What determines the bytes. */
typedef struct mn_packed_links {
  uint64_t links;    /* of all lists together, below 2^32 */
  uint32_t low_bits; /* of each, at most 31 */
} mn_packed_links;

/* The shape that takes the fewest bits for `links` links in all among so many
 * slots. */
mn_packed_links mn_packed_shape(uint32_t capacity, uint64_t links);

/* Bytes of section LINK. */
uint64_t mn_packed_bytes(const mn_packed_links *packed, uint32_t capacity);

/* Links of a slot. */
uint32_t mn_packed_count(const mn_index *index, uint32_t slot);

/* Decodes the list of a slot: their number, `most` at most. Stays within the
 * section whatever stands there; what it gives may be anything. */
uint32_t mn_packed_read(const mn_index *index, uint32_t slot, uint32_t most,
                        uint32_t *links);

/* Asks for the memory in which that stands. */
void mn_packed_fetch(const mn_index *index, uint32_t slot);

/* Writes the list of a slot, after those of all slots before it: links in
 * ascending order below the capacity. The section was 0. */
void mn_packed_write(const mn_index *index, uint32_t slot,
                     const uint32_t *links, uint32_t count);

/* Whether the counts agree with what stands before them, with the strings and
 * with the header, and all that is not a list is 0. */
int mn_packed_holds(const mn_index *index);

#endif
