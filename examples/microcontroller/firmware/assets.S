/* SPDX-License-Identifier: Apache-2.0 */
/* What host/build.mjs made, as constants. */
  .macro asset name, file
  .section .rodata.\name, "a"
  .balign 64
  .global \name
  .global \name\()_end
\name:
  .incbin "\file"
\name\()_end:
  .endm

  asset words_block, "words.mn"
  asset words_texts, "words.bin"
  asset passages_block, "passages.mn"
  asset passages_texts, "passages.bin"
