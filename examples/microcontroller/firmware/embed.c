/* SPDX-License-Identifier: Apache-2.0 */
#include "embed.h"

enum { LONGEST_WORD = 32 };

/* The next word of letters and digits, in lower case; its length, 0 at the end.
 */
static size_t take_word(const char **text, char *word) {
  size_t length = 0;
  for (;; ++*text) {
    char c = **text;
    if (c >= 'A' && c <= 'Z')
      c = (char)(c + ('a' - 'A'));
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      if (length < LONGEST_WORD)
        word[length++] = c;
    } else if (length > 0 || c == 0)
      return length;
  }
}

/* Below 0, 0 or above, as a comes before b, is b, or comes after it. */
static int compare(const char *a, size_t a_bytes, const char *b,
                   size_t b_bytes) {
  for (size_t i = 0; i < a_bytes && i < b_bytes; i++)
    if (a[i] != b[i])
      return (unsigned char)a[i] - (unsigned char)b[i];
  return (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static int find(const texts *words, const char *word, size_t length,
                uint32_t *number) {
  uint32_t from = 0, to = words->count;
  while (from < to) {
    const uint32_t middle = from + (to - from) / 2;
    size_t bytes;
    const char *text = text_at(words, middle, &bytes);
    const int order = compare(word, length, text, bytes);
    if (order == 0) {
      *number = middle;
      return 1;
    }
    if (order < 0)
      to = middle;
    else
      from = middle + 1;
  }
  return 0;
}

mn_status embed(const vocabulary *vocabulary, const char *text, float *vector,
                float *word_vector, uint32_t *known, mn_arena *scratch) {
  const uint32_t d = vocabulary->vectors.options.dimensions;
  char word[LONGEST_WORD];
  size_t length;
  *known = 0;
  for (uint32_t j = 0; j < d; j++)
    vector[j] = 0.0f;
  while ((length = take_word(&text, word)) > 0) {
    uint32_t number;
    if (!find(vocabulary->words, word, length, &number))
      continue;
    const mn_status status = mn_index_reconstruct(&vocabulary->vectors, number,
                                                  word_vector, d, scratch);
    if (status != MN_OK)
      return status;
    for (uint32_t j = 0; j < d; j++)
      vector[j] += word_vector[j];
    ++*known;
  }
  return MN_OK;
}
