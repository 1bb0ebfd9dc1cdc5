/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block: a header with its section table, then the sections. FORMAT.md
 * describes every byte; the structs below are those bytes.
 */
#ifndef MN_BLOCK_H
#define MN_BLOCK_H

#include "structure/packed.h"

#define MN_TABLE_ENTRIES 24u
/* Half the address space, so that adding to a size never wraps. */
#define MN_BLOCK_BYTES_MAX (SIZE_MAX / 2)

enum {
  MN_FLAG_SEALED = 1,
  MN_FLAG_AUTO = 2,
  MN_FLAG_PACKED = 4,
  MN_FLAG_UNNAMED = 8, /* with MN_FLAG_AUTO: nothing else was named */
  MN_FLAGS_KNOWN = 15
};

typedef struct mn_section_entry {
  uint32_t name;
  uint32_t version;
  uint64_t offset;
  uint64_t bytes;
  uint32_t checksum; /* 0 while the block is not sealed */
  uint32_t zero;
} mn_section_entry;

typedef struct mn_header {
  uint8_t magic[8];
  uint16_t format_major;
  uint16_t format_minor;
  uint32_t checksum; /* of the header with this field 0 */
  uint64_t block_bytes;
  uint32_t flags;
  uint32_t section_count;
  uint32_t dimensions;
  uint8_t metric;
  uint8_t structure;
  uint8_t encoding;
  uint8_t refine;
  uint8_t m;
  uint8_t transform;
  uint8_t pq_bits;
  uint8_t pq_nrq; /* its top bit: pq_correction */
  uint16_t ef_construction;
  uint16_t pq_m;
  uint64_t seed;
  uint32_t capacity;
  uint16_t kept_dimensions;
  uint16_t low_bits; /* packed graph: of a link, the bits stored as they are */
  uint64_t links;    /* packed graph: of all lists together */
  uint32_t nlist;    /* ivf */
  uint8_t zero[52];
  mn_section_entry table[MN_TABLE_ENTRIES];
} mn_header;

_Static_assert(sizeof(mn_section_entry) == 32, "layout is the format");
_Static_assert(sizeof(mn_header) == 128 + 32 * MN_TABLE_ENTRIES, "as above");

/* Section STAT: what changes with every add and delete. A slot that a field
 * names is written plus 1; 0 is none. */
typedef struct mn_state {
  uint32_t count;   /* slots in use: 0 to count - 1 */
  uint32_t linked;  /* vectors in the graph, dead ones included; without a graph
                       all vectors */
  uint32_t entries; /* of section ENTR */
  uint32_t stride;  /* a slot divisible by it becomes an entry; 0: no graph */
  uint32_t trained; /* 0 or 1 */
  uint32_t dead;    /* slots whose vector was deleted, but is passed through */
  uint64_t clipped;
  uint64_t error; /* sum of the vectors' relative errors, in units of 2^-31 */
  uint64_t added; /* vectors that ever were: those that the two sums are over */
  uint32_t free;  /* slots that are used again */
  uint32_t free_first;    /* of their chain */
  uint32_t pending_first; /* of the chain of vectors that wait to be linked */
  uint32_t pending_last;
  uint32_t sweep;  /* repair: 0 none, else which pass over the lists this is */
  uint32_t cursor; /* and the slot that it comes to next */
  uint32_t era;    /* 0 or 1: the other one dies out in this sweep */
  uint32_t dying;  /* dead ones of that */
  uint32_t tuned_ef; /* what queries take that say nothing; 0: not tuned */
  uint32_t tuned_nprobe;
  float tuned_refine_k;
  float tuned_gamma;
  uint8_t zero[32];
} mn_state;

_Static_assert(sizeof(mn_state) == 128, "layout is the format");

/* No slot at all: slots are below 2^31. */
#define MN_NO_SLOT UINT32_MAX

/* The core's sections, in the order in which they lie in a block. Those of 0
 * bytes are left out. */
typedef enum mn_core_section {
  MN_AT_STATE,
  MN_AT_LIVE,
  MN_AT_KEYS,
  MN_AT_KEY_MAP,
  MN_AT_CODES,
  MN_AT_RESTS,
  MN_AT_FINE_CODES,
  MN_AT_FINE_RESTS,
  MN_AT_MODEL,
  MN_AT_LINKS,
  MN_AT_ENTRIES,
  MN_AT_LISTS,
  MN_CORE_SECTIONS
} mn_core_section;

/* What training found, in section MODL: each part at a multiple of
 * MN_ALIGNMENT from its begin. */
typedef enum mn_model_part {
  MN_OF_TRANSFORM,
  MN_OF_CODEC,
  MN_OF_FINE,
  MN_OF_CENTROIDS,
  MN_MODEL_PARTS
} mn_model_part;

/* Bytes of section LIVE, a bit for each slot. */
static inline uint64_t mn_live_bytes(uint32_t capacity) {
  return ((uint64_t)capacity + 31) / 32 * sizeof(uint32_t);
}

/* Where everything lies: a function of options and capacity alone. */
typedef struct mn_layout {
  uint64_t offset[MN_CORE_SECTIONS];
  uint64_t bytes[MN_CORE_SECTIONS];
  uint64_t
      part[MN_MODEL_PARTS]; /* offset within the section; UINT64_MAX: none */
  uint64_t end;             /* of the core's sections; the host's begin here */
} mn_layout;

/* `options` must be complete (mn_options_complete), `packed` NULL for a live
 * block. MN_ERROR_TOO_LARGE where size_t cannot count the bytes. */
mn_status mn_layout_of(const mn_options *options, uint32_t capacity,
                       const mn_packed_links *packed, mn_layout *layout);

/* The table entries of the core's sections; their number. */
uint32_t mn_layout_table(const mn_layout *layout, mn_section_entry *table);

/* Writes the header of a block that has no host sections; `flags` beyond
 * MN_FLAG_PACKED. */
void mn_header_write(mn_header *header, const mn_options *options,
                     uint32_t flags, uint32_t capacity,
                     const mn_packed_links *packed, const mn_layout *layout);

/* The entries of the host's sections, up to MN_HOST_SECTIONS_MAX; their number.
 * And entering them behind all others, for sections that are moved there by the
 * caller. */
uint32_t mn_header_hosts(const mn_header *header, mn_section_entry *hosts);
void mn_header_add_hosts(mn_header *header, const mn_section_entry *hosts,
                         uint32_t count);

/* What the header says of a packed block's links. */
mn_packed_links mn_header_packed(const mn_header *header);

/* Whether `bytes` bytes begin with a header, whole and undamaged, of a format
 * that this library reads, and hold its block. */
mn_status mn_header_check(const mn_header *header, size_t bytes);

/* Sets the checksum after fields were changed. */
void mn_header_finish(mn_header *header);

/* The options as they stand in the header. */
mn_options mn_header_options(const mn_header *header);

/* The entry of a section, or NULL. */
mn_section_entry *mn_header_find(mn_header *header, uint32_t name);

/* Makes a handle on a block whose header holds. */
void mn_index_point(mn_index *index, uint8_t *block, int writable,
                    const mn_layout *layout, const struct mn_kernels *kernels);

/* Whether what training found could come from accepted vectors. */
int mn_model_is_sound(const mn_index *index);

/* Whether the block is the last thing that was allocated from the arena. */
int mn_index_is_last(const mn_index *index, const mn_arena *arena);

/* A section's name is the host's when it begins with a lower-case letter. */
static inline int mn_section_is_host(uint32_t name) {
  return (name & 0xff) >= 'a' && (name & 0xff) <= 'z';
}

static inline mn_header *mn_index_header(const mn_index *index) {
  return (mn_header *)(void *)index->block;
}

/* Whether vectors may be added: what is packed, or opened to be read, stays. */
static inline int mn_index_is_live(const mn_index *index) {
  return index->writable && !index->is_packed;
}

/* Vectors: slots that are neither dead nor free. */
static inline uint32_t mn_index_vectors(const mn_index *index) {
  return index->state->count - index->state->dead - index->state->free;
}

/* Vectors that wait to be linked. */
static inline uint32_t mn_index_pending(const mn_index *index) {
  return index->state->count - index->state->free - index->state->linked;
}

/* Whether some slot in use has no vector. Where none is without, nobody need
 * ask mn_slot_is_live. */
static inline int mn_index_has_holes(const mn_index *index) {
  return index->state->dead + index->state->free > 0;
}

/* Whether there is a vector at a slot in use: deleted ones are no hits. */
static inline int mn_slot_is_live(const mn_index *index, uint32_t slot) {
  return index->live == NULL || (index->live[slot / 32] >> slot % 32 & 1) != 0;
}

/* A change is coming: the section checksums will no longer hold. */
void mn_index_unseal(mn_index *index);

#endif
