# SPDX-License-Identifier: Apache-2.0
#
# Toolchain file: RISC-V by clang, without a libc (embedded/runtime has what the
# tests need). MN_XLEN is 32 or 64. QEMU runs the programs as Linux would.
set(MN_XLEN 32 CACHE STRING "bits of a register")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MN_XLEN)

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv${MN_XLEN})
set(CMAKE_C_COMPILER clang-22)
set(CMAKE_C_COMPILER_TARGET riscv${MN_XLEN}-unknown-elf)
set(CMAKE_AR /usr/lib/llvm-22/bin/llvm-ar)
set(CMAKE_RANLIB /usr/lib/llvm-22/bin/llvm-ranlib)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
if(MN_XLEN EQUAL 32)
  set(CMAKE_C_FLAGS_INIT "-march=rv32imafdc -mabi=ilp32d")
else()
  set(CMAKE_C_FLAGS_INIT "-march=rv64imafdc -mabi=lp64d -mcmodel=medany")
endif()
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG" CACHE STRING "")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib -fuse-ld=lld \
-T ${CMAKE_CURRENT_LIST_DIR}/riscv/virtual.ld")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-riscv${MN_XLEN})
