# SPDX-License-Identifier: Apache-2.0
#
# Toolchain file: 64-bit ARM with Linux, by Debian's cross compiler. Programs are
# static and run under QEMU, as the processor that $QEMU_CPU names ("max": with
# every extension).
#
# gcc 12 for this target fails on two unit tests with an internal error of its
# vectorizer; the kernels do not need that.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_C_FLAGS_INIT -fno-tree-vectorize)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
