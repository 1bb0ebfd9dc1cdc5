/* SPDX-License-Identifier: Apache-2.0 */
/* The file that BLOCK names, as constants: cc -c -DBLOCK='"index.mn"' block.S */
  .section .rodata.minnow_block, "a"
  .balign 64
  .global minnow_block
  .global minnow_block_end
minnow_block:
  .incbin BLOCK
minnow_block_end:
