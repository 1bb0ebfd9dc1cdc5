/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of live graphs: which neighbours are chosen, and links back to them. */
#ifndef MN_NEIGHBOURS_H
#define MN_NEIGHBOURS_H

#include "graph.h"
#include "structure.h"

/* What linking compares: codes with codes, by the planes that a walk reads. */
static inline mn_target mn_link_target(const mn_index *index) {
  return mn_codes_of(index, mn_codec_first_planes(&index->codec));
}

/* Of candidates, those that are nearer to the target's vector itself than to
 * `link`, in order, into `items`, which may be where they stand; their number.
 */
uint32_t mn_keep_apart(const mn_target *target, uint32_t link,
                       const mn_candidate *from, uint32_t count,
                       mn_chooser *chooser, mn_candidate *items);

/* Which of the candidates, nearest first, become links, up to `most`: those
 * that are nearer to the vector than to any chosen before (Algorithm 4). Into
 * chooser->chosen; their number. Uses the pool up. */
uint32_t mn_links_choose(const mn_index *index, mn_chooser *chooser,
                         mn_pool *candidates, uint32_t most);

/* A list of `count` links, of the `most` for which it has room. */
void mn_list_write(uint32_t *list, const uint32_t *slots, uint32_t count,
                   uint32_t most);

int mn_list_has(const uint32_t *list, uint32_t slot);

/* Puts a link behind the `plain` ones; a twin's stays last. There is room. */
void mn_list_append(uint32_t *list, uint32_t plain, uint32_t slot);

/* Adds a link from `from` to `slot`; a full list is chosen anew. 1 where the
 * link is in the list afterwards. */
int mn_link_back(const mn_index *index, mn_chooser *chooser,
                 mn_committer *committer, uint32_t from, uint32_t slot);

/* No list kept a link to `slot`. It takes the place of the last plain link in
 * its nearest neighbour's list and takes that link over, so that both stay
 * within reach. */
void mn_link_force(const mn_index *index, uint32_t slot);

#endif
