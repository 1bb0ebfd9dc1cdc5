/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The WASI reactor: the C API of minnow.h, exported as it is (CMakeLists.txt
 * takes the names from the header), with the memory, malloc and free. A host
 * writes the structs into that memory by hand, so their layout on wasm32 is
 * part of the interface and is pinned here.
 */
#include "minnow.h"

#define AT(type, field, offset)                                                \
  _Static_assert(offsetof(type, field) == (offset), #type "." #field)
#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)

AT(mn_arena, base, 0);
AT(mn_arena, capacity, 4);
AT(mn_arena, used, 8);
AT(mn_arena, peak, 12);
SIZE(mn_arena, 16);

AT(mn_options, dimensions, 0);
AT(mn_options, metric, 4);
AT(mn_options, structure, 8);
AT(mn_options, transform, 12);
AT(mn_options, kept_dimensions, 16);
AT(mn_options, encoding, 20);
AT(mn_options, pq_m, 24);
AT(mn_options, pq_bits, 28);
AT(mn_options, pq_nrq, 32);
AT(mn_options, pq_correction, 36);
AT(mn_options, refine, 40);
AT(mn_options, m, 44);
AT(mn_options, ef_construction, 48);
AT(mn_options, nlist, 52);
AT(mn_options, seed, 56);
SIZE(mn_options, 64);

AT(mn_sizes, block_bytes, 0);
AT(mn_sizes, code_bytes, 4);
AT(mn_sizes, refine_bytes, 8);
AT(mn_sizes, append_scratch_bytes, 12);
AT(mn_sizes, link_scratch_bytes, 16);
AT(mn_sizes, proposals_bytes, 20);
AT(mn_sizes, propose_scratch_bytes, 24);
AT(mn_sizes, commit_scratch_bytes, 28);
AT(mn_sizes, add_scratch_bytes, 32);
AT(mn_sizes, search_scratch_bytes, 36);
AT(mn_sizes, rank_scratch_bytes, 40);
AT(mn_sizes, vector_scratch_bytes, 44);
AT(mn_sizes, update_scratch_bytes, 48);
AT(mn_sizes, like_scratch_bytes, 52);
AT(mn_sizes, within_scratch_bytes, 56);
AT(mn_sizes, diversify_scratch_bytes, 60);
AT(mn_sizes, repair_scratch_bytes, 64);
SIZE(mn_sizes, 68);

AT(mn_training, least, 0);
AT(mn_training, enough, 4);
AT(mn_training, scratch_bytes, 8);
SIZE(mn_training, 12);

AT(mn_packing, block_bytes, 0);
AT(mn_packing, scratch_bytes, 4);
SIZE(mn_packing, 8);

/* The handle: a host reserves 512 bytes, and reads the first two fields to
 * save a block. */
AT(mn_index, block, 0);
AT(mn_index, block_bytes, 4);
_Static_assert(sizeof(mn_index) <= 512, "mn_index");

AT(mn_vectors, data, 0);
AT(mn_vectors, count, 4);
AT(mn_vectors, dimensions, 8);
SIZE(mn_vectors, 12);

AT(mn_query, vector, 0);
AT(mn_query, dimensions, 4);
AT(mn_query, k, 8);
AT(mn_query, ef, 12);
AT(mn_query, nprobe, 16);
AT(mn_query, planes, 20);
AT(mn_query, refine_planes, 24);
AT(mn_query, refine_k, 28);
AT(mn_query, fetch, 32);
AT(mn_query, fetch_context, 36);
AT(mn_query, filter, 40);
AT(mn_query, stats, 44);
AT(mn_query, ranges, 48);
AT(mn_query, range_count, 52);
AT(mn_query, without, 56);
AT(mn_query, without_count, 60);
AT(mn_query, match, 64);
AT(mn_query, match_context, 68);
AT(mn_query, plan, 72);
AT(mn_query, gamma, 76);
AT(mn_query, budget, 80);
SIZE(mn_query, 88);

AT(mn_stats, distances, 0);
AT(mn_stats, bytes, 8);
AT(mn_stats, hops, 16);
AT(mn_stats, probed, 20);
AT(mn_stats, exact, 24);
AT(mn_stats, refined, 28);
AT(mn_stats, planes, 32);
AT(mn_stats, refine_bytes, 40);
AT(mn_stats, plan, 48);
AT(mn_stats, reason, 52);
AT(mn_stats, matches, 56);
AT(mn_stats, cut, 60);
AT(mn_stats, fell_back, 64);
SIZE(mn_stats, 72);

AT(mn_key_range, from, 0);
AT(mn_key_range, to, 8);
SIZE(mn_key_range, 16);

AT(mn_hit, key, 0);
AT(mn_hit, distance, 8);
AT(mn_hit, slot, 12);
SIZE(mn_hit, 16);

AT(mn_info, options, 0);
AT(mn_info, is_auto, 64);
AT(mn_info, capacity, 68);
AT(mn_info, count, 72);
AT(mn_info, linked, 76);
AT(mn_info, trained, 80);
AT(mn_info, sealed, 84);
AT(mn_info, packed, 88);
AT(mn_info, clipped, 96);
AT(mn_info, block_bytes, 104);
AT(mn_info, graph_bytes, 112);
AT(mn_info, code_bytes, 120);
AT(mn_info, refine_bytes, 124);
AT(mn_info, error, 128);
AT(mn_info, compression, 132);
AT(mn_info, format_major, 136);
AT(mn_info, format_minor, 140);
AT(mn_info, slots, 144);
AT(mn_info, dead, 148);
AT(mn_info, tuned_ef, 152);
AT(mn_info, tuned_refine_k, 156);
AT(mn_info, tuned_nprobe, 160);
AT(mn_info, tuned_gamma, 164);
SIZE(mn_info, 168);

AT(mn_merging, policy, 0);
AT(mn_merging, added, 4);
AT(mn_merging, conflicts, 8);
AT(mn_merging, replaced, 12);
AT(mn_merging, first_conflict, 16);
AT(mn_merging, recoded, 24);
AT(mn_merging, capacity, 28);
AT(mn_merging, checked, 32);
AT(mn_merging, merged, 36);
AT(mn_merging, left, 40);
AT(mn_merging, scratch_bytes, 44);
AT(mn_merging, step_scratch_bytes, 48);
SIZE(mn_merging, 56);

AT(mn_sampling, query, 0);
AT(mn_sampling, queries, 4);
AT(mn_sampling, sample, 8);
AT(mn_sampling, fetch, 12);
AT(mn_sampling, fetch_context, 16);
SIZE(mn_sampling, 20);

AT(mn_recall, queries, 0);
AT(mn_recall, k, 4);
AT(mn_recall, found, 8);
AT(mn_recall, recall, 16);
AT(mn_recall, low, 20);
AT(mn_recall, high, 24);
AT(mn_recall, distances, 28);
AT(mn_recall, refined, 32);
SIZE(mn_recall, 40);

AT(mn_tuning, sampling, 0);
AT(mn_tuning, recall, 20);
AT(mn_tuning, ef_max, 24);
AT(mn_tuning, store, 28);
AT(mn_tuning, budget, 32);
SIZE(mn_tuning, 40);

AT(mn_tuned, ef, 0);
AT(mn_tuned, nprobe, 4);
AT(mn_tuned, refine_k, 8);
AT(mn_tuned, gamma, 12);
AT(mn_tuned, recall, 16);
AT(mn_tuned, reached, 56);
AT(mn_tuned, cut, 60);
AT(mn_tuned, stored, 64);
AT(mn_tuned, runs, 68);
AT(mn_tuned, spent, 72);
SIZE(mn_tuned, 80);

AT(mn_audit, recall, 0);
AT(mn_audit, vectors, 40);
AT(mn_audit, dead_share, 44);
AT(mn_audit, duplicates, 48);
AT(mn_audit, groups, 52);
AT(mn_audit, largest, 56);
AT(mn_audit, linked, 60);
AT(mn_audit, pending, 64);
AT(mn_audit, unreachable, 68);
AT(mn_audit, links, 72);
AT(mn_audit, link_bits, 76);
AT(mn_audit, lists, 80);
AT(mn_audit, empty_lists, 84);
AT(mn_audit, largest_list, 88);
SIZE(mn_audit, 96);
