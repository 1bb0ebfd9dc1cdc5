/* SPDX-License-Identifier: Apache-2.0 */
#include "index_memory.h"
#include "minnow_cpu.h"

#include <stdlib.h>

exit_code memory_take(memory *into, size_t bytes, const char *what) {
  /* malloc aligns less than an arena does. */
  size_t padded = bytes + MN_ALIGNMENT - 1;
  *into = (memory){.bytes = padded < bytes ? NULL : malloc(padded)};
  if (!into->bytes)
    return report_memory(what, bytes);
  into->arena = mn_arena_over(into->bytes, padded);
  return EXIT_OK;
}

void memory_free(memory *of) {
  free(of->bytes);
  *of = (memory){.bytes = NULL};
}

exit_code index_memory_plan(const index_memory *of, uint64_t capacity,
                            mn_sizes *sizes) {
  const mn_query any_query = {.k = 1};
  mn_status status =
      capacity > MN_CAPACITY_MAX
          ? MN_ERROR_TOO_LARGE
          : mn_plan(&of->options, (uint32_t)capacity, &any_query, sizes);
  if (status == MN_ERROR_TOO_LARGE)
    return report(EXIT_MEMORY, "the index",
                  "too large for this program's address space; split the "
                  "input, or use a 64-bit build of minnow");
  return status == MN_OK ? EXIT_OK : report_status("planning", status);
}

exit_code index_memory_create(index_memory *into, const mn_options *options,
                              uint64_t capacity) {
  *into = (index_memory){.options = *options};
  mn_sizes sizes;
  exit_code code = index_memory_plan(into, capacity, &sizes);
  if (code == EXIT_OK)
    code = memory_take(&into->block, sizes.block_bytes, "the index");
  if (code != EXIT_OK)
    return code;
  mn_status status = mn_index_create(&into->index, options, (uint32_t)capacity,
                                     &into->block.arena);
  if (status != MN_OK)
    return report_status("creating", status);
  mn_index_use_features(&into->index, mn_host_cpu_features());
  return EXIT_OK;
}

exit_code index_memory_open(index_memory *into, index_file *file) {
  *into = (index_memory){.options = file->index.options};
  if (file->index.is_auto)
    into->options.structure = MN_AUTO;
  const mn_status status =
      mn_index_open_writable(&into->index, file->bytes, file->bytes_count);
  if (status != MN_OK)
    return report_index(file->path, status);
  mn_index_use_features(&into->index, mn_host_cpu_features());
  return EXIT_OK;
}

exit_code index_memory_resize(index_memory *into, uint64_t capacity) {
  if (capacity == into->index.capacity)
    return EXIT_OK;
  mn_sizes was, is;
  memory block = {.bytes = NULL};
  exit_code code = index_memory_plan(into, into->index.capacity, &was);
  if (code == EXIT_OK)
    code = index_memory_plan(into, capacity, &is);
  if (code != EXIT_OK)
    return code;
  const size_t host_bytes = into->index.block_bytes - was.block_bytes;
  code = memory_take(&block, is.block_bytes + host_bytes, "the index");
  if (code != EXIT_OK)
    return code;
  mn_status status =
      mn_index_resize(&into->index, (uint32_t)capacity, &block.arena);
  if (status != MN_OK) {
    memory_free(&block);
    return report_status("growing", status);
  }
  memory_free(&into->block);
  into->block = block;
  return EXIT_OK;
}

/* --- Packed and live ------------------------------------------------------ */

/* A section that the npm package keeps for a collection. */
bool index_memory_is_collection(const mn_index *index) {
  const void *data;
  size_t bytes;
  return mn_index_section(index, MN_SECTION('i', 'd', 's', '1'), &data,
                          &bytes) == MN_OK;
}

exit_code index_memory_pack(index_memory *into, const mn_index *live,
                            const char *path) {
  const mn_info info = mn_index_info(live);
  if (info.packed)
    return report(EXIT_USAGE, path, "packed already");
  if (info.count == 0)
    return report(EXIT_USAGE, path,
                  "without a vector; there is nothing to "
                  "pack");
  if (index_memory_is_collection(live))
    return report(EXIT_USAGE, path,
                  "a collection, whose documents packing would mix up; pack "
                  "it with the npm package: collection.pack()");
  *into = (index_memory){.options = live->options};
  mn_packing plan;
  mn_status status = mn_plan_pack(live, &plan);
  if (status == MN_OK && plan.scratch_bytes > SIZE_MAX - plan.block_bytes)
    status = MN_ERROR_TOO_LARGE;
  if (status != MN_OK)
    return report_index(path, status);
  exit_code code = memory_take(
      &into->block, plan.block_bytes + plan.scratch_bytes, "the packed index");
  if (code != EXIT_OK)
    return code;
  status = mn_index_pack(live, &into->index, &into->block.arena);
  return status == MN_OK ? EXIT_OK : report_index(path, status);
}

exit_code index_memory_thaw(index_memory *into, const mn_index *packed,
                            uint64_t capacity, const char *path) {
  const mn_info info = mn_index_info(packed);
  if (!info.packed)
    return report(EXIT_USAGE, path, "not packed, so there is nothing to thaw");
  if (capacity < info.count)
    return report(EXIT_USAGE, "--capacity",
                  "%s holds %u vectors; give that many or more", path,
                  info.count);
  *into = (index_memory){.options = packed->options};
  size_t bytes;
  mn_status status = capacity > MN_CAPACITY_MAX
                         ? MN_ERROR_TOO_LARGE
                         : mn_plan_thaw(packed, (uint32_t)capacity, &bytes);
  if (status != MN_OK)
    return report_index(path, status);
  const exit_code code = memory_take(&into->block, bytes, "the index");
  if (code != EXIT_OK)
    return code;
  status = mn_index_thaw(packed, (uint32_t)capacity, &into->index,
                         &into->block.arena);
  return status == MN_OK ? EXIT_OK : report_index(path, status);
}

exit_code index_memory_seal(index_memory *of) {
  const mn_status status = mn_index_seal(&of->index);
  return status == MN_OK ? EXIT_OK : report_status("sealing", status);
}

exit_code index_memory_write(index_memory *of, output_file *to) {
  const exit_code code = index_memory_seal(of);
  return code == EXIT_OK
             ? output_file_write(to, of->index.block, of->index.block_bytes)
             : code;
}

/* --- Room ----------------------------------------------------------------- */

exit_code index_memory_reserve(index_memory *into, uint32_t more) {
  uint64_t needed = (uint64_t)mn_index_info(&into->index).slots + more;
  uint64_t capacity = into->index.capacity;
  if (needed <= capacity)
    return EXIT_OK;
  capacity += capacity / 2;
  if (capacity > MN_CAPACITY_MAX)
    capacity = MN_CAPACITY_MAX;
  return index_memory_resize(into, needed > capacity ? needed : capacity);
}

exit_code index_memory_scratch(index_memory *into, size_t bytes) {
  if (into->scratch.bytes && bytes <= into->scratch.arena.capacity)
    return EXIT_OK;
  memory_free(&into->scratch);
  return memory_take(&into->scratch, bytes, "scratch");
}

void index_memory_free(index_memory *of) {
  memory_free(&of->block);
  memory_free(&of->scratch);
}
