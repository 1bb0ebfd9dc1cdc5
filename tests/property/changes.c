/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random sequences of add, update, upsert, delete, repair, resize, pack, thaw,
 * merge and search, against a naive model (model.h):
 *
 *     property_changes [SEQUENCES] [SEED]
 *
 * After every operation the block verifies and holds as many vectors as the
 * model; what is refused changes nothing; a scan gives the model's answer, and
 * a walk as many hits as it should, each of them right. A sequence that fails
 * is made shorter for as long as it fails, and printed with its seed.
 */
#include "trial.h"

#define OPERATIONS_MAX 40u

typedef enum op_kind {
  ADD,
  UPDATE,
  UPSERT,
  DELETE,
  REPAIR,
  RESIZE,
  PACK,
  MERGE,
  SEARCH,
  KINDS
} op_kind;

static const char *const kind_names[KINDS] = {"add",    "update", "upsert",
                                              "delete", "repair", "resize",
                                              "pack",   "merge",  "search"};

/* `seed` decides the rest, so that it stays the same when others are left out.
 */
typedef struct operation {
  op_kind kind;
  uint32_t seed;
} operation;

/* --- Operations ----------------------------------------------------------- */

/* What the keys must be refused for, if anything: the first fault counts for
 * deletes; in other calls either may be named. */
static int is_refused_rightly(const trial *t, const rows *r, op_kind kind,
                              mn_status status) {
  uint8_t seen[MODEL_KEYS] = {0};
  int unknown = 0, twice = 0, there = 0;
  for (uint32_t i = 0; i < r->count; i++) {
    unknown |= !t->model.has[r->keys[i]];
    there |= t->model.has[r->keys[i]];
    twice |= seen[r->keys[i]];
    seen[r->keys[i]] = 1;
  }
  if (kind == ADD)
    return status == MN_ERROR_CAPACITY ||
           (status == MN_ERROR_DUPLICATE_KEY && (there || twice));
  return (status == MN_ERROR_UNKNOWN_KEY && unknown && kind != UPSERT) ||
         (status == MN_ERROR_DUPLICATE_KEY && twice) ||
         (status == MN_ERROR_CAPACITY && kind != DELETE);
}

static mn_status apply(trial *t, op_kind kind, const rows *r) {
  const mn_vectors vectors = {r->data, r->count, MODEL_D};
  switch (kind) {
  case ADD:
    return mn_index_add(&t->index, r->keys, &vectors, NULL, &t->scratch);
  case UPDATE:
    return mn_index_update(&t->index, r->keys, &vectors, NULL, &t->scratch);
  case UPSERT:
    return mn_index_upsert(&t->index, r->keys, &vectors, NULL, &t->scratch);
  default:
    return mn_index_delete(&t->index, r->keys, r->count, NULL);
  }
}

/* Leaves out what would be refused, but for one time in eight. */
static void make_acceptable(const trial *t, op_kind kind, rows *r) {
  uint8_t seen[MODEL_KEYS] = {0};
  uint32_t kept = 0;
  if (draw(8) == 0)
    return;
  for (uint32_t i = 0; i < r->count; i++) {
    const uint64_t key = r->keys[i];
    const int there = t->model.has[key];
    const int fits = kind == UPSERT || there == (kind != ADD);
    if (!fits || seen[key])
      continue;
    seen[key] = 1;
    r->keys[kept] = key;
    memmove(r->data + kept * MODEL_D, r->data + i * MODEL_D,
            MODEL_D * sizeof *r->data);
    kept++;
  }
  r->count = kept;
}

static void change(trial *t, op_kind kind) {
  rows r;
  draw_rows(&r);
  make_acceptable(t, kind, &r);
  const uint64_t before = hash_of(&t->index);
  const mn_status status = apply(t, kind, &r);
  if (status != MN_OK) {
    expect(t, is_refused_rightly(t, &r, kind, status),
           "what it is refused for");
    expect(t, hash_of(&t->index) == before, "what is refused changes nothing");
    return;
  }
  for (uint32_t i = 0; i < r.count; i++)
    if (kind == DELETE)
      model_remove(&t->model, (uint32_t)r.keys[i]);
    else
      model_put(&t->model, (uint32_t)r.keys[i], r.data + i * MODEL_D);
}

static void repair(trial *t, uint32_t limit) {
  uint32_t left;
  expect(t, mn_index_repair(&t->index, limit, &left, &t->scratch) == MN_OK,
         "repair");
  if (limit == UINT32_MAX)
    expect(t, left == 0 && mn_index_info(&t->index).dead == 0,
           "repair comes to an end");
}

static void resize(trial *t) {
  const uint32_t slots = mn_index_info(&t->index).slots;
  const uint32_t capacity = slots + draw(150) + (slots == 0);
  expect(t, mn_index_resize(&t->index, capacity, &t->block) == MN_OK, "resize");
}

/* --- Merge ---------------------------------------------------------------- */

static mn_index make(const char *spec, uint32_t capacity, mn_arena *arena,
                     trial *t) {
  mn_index index = {.block = NULL};
  mn_options options = {
      .dimensions = MODEL_D, .metric = MN_L2, .ef_construction = 16};
  float sample[40 * MODEL_D];
  for (uint32_t i = 0; i < 40; i++)
    draw_row(sample + i * MODEL_D);
  const mn_vectors learnt = {sample, 40, MODEL_D};
  expect(t, mn_options_parse(&options, spec, strlen(spec), NULL) == MN_OK,
         spec);
  expect(t, mn_index_create(&index, &options, capacity, arena) == MN_OK,
         "create");
  if (t->wrong == NULL && !mn_index_info(&index).trained)
    expect(t, mn_index_train(&index, &learnt, &t->scratch) == MN_OK, "train");
  return index;
}

/* Another index, some keys of which may be here; room is made for it, most of
 * the time. */
static void merge(trial *t) {
  static const char *const specs[] = {"flat,f32", "hnsw4,f32", "hnsw5,f16"};
  const mn_merge_policy policy = (mn_merge_policy)draw(3);
  mn_arena arena = mn_arena_over(t->memory[1], MEMORY_BYTES);
  mn_index from = make(specs[draw(3)], ROWS_MAX, &arena, t);
  mn_merging m = {.capacity = 0};
  rows r;
  uint8_t seen[MODEL_KEYS] = {0};
  uint32_t count = 0, conflicts = 0;
  draw_rows(&r);
  for (uint32_t i = 0; i < r.count; i++) {
    const uint64_t key = r.keys[i];
    if (seen[key]++ ||
        (policy == MN_MERGE_REFUSE && t->model.has[key] && draw(20) > 0))
      continue;
    conflicts += t->model.has[key];
    r.keys[count] = key;
    memmove(r.data + count * MODEL_D, r.data + i * MODEL_D,
            MODEL_D * sizeof *r.data);
    count++;
  }
  const mn_vectors vectors = {r.data, count, MODEL_D};
  expect(t, mn_index_add(&from, r.keys, &vectors, NULL, &t->scratch) == MN_OK,
         "add to the other");
  expect(t, mn_plan_merge(&t->index, &from, policy, &m) == MN_OK, "plan merge");
  expect(t, m.conflicts == conflicts && m.added == count - conflicts,
         "what is in both");
  const int has_room = m.capacity <= t->index.capacity;
  if (!has_room && draw(8) > 0)
    expect(t, mn_index_resize(&t->index, m.capacity, &t->block) == MN_OK,
           "room for the other");
  const uint64_t before = hash_of(&t->index);
  const mn_status status =
      mn_index_merge(&t->index, &from, policy, NULL, &t->scratch);
  if (status != MN_OK) {
    expect(t,
           (status == MN_ERROR_DUPLICATE_KEY && policy == MN_MERGE_REFUSE &&
            conflicts > 0) ||
               (status == MN_ERROR_CAPACITY && !has_room),
           "what a merge is refused for");
    expect(t, hash_of(&t->index) == before, "what is refused changes nothing");
    return;
  }
  expect(t, policy != MN_MERGE_REFUSE || conflicts == 0, "conflicts refused");
  for (uint32_t i = 0; i < count; i++)
    if (policy != MN_MERGE_KEEP || !t->model.has[r.keys[i]])
      model_put(&t->model, (uint32_t)r.keys[i], r.data + i * MODEL_D);
}

/* --- Pack ----------------------------------------------------------------- */

/* Packs, which needs all that is dead to be gone, asks the packed one, and goes
 * on with what it thaws to. */
static void pack(trial *t) {
  mn_index packed, live;
  mn_packing plan;
  const mn_info info = mn_index_info(&t->index);
  if (info.dead > 0)
    expect(t, mn_plan_pack(&t->index, &plan) == MN_ERROR_ARGUMENT,
           "dead vectors are not packed");
  repair(t, UINT32_MAX);
  if (info.count == 0)
    return;
  mn_arena arena = mn_arena_over(t->memory[1], MEMORY_BYTES);
  const mn_status status = mn_index_pack(&t->index, &packed, &arena);
  expect(t, status == MN_OK, "pack");
  if (status != MN_OK)
    return;
  t->index = packed;
  check_index(t);
  search(t);
  mn_arena_rewind(&t->block, 0);
  expect(t,
         mn_index_thaw(&packed, info.count + draw(100), &live, &t->block) ==
             MN_OK,
         "thaw");
  t->index = live;
}

/* --- Sequences ------------------------------------------------------------ */

static void perform(trial *t, const operation *o) {
  state = o->seed;
  switch (o->kind) {
  case REPAIR:
    repair(t, draw(3) ? draw(100) : UINT32_MAX);
    break;
  case RESIZE:
    resize(t);
    break;
  case PACK:
    pack(t);
    break;
  case MERGE:
    merge(t);
    break;
  case SEARCH:
    search(t);
    break;
  default:
    change(t, o->kind);
  }
  check_index(t);
  if (t->wrong == NULL)
    search(t);
}

/* What is wrong after the operations, of which `*at` is the one that made it
 * so; NULL: nothing. */
static const char *run(trial *t, const char *spec, const operation *operations,
                       uint32_t count, uint32_t *at) {
  t->block = mn_arena_over(t->memory[0], MEMORY_BYTES);
  t->scratch = mn_arena_over(t->scratch_memory, MEMORY_BYTES);
  t->wrong = NULL;
  memset(&t->model, 0, sizeof t->model);
  t->index = make(spec, 100, &t->block, t);
  for (*at = 0; *at < count && t->wrong == NULL; ++*at)
    perform(t, &operations[*at]);
  return t->wrong;
}

/* Leaves out runs of operations, shorter and shorter ones, while the rest still
 * fails; how many are left. */
static uint32_t shrink(trial *t, const char *spec, operation *operations,
                       uint32_t count) {
  operation fewer[OPERATIONS_MAX];
  uint32_t at;
  for (uint32_t some = count; some > 0; some /= 2)
    for (uint32_t from = 0; from + some <= count;) {
      memcpy(fewer, operations, from * sizeof *fewer);
      memcpy(fewer + from, operations + from + some,
             (count - from - some) * sizeof *fewer);
      if (run(t, spec, fewer, count - some, &at) == NULL) {
        from += some;
        continue;
      }
      count -= some;
      memcpy(operations, fewer, count * sizeof *fewer);
    }
  return count;
}

static void draw_operations(operation *operations, uint32_t count) {
  static const op_kind likely[] = {
      ADD,    ADD,    ADD,    UPSERT, UPSERT, UPDATE, UPDATE, DELETE,
      DELETE, DELETE, REPAIR, REPAIR, RESIZE, PACK,   MERGE,  SEARCH};
  for (uint32_t i = 0; i < count; i++)
    operations[i].kind = likely[draw(sizeof likely / sizeof *likely)];
  for (uint32_t i = 0; i < count; i++)
    operations[i].seed = draw(UINT32_MAX);
}

static void test_sequence(trial *t, const char *spec, uint32_t seed) {
  operation operations[OPERATIONS_MAX];
  uint32_t at;
  state = seed * 2654435761u;
  const uint32_t count = 1 + draw(OPERATIONS_MAX);
  draw_operations(operations, count);
  const char *wrong = run(t, spec, operations, count, &at);
  if (!test_count(wrong == NULL))
    return;
  printf("%s, seed %u, operation %u of %u: not so: %s\n", spec, seed, at, count,
         wrong);
  const uint32_t left = shrink(t, spec, operations, count);
  wrong = run(t, spec, operations, left, &at);
  printf("  made shorter (%s):", wrong == NULL ? "no more" : wrong);
  for (uint32_t i = 0; i < left; i++)
    printf(" %s %u;", kind_names[operations[i].kind], operations[i].seed);
  printf("\n");
}

int main(int argc, char **argv) {
  static const char *const specs[] = {"hnsw4,f32", "flat,f32", "hnsw5,f16",
                                      "ivf4,f32"};
  const unsigned long sequences = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
  const uint32_t seed = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 1;
  trial t;
  memset(&t, 0, sizeof t);
  t.memory[0] = (uint8_t *)malloc(MEMORY_BYTES + MN_ALIGNMENT);
  t.memory[1] = (uint8_t *)malloc(MEMORY_BYTES + MN_ALIGNMENT);
  t.scratch_memory = (uint8_t *)malloc(MEMORY_BYTES + MN_ALIGNMENT);
  printf("%lu sequences from seed %u\n", sequences, seed);
  for (unsigned long i = 0; i < sequences; i++)
    test_sequence(&t, specs[i % 4], seed + (uint32_t)i);
  free(t.memory[0]);
  free(t.memory[1]);
  free(t.scratch_memory);
  return test_report();
}
