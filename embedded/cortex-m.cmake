# SPDX-License-Identifier: Apache-2.0
#
# Toolchain file: a Cortex-M board, by Debian's arm-none-eabi-gcc without a libc
# (embedded/runtime has what the tests need). MN_BOARD names one of QEMU's
# boards, which runs the programs; MN_CPU are the compiler's flags for its
# processor.
set(MN_BOARD "" CACHE STRING "QEMU's name of the board; embedded/cortex-m/NAME.ld")
set(MN_CPU "" CACHE STRING "the compiler's flags for the processor")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MN_BOARD MN_CPU)

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY) # nothing links without a board
# No vectors but those of the kernels: the compiler would use Helium's for floats,
# and these take subnormal numbers for zeros.
set(CMAKE_C_FLAGS_INIT "-mthumb ${MN_CPU} -fno-tree-vectorize")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG" CACHE STRING "")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib -nostartfiles \
-L ${CMAKE_CURRENT_LIST_DIR}/cortex-m -T ${MN_BOARD}.ld")
set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/cortex-m/run
    ${MN_BOARD})
