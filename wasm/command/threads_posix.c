/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include "threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct worker {
  threads *all;
  uint32_t number;
  pthread_t thread;
} worker;

/* `lock` guards `round`, `busy` and `ends`. */
struct threads {
  threads_task task;
  void *context;
  uint32_t tasks;   /* of this round */
  atomic_uint next; /* the first that nobody has taken */
  pthread_mutex_t lock;
  pthread_cond_t begins, done;
  uint64_t round;
  uint32_t busy; /* workers that have not finished this round */
  bool ends;
  uint32_t count; /* workers that were started, from 1 */
  worker workers[];
};

uint32_t threads_processors(void) {
  long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count < 1 ? 1 : (uint32_t)count;
}

static void take_tasks(threads *all, uint32_t number) {
  uint32_t task;
  while ((task = atomic_fetch_add(&all->next, 1)) < all->tasks)
    all->task(all->context, number, task);
}

static void *work(void *argument) {
  const worker *self = argument;
  threads *all = self->all;
  pthread_mutex_lock(&all->lock);
  for (uint64_t seen = 0;; seen++) {
    while (all->round == seen && !all->ends)
      pthread_cond_wait(&all->begins, &all->lock);
    if (all->ends)
      break;
    pthread_mutex_unlock(&all->lock);
    take_tasks(all, self->number);
    pthread_mutex_lock(&all->lock);
    if (--all->busy == 0)
      pthread_cond_signal(&all->done);
  }
  pthread_mutex_unlock(&all->lock);
  return NULL;
}

exit_code threads_create(threads **made, uint32_t count, threads_task task,
                         void *context) {
  size_t bytes = sizeof(threads) + count * sizeof(worker);
  threads *all = calloc(1, bytes);
  *made = all;
  if (!all)
    return report_memory("threads", bytes);
  all->task = task;
  all->context = context;
  all->count = 1;
  pthread_mutex_init(&all->lock, NULL);
  pthread_cond_init(&all->begins, NULL);
  pthread_cond_init(&all->done, NULL);
  for (; all->count < count; all->count++) {
    worker *next = &all->workers[all->count];
    *next = (worker){.all = all, .number = all->count};
    int error = pthread_create(&next->thread, NULL, work, next);
    if (error != 0) {
      uint32_t started = all->count;
      threads_end(all);
      *made = NULL;
      return report(EXIT_MEMORY, "--threads",
                    "%u were started, and no more can be: %s; give fewer",
                    started, strerror(error));
    }
  }
  return EXIT_OK;
}

void threads_run(threads *all, uint32_t tasks) {
  pthread_mutex_lock(&all->lock);
  all->tasks = tasks;
  atomic_store(&all->next, 0);
  all->busy = all->count - 1;
  all->round++;
  pthread_cond_broadcast(&all->begins);
  pthread_mutex_unlock(&all->lock);
  take_tasks(all, 0);
  pthread_mutex_lock(&all->lock);
  while (all->busy > 0)
    pthread_cond_wait(&all->done, &all->lock);
  pthread_mutex_unlock(&all->lock);
}

void threads_end(threads *all) {
  if (!all)
    return;
  pthread_mutex_lock(&all->lock);
  all->ends = true;
  pthread_cond_broadcast(&all->begins);
  pthread_mutex_unlock(&all->lock);
  for (uint32_t i = 1; i < all->count; i++)
    pthread_join(all->workers[i].thread, NULL);
  pthread_cond_destroy(&all->done);
  pthread_cond_destroy(&all->begins);
  pthread_mutex_destroy(&all->lock);
  free(all);
}
