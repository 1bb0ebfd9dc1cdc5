# SPDX-License-Identifier: Apache-2.0
# QEMU's boards that the example runs on, and the compiler's flags for them.
# shellcheck shell=bash disable=SC2034
boards="mps2-an385 mps2-an386 mps2-an500 mps3-an547"

# At -Os gcc 12 makes of vcvt in an "it ne" block, for the M55, a vcvtne that its
# assembler takes for another instruction; hence -fno-if-conversion2.
board_flags() {
  case $1 in
  mps2-an385) echo -mcpu=cortex-m3 -mfloat-abi=soft ;;
  mps2-an386) echo -mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16 ;;
  mps2-an500) echo -mcpu=cortex-m7 -mfloat-abi=hard -mfpu=fpv5-sp-d16 ;;
  mps3-an547) echo -mcpu=cortex-m55 -mfloat-abi=hard -fno-if-conversion2 ;;
  *) echo "no board called $1; there are: $boards" >&2 && return 1 ;;
  esac
}

# The linker script with its memories.
board_script() {
  case $1 in
  mps2-*) echo mps2.ld ;;
  *) echo "$1.ld" ;;
  esac
}
