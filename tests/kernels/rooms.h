/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rooms: memory whose edges cannot be crossed unnoticed. Native ones lie
 * between two unreadable pages; in WebAssembly and on boards one ends where
 * memory ends.
 */
#ifndef MN_TESTS_KERNELS_ROOMS_H
#define MN_TESTS_KERNELS_ROOMS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if !defined(__wasm__) && !defined(MN_ON_BOARD)
#include <sys/mman.h>
#endif

#define GUARD_BYTES 65536u /* a multiple of every page size */
#define ROOM_BYTES  (5u * GUARD_BYTES)

typedef struct {
  uint8_t *begin, *end;
} room;

static room rooms[2];

#if defined(__wasm__)

/* Only one room can end where memory ends, so the operands take turns. */
#define TURNS 2

static void make_rooms(void) {
  static uint8_t other[ROOM_BYTES];
  rooms[1] = (room){other, other + ROOM_BYTES};
  size_t page = __builtin_wasm_memory_grow(0, ROOM_BYTES / 65536);
  if (page == SIZE_MAX) {
    printf("no memory\n");
    exit(1);
  }
  uint8_t *begin = (uint8_t *)(page * 65536);
  rooms[0] = (room){begin, begin + ROOM_BYTES};
}

/* Whether memory still ends with the room. */
static int rooms_are_tight(void) {
  return __builtin_wasm_memory_size(0) * 65536 == (size_t)rooms[0].end;
}

#elif defined(MN_ON_BOARD)

#define TURNS 2

/* Of the linker script: behind it no memory answers. */
extern uint8_t mn_edge_end[];

static void make_rooms(void) {
  static uint8_t other[ROOM_BYTES];
  rooms[0] = (room){mn_edge_end - ROOM_BYTES, mn_edge_end};
  rooms[1] = (room){other, other + ROOM_BYTES};
}

static int rooms_are_tight(void) {
  return 1;
}

#else

#define TURNS 1

static void make_rooms(void) {
  for (int i = 0; i < 2; i++) {
    uint8_t *all = mmap(NULL, ROOM_BYTES + 2 * GUARD_BYTES, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED ||
        mprotect(all + GUARD_BYTES, ROOM_BYTES, PROT_READ | PROT_WRITE) != 0) {
      perror("mmap");
      exit(1);
    }
    rooms[i] = (room){all + GUARD_BYTES, all + GUARD_BYTES + ROOM_BYTES};
  }
}

static int rooms_are_tight(void) {
  return 1;
}

#endif

/* A copy of `bytes` bytes that lies `shift` bytes from an edge of the room. */
static const void *place(room in, int at_end, uint32_t shift, const void *data,
                         size_t bytes) {
  uint8_t *p = at_end ? in.end - shift - bytes : in.begin + shift;
  memcpy(p, data, bytes);
  return p;
}

#endif
