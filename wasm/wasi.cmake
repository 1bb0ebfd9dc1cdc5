# SPDX-License-Identifier: Apache-2.0
#
# Toolchain file: clang, wasm-ld and wasi-libc from the WASI SDK that
# $WASI_SDK_PATH names, else Debian's packages.
set(MN_WASI_SDK "$ENV{WASI_SDK_PATH}" CACHE PATH
    "WASI SDK; empty: Debian's clang-22, lld-22 and wasi-libc")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MN_WASI_SDK)

set(CMAKE_SYSTEM_NAME Generic) # CMake 3.25 knows no WASI
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(WASI TRUE)

if(MN_WASI_SDK)
  set(CMAKE_C_COMPILER ${MN_WASI_SDK}/bin/clang)
  set(CMAKE_AR ${MN_WASI_SDK}/bin/llvm-ar)
  set(CMAKE_RANLIB ${MN_WASI_SDK}/bin/llvm-ranlib)
  set(CMAKE_SYSROOT ${MN_WASI_SDK}/share/wasi-sysroot)
  # The target was renamed; newer SDKs warn about the old name.
  set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
  if(EXISTS ${CMAKE_SYSROOT}/lib/wasm32-wasip1)
    set(CMAKE_C_COMPILER_TARGET wasm32-wasip1)
  endif()
else()
  set(CMAKE_C_COMPILER clang-22)
  set(CMAKE_AR /usr/lib/llvm-22/bin/llvm-ar)
  set(CMAKE_RANLIB /usr/lib/llvm-22/bin/llvm-ranlib)
  # clang-22 prefers the new name of the target, wasi-libc has only the old.
  set(CMAKE_C_COMPILER_TARGET wasm32-wasi)
  set(CMAKE_C_FLAGS_INIT -Wno-deprecated)
  if(NOT EXISTS /usr/lib/wasm32-wasi)
    message(FATAL_ERROR "no wasi-libc: run tests/setup, or set WASI_SDK_PATH")
  endif()
endif()

# clang runs any wasm-opt on the PATH after linking; Debian's is too old for
# what clang-22 emits.
set(CMAKE_EXE_LINKER_FLAGS_INIT "--no-wasm-opt")

# Programs run under Node's WASI.
set(CMAKE_CROSSCOMPILING_EMULATOR
    node;--no-warnings;${CMAKE_CURRENT_LIST_DIR}/../tests/wasi.mjs)
