/* SPDX-License-Identifier: Apache-2.0 */
/* The block's layout, its header, and pointing a handle into it. */
#include "block.h"
#include "bytes.h"
#include "encoding/codec.h"
#include "kernels/kernels.h"
#include "key_map.h"
#include "structure/graph.h"
#include "structure/ivf.h"
#include "transform/transform.h"

static const uint32_t section_names[MN_CORE_SECTIONS] = {
    MN_SECTION('S', 'T', 'A', 'T'), MN_SECTION('L', 'I', 'V', 'E'),
    MN_SECTION('K', 'E', 'Y', 'S'), MN_SECTION('K', 'M', 'A', 'P'),
    MN_SECTION('C', 'O', 'D', 'E'), MN_SECTION('R', 'E', 'S', 'T'),
    MN_SECTION('F', 'I', 'N', 'E'), MN_SECTION('F', 'R', 'S', 'T'),
    MN_SECTION('M', 'O', 'D', 'L'), MN_SECTION('L', 'I', 'N', 'K'),
    MN_SECTION('E', 'N', 'T', 'R'), MN_SECTION('L', 'I', 'S', 'T'),
};

static const uint8_t magic[8] = {'M', 'I', 'N', 'N', 'O', 'W', 0x1a, '\n'};

/* --- Layout --------------------------------------------------------------- */

/* The model's parts one behind the other; the bytes of all. */
static uint64_t lay_out_model(const mn_options *o, const mn_codec *codec,
                              const mn_codec *fine, uint64_t *part) {
  const mn_map map = mn_map_of(o);
  uint64_t bytes[MN_MODEL_PARTS] = {0};
  if (map.ops != NULL && map.ops->model_bytes != NULL)
    bytes[MN_OF_TRANSFORM] = map.ops->model_bytes(map.from, map.to);
  bytes[MN_OF_CODEC] = mn_codec_measure(codec).model_bytes;
  bytes[MN_OF_FINE] = mn_codec_measure(fine).model_bytes;
  bytes[MN_OF_CENTROIDS] = mn_ivf_model_bytes(o, codec->dimensions);
  uint64_t end = 0;
  for (unsigned i = 0; i < MN_MODEL_PARTS; i++) {
    part[i] = bytes[i] > 0 ? mn_round_up(end) : UINT64_MAX;
    if (bytes[i] > 0)
      end = part[i] + bytes[i];
  }
  return end;
}

mn_status mn_layout_of(const mn_options *o, uint32_t capacity,
                       const mn_packed_links *packed, mn_layout *layout) {
  mn_codec codec, fine;
  mn_codec_first(o, &codec);
  mn_codec_fine(o, &fine);
  const int is_graph = o->structure == MN_HNSW;
  /* None of these products overflows 64 bits: capacity is below 2^31 and the
   * rest below 2^21; the model is below 2^40. */
  uint64_t *bytes = layout->bytes;
  bytes[MN_AT_STATE] = sizeof(mn_state);
  bytes[MN_AT_LIVE] = packed != NULL ? 0 : mn_live_bytes(capacity);
  bytes[MN_AT_KEYS] = (uint64_t)capacity * sizeof(uint64_t);
  bytes[MN_AT_KEY_MAP] = mn_key_map_buckets(capacity) * sizeof(uint32_t);
  bytes[MN_AT_CODES] = (uint64_t)capacity * codec.code_bytes;
  bytes[MN_AT_RESTS] = (uint64_t)capacity * codec.rest_bytes;
  bytes[MN_AT_FINE_CODES] = (uint64_t)capacity * fine.code_bytes;
  bytes[MN_AT_FINE_RESTS] = (uint64_t)capacity * fine.rest_bytes;
  bytes[MN_AT_MODEL] = lay_out_model(o, &codec, &fine, layout->part);
  bytes[MN_AT_LINKS] = !is_graph        ? 0
                       : packed == NULL ? mn_graph_link_bytes(o->m, capacity)
                                        : mn_packed_bytes(packed, capacity);
  bytes[MN_AT_ENTRIES] = is_graph ? MN_ENTRIES * sizeof(uint32_t) : 0;
  bytes[MN_AT_LISTS] = mn_ivf_list_bytes(o->nlist, capacity, packed != NULL);

  uint64_t at = sizeof(mn_header);
  for (unsigned i = 0; i < MN_CORE_SECTIONS; i++) {
    layout->offset[i] = at;
    at += mn_round_up(bytes[i]);
  }
  layout->end = at;
  return at > MN_BLOCK_BYTES_MAX ? MN_ERROR_TOO_LARGE : MN_OK;
}

uint32_t mn_layout_table(const mn_layout *layout, mn_section_entry *table) {
  uint32_t count = 0;
  for (unsigned i = 0; i < MN_CORE_SECTIONS; i++)
    if (layout->bytes[i] > 0)
      table[count++] = (mn_section_entry){.name = section_names[i],
                                          .version = 1,
                                          .offset = layout->offset[i],
                                          .bytes = layout->bytes[i]};
  return count;
}

/* --- Header --------------------------------------------------------------- */

static uint32_t header_checksum(const mn_header *header) {
  const uint8_t *bytes = (const uint8_t *)header;
  const size_t at = offsetof(mn_header, checksum);
  const uint32_t zero = 0;
  mn_xxh32 hash;
  mn_xxh32_begin(&hash);
  mn_xxh32_add(&hash, bytes, at);
  mn_xxh32_add(&hash, &zero, sizeof zero);
  mn_xxh32_add(&hash, bytes + at + sizeof zero,
               sizeof *header - at - sizeof zero);
  return mn_xxh32_end(&hash);
}

void mn_header_finish(mn_header *header) {
  header->checksum = header_checksum(header);
}

mn_status mn_header_check(const mn_header *header, size_t bytes) {
  const uint8_t *begin = (const uint8_t *)header;
  for (unsigned i = 0; i < sizeof magic; i++)
    if (i >= bytes || begin[i] != magic[i])
      return MN_ERROR_NOT_MINNOW;
  if (bytes < sizeof *header)
    return MN_ERROR_TRUNCATED;
  if (header->format_major != MN_FORMAT_MAJOR ||
      header->format_minor > MN_FORMAT_MINOR)
    return MN_ERROR_VERSION;
  if (header->checksum != header_checksum(header) ||
      (header->flags & ~(uint32_t)MN_FLAGS_KNOWN) != 0 ||
      !mn_is_zero(header->zero, sizeof header->zero))
    return MN_ERROR_CORRUPT;
  return header->block_bytes > bytes ? MN_ERROR_TRUNCATED : MN_OK;
}

mn_options mn_header_options(const mn_header *header) {
  return (mn_options){.dimensions = header->dimensions,
                      .metric = (mn_metric)header->metric,
                      .structure = (mn_structure)header->structure,
                      .transform = (mn_transform)header->transform,
                      .kept_dimensions = header->kept_dimensions,
                      .encoding = (mn_encoding)header->encoding,
                      .pq_m = header->pq_m,
                      .pq_bits = header->pq_bits,
                      .pq_nrq = header->pq_nrq & 0x7fu,
                      .pq_correction = header->pq_nrq >> 7,
                      .refine = (mn_encoding)header->refine,
                      .m = header->m,
                      .ef_construction = header->ef_construction,
                      .nlist = header->nlist,
                      .seed = header->seed};
}

mn_section_entry *mn_header_find(mn_header *header, uint32_t name) {
  for (uint32_t i = 0; i < header->section_count; i++)
    if (header->table[i].name == name)
      return &header->table[i];
  return NULL;
}

void mn_header_write(mn_header *header, const mn_options *o, uint32_t flags,
                     uint32_t capacity, const mn_packed_links *packed,
                     const mn_layout *layout) {
  mn_zero(header, sizeof *header);
  mn_move(header->magic, magic, sizeof magic);
  header->format_major = MN_FORMAT_MAJOR;
  header->format_minor = MN_FORMAT_MINOR;
  header->block_bytes = layout->end;
  header->flags = flags | (packed != NULL ? MN_FLAG_PACKED : 0u);
  if (packed != NULL) {
    header->low_bits = (uint16_t)packed->low_bits;
    header->links = packed->links;
  }
  header->dimensions = o->dimensions;
  header->metric = (uint8_t)o->metric;
  header->structure = (uint8_t)o->structure;
  header->encoding = (uint8_t)o->encoding;
  header->refine = (uint8_t)o->refine;
  header->m = (uint8_t)o->m;
  header->transform = (uint8_t)o->transform;
  header->pq_bits = (uint8_t)o->pq_bits;
  header->pq_nrq = (uint8_t)(o->pq_nrq | o->pq_correction << 7);
  header->ef_construction = (uint16_t)o->ef_construction;
  header->pq_m = (uint16_t)o->pq_m;
  header->kept_dimensions = (uint16_t)o->kept_dimensions;
  header->nlist = o->nlist;
  header->seed = o->seed;
  header->capacity = capacity;
  header->section_count = mn_layout_table(layout, header->table);
  mn_header_finish(header);
}

uint32_t mn_header_hosts(const mn_header *header, mn_section_entry *hosts) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < header->section_count; i++)
    if (mn_section_is_host(header->table[i].name))
      mn_move(&hosts[count++], &header->table[i], sizeof *hosts);
  return count;
}

void mn_header_add_hosts(mn_header *header, const mn_section_entry *hosts,
                         uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    mn_section_entry *entry = &header->table[header->section_count++];
    mn_move(entry, &hosts[i], sizeof *entry);
    entry->offset = header->block_bytes;
    entry->checksum = 0;
    header->block_bytes += mn_round_up(entry->bytes);
  }
  mn_header_finish(header);
}

mn_packed_links mn_header_packed(const mn_header *header) {
  return (mn_packed_links){.links = header->links,
                           .low_bits = header->low_bits};
}

void mn_index_unseal(mn_index *index) {
  mn_header *header = mn_index_header(index);
  if ((header->flags & MN_FLAG_SEALED) == 0)
    return;
  header->flags &= ~(uint32_t)MN_FLAG_SEALED;
  for (uint32_t i = 0; i < header->section_count; i++)
    header->table[i].checksum = 0;
  mn_header_finish(header);
}

/* --- Handle --------------------------------------------------------------- */

static uint8_t *model_part(uint8_t *model, uint64_t offset) {
  return offset == UINT64_MAX ? NULL : model + offset;
}

void mn_index_point(mn_index *index, uint8_t *block, int writable,
                    const mn_layout *layout, const mn_kernels *kernels) {
  const mn_header *header = (const void *)block;
  /* Sections lie at multiples of 64 from a block aligned to 8, so the casts
   * keep alignment. */
  uint8_t *at[MN_CORE_SECTIONS];
  for (unsigned i = 0; i < MN_CORE_SECTIONS; i++)
    at[i] = layout->bytes[i] > 0 ? block + layout->offset[i] : NULL;
  index->block = block;
  index->block_bytes = (size_t)header->block_bytes;
  index->options = mn_header_options(header);
  index->capacity = header->capacity;
  index->is_auto = (uint8_t)(((header->flags & MN_FLAG_AUTO) != 0) +
                             ((header->flags & MN_FLAG_UNNAMED) != 0));
  index->is_packed = (header->flags & MN_FLAG_PACKED) != 0;
  index->writable = (uint8_t)writable;
  index->transform = mn_transform_of(index->options.transform);
  mn_codec_first(&index->options, &index->codec);
  mn_codec_fine(&index->options, &index->fine);
  index->codec.kernels = index->fine.kernels = kernels;
  index->state = (void *)at[MN_AT_STATE];
  index->live = (void *)at[MN_AT_LIVE];
  index->keys = (void *)at[MN_AT_KEYS];
  index->key_map = (void *)at[MN_AT_KEY_MAP];
  index->codes = at[MN_AT_CODES];
  index->rests = at[MN_AT_RESTS];
  index->fine_codes = at[MN_AT_FINE_CODES];
  index->fine_rests = at[MN_AT_FINE_RESTS];
  index->model = model_part(at[MN_AT_MODEL], layout->part[MN_OF_TRANSFORM]);
  index->codec.model = model_part(at[MN_AT_MODEL], layout->part[MN_OF_CODEC]);
  index->fine.model = model_part(at[MN_AT_MODEL], layout->part[MN_OF_FINE]);
  index->links = at[MN_AT_LINKS];
  index->entries = (void *)at[MN_AT_ENTRIES];
  index->centroids = model_part(at[MN_AT_MODEL], layout->part[MN_OF_CENTROIDS]);
  index->lists = (void *)at[MN_AT_LISTS];
}

int mn_index_is_last(const mn_index *index, const mn_arena *arena) {
  return index->block + index->block_bytes == arena->base + arena->used;
}

void mn_index_use_features(mn_index *index, uint32_t features) {
  index->codec.kernels = index->fine.kernels =
      mn_kernels_select(mn_kernels_usable(features));
}
