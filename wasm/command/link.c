/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include "arguments.h"
#include "progress.h"
#include "threads.h"

#include <stdlib.h>

/* A batch has no work for more threads than it has vectors. */
exit_code link_read_threads(const char *text, uint64_t *count) {
  const uint64_t processors = threads_processors();
  *count = processors < 1               ? 1
           : processors > MN_LINK_BATCH ? MN_LINK_BATCH
                                        : processors;
  exit_code code = arguments_number("--threads", text, 1, MN_LINK_BATCH, count);
  if (code == EXIT_OK && processors == 0 && *count > 1)
    return report(EXIT_USAGE, "--threads",
                  "this build of minnow has no threads; leave it out, or give "
                  "1: the index is the same");
  return code;
}

typedef struct worker {
  memory scratch;
  mn_status status;
} worker;

typedef struct linking {
  const mn_index *index;
  void *proposals;
  worker workers[MN_LINK_BATCH];
} linking;

static void propose(void *context, uint32_t thread, uint32_t task) {
  linking *l = context;
  worker *self = &l->workers[thread];
  const mn_index handle = *l->index;
  mn_status status = mn_index_propose(&handle, task, task + 1, l->proposals,
                                      &self->scratch.arena);
  if (status != MN_OK)
    self->status = status;
}

static exit_code link_batches(index_memory *of, const linking *l, threads *all,
                              uint32_t threads_count) {
  const mn_info begun = mn_index_info(&of->index);
  /* What is less than a batch waits for more. */
  const uint32_t total =
      begun.count - (begun.count - begun.linked) % MN_LINK_BATCH;
  progress_begin("linking");
  uint32_t count;
  while ((count = mn_index_batch(&of->index)) > 0) {
    threads_run(all, count);
    mn_status status = MN_OK;
    for (uint32_t i = 0; i < threads_count && status == MN_OK; i++)
      status = l->workers[i].status;
    if (status == MN_OK)
      status = mn_index_commit(&of->index, l->proposals, &of->scratch.arena);
    if (status != MN_OK)
      return report_status("linking", status);
    uint32_t linked = mn_index_info(&of->index).linked;
    progress_update(linked, total, linked);
  }
  progress_clear();
  return EXIT_OK;
}

exit_code link_vectors(index_memory *of, uint32_t threads_count) {
  if (mn_index_batch(&of->index) == 0)
    return EXIT_OK;
  linking l = {.index = &of->index};
  memory proposals = {.bytes = NULL};
  threads *all = NULL;
  mn_sizes sizes;
  exit_code code = index_memory_plan(of, of->index.capacity, &sizes);
  if (code == EXIT_OK)
    code = index_memory_scratch(of, sizes.commit_scratch_bytes);
  if (code == EXIT_OK)
    code = memory_take(&proposals, sizes.proposals_bytes, "proposals");
  for (uint32_t i = 0; i < threads_count && code == EXIT_OK; i++)
    code = memory_take(&l.workers[i].scratch, sizes.propose_scratch_bytes,
                       "scratch");
  if (code == EXIT_OK)
    code = threads_create(&all, threads_count, propose, &l);
  if (code == EXIT_OK) {
    l.proposals = mn_arena_allocate(&proposals.arena, sizes.proposals_bytes);
    code = link_batches(of, &l, all, threads_count);
    threads_end(all);
  }
  for (uint32_t i = 0; i < threads_count; i++)
    memory_free(&l.workers[i].scratch);
  memory_free(&proposals);
  return code;
}
