/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pages of a block a search reads:
 *
 *     pages PREFIX N QUERIES DIMENSIONS METRIC SPEC
 *
 * builds the index, says how large it is as one line of JSON, and answers each
 * line of standard input, "EF" (as in native.c), with one line of JSON: the
 * mean number of distinct pages of 4 KB and 64 KB per query, by what lies in
 * them. The block is copied to pages of its own, which before every query
 * become unreadable; the signal that reading one raises makes that one readable
 * and remembers it. What is only prefetched raises none.
 */
#define _DEFAULT_SOURCE
#include "index.h"

#include <signal.h>
#include <sys/mman.h>

#define PAGE_BYTES  ((size_t)4096)
#define LARGE_BYTES ((size_t)65536)

enum { CODES, LINKS, MODEL, REST, KINDS, ALL = KINDS };

/* The sections of each kind; whatever else is in the block is the rest. */
static const char *const section_names[REST][5] = {
    {"CODE", "REST", "FINE", "FRST"}, {"LINK", "ENTR", "LIST"}, {"MODL"}};

typedef struct extent {
  size_t from, to; /* offsets in the block */
} extent;

typedef struct watch {
  uint8_t *at; /* the block's copy, a multiple of LARGE_BYTES */
  size_t bytes;
  size_t *touched; /* offsets of the reads that raised a signal */
  volatile size_t count;
  extent extents[REST][5];
  uint32_t *seen[KINDS + 1]; /* by large page: the last query that read it */
} watch;

typedef struct page_counts {
  uint64_t small[KINDS + 1], large[KINDS + 1];
} page_counts;

static watch watched;

static void protect(size_t offset, size_t bytes, int how) {
  if (mprotect(watched.at + offset, bytes, how) != 0)
    bench_fail("mprotect");
}

static void on_read(int number, siginfo_t *info, void *context) {
  size_t offset = (size_t)((uintptr_t)info->si_addr - (uintptr_t)watched.at);
  (void)context;
  if (offset >= watched.bytes) { /* a fault of the program's own */
    signal(number, SIG_DFL);
    return;
  }
  watched.touched[watched.count++] = offset;
  protect(offset & ~(PAGE_BYTES - 1), PAGE_BYTES, PROT_READ);
}

static extent find_section(const mn_index *index, const char *name) {
  const void *data;
  size_t bytes;
  uint32_t tag = MN_SECTION(name[0], name[1], name[2], name[3]);
  if (mn_index_section(index, tag, &data, &bytes) != MN_OK)
    return (extent){0, 0};
  size_t from = (size_t)((const uint8_t *)data - index->block);
  return (extent){from, from + bytes};
}

static int kind_of(size_t offset) {
  for (int kind = 0; kind < REST; kind++)
    for (int i = 0; i < 5; i++)
      if (offset >= watched.extents[kind][i].from &&
          offset < watched.extents[kind][i].to)
        return kind;
  return REST;
}

/* The same index in pages of its own. */
static mn_index copy_to_pages(const mn_index *index) {
  size_t room = index->block_bytes + 2 * LARGE_BYTES;
  size_t large_pages = room / LARGE_BYTES;
  uint8_t *memory = mmap(NULL, room, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    bench_fail("mmap");
  memory += -(uintptr_t)memory & (LARGE_BYTES - 1);
  memcpy(memory, index->block, index->block_bytes);
  watched.at = memory;
  watched.bytes = (index->block_bytes + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
  watched.touched = malloc(watched.bytes / PAGE_BYTES * sizeof(size_t));
  for (int kind = 0; kind <= ALL; kind++)
    watched.seen[kind] = calloc(large_pages, sizeof(uint32_t));
  for (int kind = 0; kind < REST; kind++)
    for (int i = 0; section_names[kind][i]; i++)
      watched.extents[kind][i] = find_section(index, section_names[kind][i]);
  mn_index copy;
  bench_check(mn_index_open(&copy, memory, index->block_bytes), "open");
  return copy;
}

static void see_large(page_counts *counts, int kind, size_t page,
                      uint32_t query) {
  if (watched.seen[kind][page] == query)
    return;
  watched.seen[kind][page] = query;
  counts->large[kind]++;
}

/* `query` is a number above 0 that no earlier query had. */
static void count_pages(page_counts *counts, uint32_t query) {
  for (size_t i = 0; i < watched.count; i++) {
    int kind = kind_of(watched.touched[i]);
    counts->small[kind]++;
    counts->small[ALL]++;
    see_large(counts, kind, watched.touched[i] / LARGE_BYTES, query);
    see_large(counts, ALL, watched.touched[i] / LARGE_BYTES, query);
  }
}

static void say_kinds(const char *name, const uint64_t counts[KINDS + 1],
                      double divisor) {
  printf("\"%s\":{\"codes\":%.2f,\"links\":%.2f,\"model\":%.2f,\"rest\":%.2f,"
         "\"all\":%.2f}",
         name, (double)counts[CODES] / divisor, (double)counts[LINKS] / divisor,
         (double)counts[MODEL] / divisor, (double)counts[REST] / divisor,
         (double)counts[ALL] / divisor);
}

static void say_pages(const bench_set *set, const mn_index *index,
                      mn_arena *scratch, uint32_t ef) {
  static uint32_t number;
  page_counts counts = {{0}, {0}};
  mn_hit hits[BENCH_K];
  uint32_t found;
  mn_query query = bench_query_for(set, index->options.structure, ef);
  for (uint32_t q = 0; q < set->queries; q++) {
    query.vector = bench_query(set, q);
    watched.count = 0;
    protect(0, watched.bytes, PROT_NONE);
    bench_check(mn_index_search(index, &query, hits, &found, scratch),
                "search");
    count_pages(&counts, ++number);
  }
  printf("{\"ef\":%u,", ef);
  say_kinds("small", counts.small, set->queries);
  printf(",");
  say_kinds("large", counts.large, set->queries);
  printf("}\n");
}

/* Links in all lists (FORMAT.md, section 5). A live list is a length, whose
 * highest bit marks a twin's, and room for 2M numbers; a packed block has a
 * byte with the length of each, behind a number for every 16 of them. */
static uint32_t list_length(const mn_info *info, const uint8_t *links,
                            uint32_t slot) {
  uint32_t length;
  if (info->packed)
    return links[((size_t)info->capacity + 15) / 16 * sizeof length + slot];
  size_t list_bytes = (1 + 2 * (size_t)info->options.m) * sizeof length;
  memcpy(&length, links + slot * list_bytes, sizeof length);
  return length & 0x7fffffffu;
}

static uint64_t links_of(const mn_index *index) {
  mn_info info = mn_index_info(index);
  extent where = find_section(index, "LINK");
  uint64_t links = 0;
  for (uint32_t slot = 0; where.to > where.from && slot < info.count; slot++)
    links += list_length(&info, index->block + where.from, slot);
  return links;
}

static void say_built(const mn_index *index) {
  uint64_t kinds[KINDS + 1] = {0};
  for (int kind = 0; kind < REST; kind++)
    for (int i = 0; i < 5; i++)
      kinds[kind] +=
          watched.extents[kind][i].to - watched.extents[kind][i].from;
  kinds[ALL] = index->block_bytes;
  kinds[REST] = kinds[ALL] - kinds[CODES] - kinds[LINKS] - kinds[MODEL];
  printf("{\"links\":%llu,", (unsigned long long)links_of(index));
  say_kinds("bytes", kinds, 1);
  printf("}\n");
}

int main(int argc, char **argv) {
  bench_set set = bench_open(argc, argv);
  mn_query largest = bench_query_for(&set, MN_HNSW, BENCH_EF_MAX);
  bench_index built = bench_build(&set, argv[6], &largest);
  mn_index index = copy_to_pages(&built.index);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = on_read;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &action, NULL);
  say_built(&built.index);
  fflush(stdout);
  char line[32];
  while (fgets(line, sizeof line, stdin)) {
    say_pages(&set, &index, &built.scratch, (uint32_t)strtoul(line, NULL, 10));
    fflush(stdout);
  }
  return 0;
}
