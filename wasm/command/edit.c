/* SPDX-License-Identifier: Apache-2.0 */
#include "edit.h"

#include "link.h"
#include "progress.h"

/* Slots to a step: some milliseconds. */
#define REPAIR_STEP 512u

exit_code edit_begin(edit *e) {
  exit_code code = output_file_check(e->output);
  if (code == EXIT_OK)
    code = index_file_open(&e->file, e->path, NULL);
  if (code == EXIT_OK)
    code = index_file_verify(&e->file);
  if (code == EXIT_OK)
    code = index_memory_open(&e->memory, &e->file);
  if (code != EXIT_OK)
    return code;
  e->was = mn_index_info(&e->memory.index);
  if (e->was.packed)
    return report(EXIT_USAGE, e->path,
                  "packed, to search only; make it live by `minnow thaw`");
  if (index_memory_is_collection(&e->memory.index))
    return report(EXIT_USAGE, e->path,
                  "a collection, whose documents must change with it; use the "
                  "npm package");
  return EXIT_OK;
}

exit_code edit_repair(index_memory *of) {
  if (mn_index_info(&of->index).dead == 0)
    return EXIT_OK;
  mn_sizes sizes;
  exit_code code = index_memory_plan(of, of->index.capacity, &sizes);
  if (code == EXIT_OK)
    code = index_memory_scratch(of, sizes.repair_scratch_bytes);
  progress_begin("repairing");
  uint32_t left = 1, total = 0;
  while (code == EXIT_OK && left > 0) {
    const mn_status status =
        mn_index_repair(&of->index, REPAIR_STEP, &left, &of->scratch.arena);
    if (status != MN_OK)
      code = report_status("repairing", status);
    total = left > total ? left : total;
    progress_update(total - left, total, total - left);
  }
  progress_clear();
  return code;
}

static exit_code finish(edit *e, uint32_t threads_count) {
  index_memory *into = &e->memory;
  exit_code code = edit_repair(into);
  const uint32_t slots = mn_index_info(&into->index).slots;
  if (code == EXIT_OK)
    code = index_memory_resize(into, slots ? slots : 1);
  return code == EXIT_OK ? link_vectors(into, threads_count) : code;
}

exit_code edit_write(edit *e, exit_code code, uint32_t threads_count) {
  output_file to;
  if (code == EXIT_OK)
    code = finish(e, threads_count);
  if (code == EXIT_OK)
    code = output_file_begin(&to, e->output);
  return code == EXIT_OK
             ? output_file_end(&to, index_memory_write(&e->memory, &to))
             : code;
}

void edit_free(edit *e) {
  index_memory_free(&e->memory);
  index_file_close(&e->file);
}
