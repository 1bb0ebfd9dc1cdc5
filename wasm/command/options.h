/* SPDX-License-Identifier: Apache-2.0 */
/* Options of an index as the command line gives them. */
#ifndef MINNOW_COMMAND_OPTIONS_H
#define MINNOW_COMMAND_OPTIONS_H

#include "report.h"

#include <stdbool.h>

/* What --metric takes. */
#define METRICS "l2|ip|cosine|hamming|jaccard"

/* The name of a metric, as after --metric. */
const char *metric_name(mn_metric metric);

/* Whether vectors of it may be packed bits. */
bool metric_is_binary(mn_metric metric);

exit_code options_read_metric(const char *name, mn_options *options);
exit_code options_read_spec(const char *spec, mn_options *options);

/* Chooses by dimensions, metric, and the number of vectors; the packed index
 * takes no more than `budget` bytes (0: no bound), and may be read by pages. */
exit_code options_choose(mn_options *options, uint64_t count, uint64_t budget,
                         bool is_paged);

/* Says what cannot go together. Dimensions of 0 are not known yet. */
exit_code options_check(const mn_options *options);

/* What training needs. */
exit_code options_training(const mn_options *options, uint32_t count,
                           mn_training *training);

#endif
