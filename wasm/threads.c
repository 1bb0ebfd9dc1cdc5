/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module that links a graph in several threads: each is an instance of it,
 * with its own stack, over one shared memory that JavaScript lays out
 * (js/src/threads.ts). What a thread owns is in the room that it was given; the
 * module has no variables.
 */
#include "minnow.h"

#define EXPORT(name) __attribute__((export_name(#name))) name

/* At the beginning of a thread's room; scratch follows. */
struct thread {
  mn_index index;
  mn_arena scratch;
};

_Static_assert(sizeof(struct thread) <= 1024, "js/src/threads.ts");

int32_t EXPORT(open)(struct thread *room, size_t room_bytes, void *block,
                     size_t block_bytes) {
  room->scratch = mn_arena_over(room + 1, room_bytes - sizeof *room);
  return mn_index_open_writable(&room->index, block, block_bytes);
}

uint32_t EXPORT(batch)(const struct thread *room) {
  return mn_index_batch(&room->index);
}

int32_t EXPORT(propose)(struct thread *room, uint32_t from, uint32_t to,
                        void *proposals) {
  return mn_index_propose(&room->index, from, to, proposals, &room->scratch);
}

int32_t EXPORT(commit)(struct thread *room, const void *proposals) {
  return mn_index_commit(&room->index, proposals, &room->scratch);
}
