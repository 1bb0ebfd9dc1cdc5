/* SPDX-License-Identifier: Apache-2.0 */
/* minnow info: what an index holds. */
#include "arguments.h"
#include "commands.h"
#include "index_file.h"
#include "options.h"

#include <inttypes.h>
#include <stdio.h>

static const char *truth(uint32_t value) {
  return value ? "true" : "false";
}

/* Names as in the npm package's info(). */
static void print_json(const mn_info *info, const mn_training *training,
                       const char *spec) {
  printf(
      "{\"format\":\"%u.%u\",\"metric\":\"%s\",\"spec\":\"%s\","
      "\"auto\":%s,\"dimensions\":%u,\"count\":%u,\"capacity\":%u,"
      "\"slots\":%u,\"dead\":%u,\"linked\":%u,\"efConstruction\":%u,\"seed\":"
      "%" PRIu64 ",\"trained\":%s,\"training\":{\"least\":%u,\"enough\":%u},"
      "\"sealed\":%s,\"packed\":%s,\"clipped\":%" PRIu64 ",\"error\":%.9g,"
      "\"compression\":%.9g,\"blockBytes\":%" PRIu64 ",\"graphBytes\":%" PRIu64
      ",\"codeBytes\":%u,\"refineBytes\":%u,"
      "\"tunedEf\":%u,\"tunedGamma\":%.9g,\"tunedNprobe\":%u,"
      "\"tunedRefineK\":%.9g}\n",
      info->format_major, info->format_minor, metric_name(info->options.metric),
      spec, truth(info->is_auto), info->options.dimensions, info->count,
      info->capacity, info->slots, info->dead, info->linked,
      info->options.ef_construction, info->options.seed, truth(info->trained),
      training->least, training->enough, truth(info->sealed),
      truth(info->packed), info->clipped, (double)info->error,
      (double)info->compression, info->block_bytes, info->graph_bytes,
      info->code_bytes, info->refine_bytes, info->tuned_ef,
      (double)info->tuned_gamma, info->tuned_nprobe,
      (double)info->tuned_refine_k);
}

/* What `minnow tune` found. */
static void print_tuned(const mn_info *info) {
  if (info->tuned_ef == 0 && !(info->tuned_gamma > 0) &&
      info->tuned_nprobe == 0 && !(info->tuned_refine_k > 0))
    return;
  fputs("  tuned to         ", stdout);
  if (info->tuned_ef > 0)
    printf(" ef %u", info->tuned_ef);
  if (info->tuned_gamma > 0)
    printf(" gamma %.9g", (double)info->tuned_gamma);
  if (info->tuned_nprobe > 0)
    printf(" nprobe %u", info->tuned_nprobe);
  if (info->tuned_refine_k > 0)
    printf(" refine_k %.4g", (double)info->tuned_refine_k);
  puts("");
}

static void print_table(const char *path, const mn_info *info,
                        const mn_training *training, const char *spec) {
  const mn_options *options = &info->options;
  printf("%s\n", path);
  printf("  format            %u.%u\n", info->format_major, info->format_minor);
  printf("  metric            %s\n", metric_name(options->metric));
  printf("  spec              %s%s\n", spec,
         info->is_auto ? " (chosen by auto)" : "");
  printf("  dimensions        %u\n", options->dimensions);
  printf("  vectors           %u\n", info->count);
  printf("  capacity          %u\n", info->capacity);
  printf("  slots             %u\n", info->slots);
  if (info->dead > 0)
    printf("  deleted           %u, not repaired yet\n", info->dead);
  if (options->structure == MN_HNSW) {
    printf("  in the graph      %u\n", info->linked);
    printf("  ef_construction   %u\n", options->ef_construction);
  }
  printf("  seed              %" PRIu64 "\n", options->seed);
  if (training->least > 0)
    printf("  trained           %s (%u vectors are needed, %u are enough)\n",
           info->trained ? "yes" : "no", training->least, training->enough);
  printf("  clipped vectors   %" PRIu64 "\n", info->clipped);
  printf("  error             %.4g of the squared length\n",
         (double)info->error);
  printf("  sealed            %s\n",
         info->sealed ? "yes" : "no (checksums are not kept)");
  printf("  packed            %s\n",
         info->packed ? "yes (to search only)" : "no");
  printf("  bytes             %" PRIu64 "\n", info->block_bytes);
  if (info->count > 0)
    printf("  bytes a vector    %.1f in all, %.1f of them links\n",
           (double)info->block_bytes / info->count,
           (double)info->graph_bytes / info->count);
  printf("  bytes a code      %u", info->code_bytes);
  if (info->refine_bytes > 0)
    printf(", and %u to refine", info->refine_bytes);
  printf(": 1/%.3g of the floats\n", (double)info->compression);
  print_tuned(info);
}

exit_code command_info(int words_count, char **words) {
  const char *path = NULL;
  bool is_json = false;
  const argument arguments[] = {
      {"INDEX", "", &path, NULL, true},
      {"--json", "", NULL, &is_json, false},
  };
  exit_code code = arguments_read("info", arguments, 2, words_count, words);
  index_file file;
  if (code == EXIT_OK)
    code = index_file_open(&file, path, NULL);
  if (code != EXIT_OK)
    return code;
  mn_info info = mn_index_info(&file.index);
  mn_training training;
  char spec[MN_SPEC_BYTES];
  code = options_training(&info.options, 0, &training);
  mn_options_format(&info.options, spec);
  if (code == EXIT_OK && is_json)
    print_json(&info, &training, spec);
  else if (code == EXIT_OK)
    print_table(path, &info, &training, spec);
  index_file_close(&file);
  return output_end(code);
}
