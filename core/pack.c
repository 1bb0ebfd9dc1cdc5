/* SPDX-License-Identifier: Apache-2.0 */
/* A live block into a packed one, and back. */
#include "arena.h"
#include "block.h"
#include "bytes.h"
#include "key_map.h"
#include "slots.h"
#include "structure/ivf.h"
#include "structure/order.h"
#include "structure/pending.h"
#include "vector.h"

#ifndef MN_ONLY_SEARCH

/* --- Order ---------------------------------------------------------------- */

/* Scratch of packing. */
typedef struct packer {
  mn_candidate *items; /* while the vectors are ordered */
  uint32_t *old_of;    /* by new slot */
  uint32_t *new_of;    /* by old slot */
  uint32_t *room;      /* a list */
  mn_orderer orderer;
} packer;

static int allocate(const mn_index *index, packer *p, mn_arena *scratch) {
  const mn_options *options = &index->options;
  const int is_graph = options->structure == MN_HNSW;
  const size_t n = mn_index_vectors(index), slots = index->state->count;
  const size_t links = is_graph ? mn_links_max(options->m) : 0;
  p->items = mn_arena_allocate(scratch, n * sizeof *p->items);
  p->old_of = mn_arena_allocate(scratch, n * sizeof *p->old_of);
  p->new_of = mn_arena_allocate(scratch, slots * sizeof *p->new_of);
  p->room = mn_arena_allocate(scratch, links * sizeof *p->room);
  return p->items != NULL && p->old_of != NULL && p->new_of != NULL &&
         p->room != NULL && mn_orderer_allocate(options, &p->orderer, scratch);
}

#define UNPLACED UINT32_MAX

static void place(packer *p, uint32_t slot, uint32_t *at) {
  if (p->new_of[slot] != UNPLACED)
    return;
  p->old_of[*at] = slot;
  p->new_of[slot] = (*at)++;
}

/* Twins follow their first one, in the order of the chain. */
static void place_with_twins(const mn_index *index, uint32_t slot, packer *p,
                             uint32_t *at) {
  do {
    place(p, slot, at);
    slot = mn_graph_twin(index, slot);
  } while (slot != MN_TWIN && p->new_of[slot] == UNPLACED &&
           mn_slot_is_live(index, slot) &&
           mn_list_is_twin(mn_graph_list(index, slot)));
}

/* In a damaged block, twins that hang on none; then those that wait. */
static void place_others(const mn_index *index, packer *p, uint32_t *at) {
  for (uint32_t slot = 0; slot < index->state->count; slot++)
    if (mn_slot_is_live(index, slot) &&
        mn_list_is_twin(mn_graph_list(index, slot)))
      place(p, slot, at);
  uint32_t left = mn_index_pending(index);
  for (uint32_t slot = mn_pending_first(index); slot != MN_NO_SLOT && left > 0;
       slot = mn_pending_next(index, slot), left--)
    if (mn_slot_is_live(index, slot))
      place(p, slot, at);
}

/* Lists one behind the other, each in an order of nearness. */
static uint32_t place_lists(const mn_index *index, packer *p,
                            uint32_t *begins) {
  uint32_t at = 0;
  for (uint32_t list = 0; list < index->options.nlist; list++) {
    uint32_t size = 0, slot = mn_ivf_first(index, list);
    begins[list] = at;
    /* In a damaged block lists may meet, or run in a circle. */
    for (; slot != MN_NO_SLOT && p->new_of[slot] == UNPLACED &&
           mn_slot_is_live(index, slot);
         slot = mn_ivf_next(index, slot)) {
      p->new_of[slot] = 0;
      p->items[size++].slot = slot;
    }
    mn_order(index, p->items, size, &p->orderer);
    for (uint32_t i = 0; i < size; i++) {
      p->old_of[at] = p->items[i].slot;
      p->new_of[p->items[i].slot] = at++;
    }
  }
  begins[index->options.nlist] = mn_index_vectors(index);
  return at;
}

/* Where every vector goes: those in the graph in an order of nearness, the
 * others, which are scanned, as they are. `lists` becomes section LIST. */
static void arrange(const mn_index *index, packer *p, uint32_t *lists) {
  const uint32_t count = index->state->count;
  const int is_graph = index->options.structure == MN_HNSW;
  uint32_t firsts = 0, at = 0;
  for (uint32_t slot = 0; slot < count; slot++)
    if (is_graph && mn_graph_takes(index, slot))
      p->items[firsts++].slot = slot;
  for (uint32_t slot = 0; slot < count; slot++)
    p->new_of[slot] = UNPLACED;
  if (mn_is_ivf(&index->options))
    at = place_lists(index, p, lists);
  mn_order(index, p->items, firsts, &p->orderer);
  for (uint32_t i = 0; i < firsts; i++)
    place_with_twins(index, p->items[i].slot, p, &at);
  if (is_graph)
    place_others(index, p, &at);
  /* Without a graph, in the order of their slots; in a damaged block, what is
   * in no list. */
  for (uint32_t slot = 0; slot < count; slot++)
    if (mn_slot_is_live(index, slot))
      place(p, slot, &at);
}

/* --- Links ---------------------------------------------------------------- */

/* How many links a slot will have. No links mean a twin, so a vector that has
 * none gets one to itself, which no walk notices. */
static uint32_t count_links(const mn_index *index, uint32_t slot) {
  const uint32_t *list = mn_graph_list(index, slot);
  if (mn_list_is_twin(list))
    return 0;
  const uint32_t plain = mn_plain_links(list, mn_links_max(index->options.m));
  uint32_t count = 0;
  for (uint32_t i = 1; i <= plain; i++)
    count += (uint32_t)mn_graph_takes(index, list[i]);
  return count > 0 ? count : 1;
}

static int is_linked(const mn_index *index, uint32_t slot) {
  return mn_slot_is_live(index, slot) &&
         !mn_list_waits(mn_graph_list(index, slot));
}

static mn_packed_links shape_of(const mn_index *index) {
  uint64_t links = 0;
  if (index->options.structure != MN_HNSW)
    return (mn_packed_links){0, 0};
  for (uint32_t slot = 0; slot < index->state->count; slot++)
    if (is_linked(index, slot))
      links += count_links(index, slot);
  return mn_packed_shape(mn_index_vectors(index), links);
}

/* Whether there are as many vectors, and as many in the graph, as the state
 * says. */
static int numbers_hold(const mn_index *index) {
  const int is_graph = index->options.structure == MN_HNSW;
  uint32_t vectors = 0, linked = 0;
  for (uint32_t slot = 0; slot < index->state->count; slot++) {
    vectors += (uint32_t)mn_slot_is_live(index, slot);
    linked += is_graph ? (uint32_t)is_linked(index, slot)
                       : (uint32_t)mn_slot_is_live(index, slot);
  }
  return vectors == mn_index_vectors(index) && linked == index->state->linked;
}

/* The list of an old slot by new slots, in ascending order, into `sorted`. */
static uint32_t sort_links(const mn_index *index, uint32_t slot,
                           const packer *p, uint32_t *sorted) {
  const uint32_t *list = mn_graph_list(index, slot);
  const uint32_t plain = mn_plain_links(list, mn_links_max(index->options.m));
  uint32_t count = 0;
  for (uint32_t i = 1; i <= plain; i++) {
    if (!mn_graph_takes(index, list[i]))
      continue; /* damage */
    const uint32_t link = p->new_of[list[i]];
    uint32_t at = count++;
    for (; at > 0 && sorted[at - 1] > link; at--)
      sorted[at] = sorted[at - 1];
    sorted[at] = link;
  }
  if (count == 0 && !mn_list_is_twin(list))
    sorted[count++] = p->new_of[slot];
  return count;
}

static void pack_graph(const mn_index *index, const packer *p,
                       mn_index *packed) {
  const mn_state *state = packed->state;
  for (uint32_t slot = 0; slot < state->count; slot++) {
    const uint32_t count = slot < state->linked
                               ? sort_links(index, p->old_of[slot], p, p->room)
                               : 0;
    mn_packed_write(packed, slot, p->room, count);
  }
  for (uint32_t i = 0; i < state->entries; i++)
    packed->entries[i] = mn_graph_takes(index, index->entries[i])
                             ? p->new_of[index->entries[i]]
                             : 0;
}

static void thaw_list(const mn_index *packed, uint32_t slot, int is_twin,
                      const mn_index *live) {
  const uint32_t most = mn_links_max(packed->options.m);
  uint32_t *list = mn_graph_list(live, slot);
  uint32_t count = mn_packed_read(packed, slot, most, list + 1);
  if (count == 1 && list[1] == slot) /* that of a vector without any */
    list[1] = count = 0;
  list[0] = count;
  if (is_twin)
    list[++list[0]] = slot - 1;
  const uint32_t twin = mn_graph_twin(packed, slot);
  if (twin != MN_TWIN && list[0] < most)
    list[++list[0]] = twin | MN_TWIN;
  if (is_twin)
    list[0] |= MN_TWIN;
}

static void thaw_graph(const mn_index *packed, mn_index *live) {
  const mn_state *state = packed->state;
  for (uint32_t slot = 0; slot < state->linked; slot++)
    thaw_list(packed, slot, slot > 0 && mn_packed_count(packed, slot) == 0,
              live);
  for (uint32_t slot = state->linked; slot < state->count; slot++)
    mn_pending_append(live, slot);
  mn_move(live->entries, packed->entries,
          packed->state->entries * sizeof *live->entries);
}

static void thaw_lists(const mn_index *packed, mn_index *live) {
  for (uint32_t list = 0; list < packed->options.nlist; list++) {
    uint32_t from, to;
    mn_ivf_range(packed, list, &from, &to);
    while (to-- > from)
      mn_ivf_put(live, to, list);
  }
}

/* --- Copy ----------------------------------------------------------------- */

/* What a copy is made of: where its parts lie in the one block and the other.
 */
typedef struct copy {
  mn_layout was, is;
  size_t host_bytes;  /* of the host's sections */
  size_t block_bytes; /* of the new block */
} copy;

/* `packed` is NULL for a live copy. */
static mn_status plan_copy(const mn_index *from, uint32_t capacity,
                           const mn_packed_links *packed, copy *c) {
  const mn_packed_links links = mn_header_packed(mn_index_header(from));
  mn_status status = mn_layout_of(&from->options, from->capacity,
                                  from->is_packed ? &links : NULL, &c->was);
  if (status == MN_OK)
    status = mn_layout_of(&from->options, capacity, packed, &c->is);
  if (status != MN_OK)
    return status;
  c->host_bytes = from->block_bytes - (size_t)c->was.end;
  if (c->is.end + c->host_bytes > MN_BLOCK_BYTES_MAX)
    return MN_ERROR_TOO_LARGE;
  c->block_bytes = (size_t)c->is.end + c->host_bytes;
  return MN_OK;
}

/* Of the vectors that are left, which take slots 0 to count - 1. */
static void copy_state(const mn_index *from, mn_state *to) {
  mn_move(to, from->state, sizeof *to);
  to->count = mn_index_vectors(from);
  to->free = to->free_first = to->pending_first = to->pending_last = 0;
  to->sweep = to->cursor = to->era = 0; /* none are dying */
}

/* The new block, with the model, state and host sections of `from`. */
static mn_status begin(const mn_index *from, uint32_t capacity,
                       const mn_packed_links *packed, mn_index *to,
                       mn_arena *arena) {
  mn_section_entry hosts[MN_HOST_SECTIONS_MAX];
  const uint32_t host_count = mn_header_hosts(mn_index_header(from), hosts);
  copy c;
  const mn_status status = plan_copy(from, capacity, packed, &c);
  if (status != MN_OK)
    return status;
  uint8_t *block = mn_arena_allocate(arena, c.block_bytes);
  if (block == NULL)
    return MN_ERROR_ARENA;
  mn_header *header = (mn_header *)(void *)block;
  mn_zero(block, (size_t)c.is.end);
  mn_move(block + c.is.end, from->block + c.was.end, c.host_bytes);
  mn_move(block + c.is.offset[MN_AT_MODEL],
          from->block + c.was.offset[MN_AT_MODEL],
          (size_t)c.was.bytes[MN_AT_MODEL]);
  mn_header_write(header, &from->options, 0, capacity, packed, &c.is);
  mn_header_add_hosts(header, hosts, host_count);
  mn_index_point(to, block, 1, &c.is, from->codec.kernels);
  copy_state(from, to->state);
  return MN_OK;
}

/* --- Public --------------------------------------------------------------- */

mn_status mn_plan_pack(const mn_index *index, mn_packing *plan) {
  if (index == NULL || plan == NULL || index->is_packed ||
      mn_index_vectors(index) == 0 || index->state->dead > 0)
    return MN_ERROR_ARGUMENT;
  if (!numbers_hold(index))
    return MN_ERROR_CORRUPT;
  const mn_packed_links shape = shape_of(index);
  copy c;
  const mn_status status =
      plan_copy(index, mn_index_vectors(index), &shape, &c);
  mn_arena measuring = mn_arena_measuring();
  packer p;
  if (status != MN_OK || shape.links > UINT32_MAX ||
      !allocate(index, &p, &measuring))
    return MN_ERROR_TOO_LARGE;
  plan->block_bytes = c.block_bytes;
  plan->scratch_bytes = measuring.used;
  return MN_OK;
}

mn_status mn_index_pack(const mn_index *index, mn_index *packed,
                        mn_arena *arena) {
  mn_packing plan;
  if (packed == NULL || arena == NULL)
    return MN_ERROR_ARGUMENT;
  mn_status status = mn_plan_pack(index, &plan);
  if (status != MN_OK)
    return status;
  const uint32_t count = mn_index_vectors(index);
  const mn_packed_links shape = shape_of(index);
  const size_t mark = mn_arena_mark(arena);
  mn_index made;
  status = begin(index, count, &shape, &made, arena);
  if (status != MN_OK)
    return status;
  const size_t end = mn_arena_mark(arena);
  packer p;
  if (!allocate(index, &p, arena)) {
    mn_arena_rewind(arena, mark);
    return MN_ERROR_ARENA;
  }
  arrange(index, &p, made.lists);
  for (uint32_t slot = 0; slot < count; slot++)
    mn_vector_copy(index, p.old_of[slot], &made, slot);
  mn_key_map_fill(&made);
  if (index->options.structure == MN_HNSW)
    pack_graph(index, &p, &made);
  mn_arena_rewind(arena, end);
  mn_move(packed, &made, sizeof made);
  return MN_OK;
}

mn_status mn_plan_thaw(const mn_index *packed, uint32_t capacity,
                       size_t *block_bytes) {
  if (packed == NULL || block_bytes == NULL || !packed->is_packed ||
      capacity > MN_CAPACITY_MAX)
    return MN_ERROR_ARGUMENT;
  if (capacity < packed->state->count)
    return MN_ERROR_CAPACITY;
  copy c;
  const mn_status status = plan_copy(packed, capacity, NULL, &c);
  if (status == MN_OK)
    *block_bytes = c.block_bytes;
  return status;
}

mn_status mn_index_thaw(const mn_index *packed, uint32_t capacity,
                        mn_index *live, mn_arena *arena) {
  size_t bytes;
  if (live == NULL || arena == NULL)
    return MN_ERROR_ARGUMENT;
  mn_status status = mn_plan_thaw(packed, capacity, &bytes);
  mn_index made;
  if (status == MN_OK)
    status = begin(packed, capacity, NULL, &made, arena);
  if (status != MN_OK)
    return status;
  for (uint32_t slot = 0; slot < packed->state->count; slot++) {
    mn_vector_copy(packed, slot, &made, slot);
    mn_slot_set_live(&made, slot, 1);
  }
  mn_key_map_fill(&made);
  if (packed->options.structure == MN_HNSW)
    thaw_graph(packed, &made);
  else if (mn_is_ivf(&packed->options))
    thaw_lists(packed, &made);
  mn_move(live, &made, sizeof made);
  return MN_OK;
}

#endif
