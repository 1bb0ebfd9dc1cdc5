/* SPDX-License-Identifier: Apache-2.0 */
#include "precision.h"

#include "arguments.h"

exit_code precision_read(const precision_words *words, mn_query *query) {
  const struct {
    const char *name, *text;
    uint64_t most;
    uint32_t *into;
  } numbers[] = {
      {"--ef", words->ef, MN_EF_MAX, &query->ef},
      {"--nprobe", words->nprobe, MN_NLIST_MAX, &query->nprobe},
      {"--planes", words->planes, 8, &query->planes},
      {"--refine-planes", words->refine_planes, 8, &query->refine_planes},
  };
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
    uint64_t number = 0;
    const exit_code code = arguments_number(numbers[i].name, numbers[i].text, 1,
                                            numbers[i].most, &number);
    if (code != EXIT_OK)
      return code;
    *numbers[i].into = (uint32_t)number;
  }
  const exit_code code = arguments_real("--gamma", words->gamma, 0x1p-20f,
                                        MN_GAMMA_MAX, &query->gamma);
  return code == EXIT_OK ? arguments_real("--refine-k", words->refine_k, 1,
                                          (float)MN_EF_MAX, &query->refine_k)
                         : code;
}

exit_code precision_check(const mn_query *query, const index_file *file) {
  char spec[MN_SPEC_BYTES];
  mn_sizes sizes;
  const mn_options *options = &file->index.options;
  mn_options_format(options, spec);
  if (query->nprobe > 0 && options->structure != MN_IVF)
    return report(EXIT_USAGE, "--nprobe", "%s is %s; lists are ivf's",
                  file->path, spec);
  if (query->gamma > 0 && options->metric == MN_IP)
    return report(EXIT_USAGE, "--gamma",
                  "%s has metric ip, whose distances have no zero to measure "
                  "from; take --ef",
                  file->path);
  const mn_status status = mn_plan_search(&file->index, query, &sizes);
  if (status == MN_ERROR_ARGUMENT)
    return report(EXIT_USAGE, "--planes",
                  "%s is %s; bits1 to bits8 take 1, 2, 4 or all of their bits, "
                  "and with --planes and no refine encoding --refine-planes "
                  "takes more of them",
                  file->path, spec);
  return status == MN_OK ? EXIT_OK : report_index(file->path, status);
}
