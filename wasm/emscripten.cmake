# SPDX-License-Identifier: Apache-2.0
#
# Toolchain file: Emscripten from the emsdk that $EMSDK names, else Debian's.
set(MN_EMSDK "$ENV{EMSDK}" CACHE PATH "emsdk; empty: Debian's emscripten")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES MN_EMSDK)
if(MN_EMSDK)
  include("${MN_EMSDK}/upstream/emscripten/cmake/Modules/Platform/Emscripten.cmake")
  return()
endif()

set(debian_emscripten /usr/share/emscripten)
if(NOT EXISTS ${debian_emscripten})
  message(FATAL_ERROR "no Emscripten: run tests/setup, or set EMSDK")
endif()

# Debian 12's Emscripten 3.1.6 comes with LLVM 14. A newer LLVM beside it makes
# a smaller and faster module, and is the one that wasi.cmake uses.
set(debian_config ${debian_emscripten}/.emscripten)
set(debian_llvm /usr/lib/llvm-22/bin)
if(EXISTS ${debian_llvm}/clang AND EXISTS ${debian_llvm}/wasm-ld)
  set(debian_config ${CMAKE_BINARY_DIR}/emscripten-config.py)
  file(CONFIGURE OUTPUT ${debian_config} @ONLY CONTENT [[
EMSCRIPTEN_ROOT = '@debian_emscripten@'
LLVM_ROOT = '@debian_llvm@'
BINARYEN_ROOT = '/usr'
NODE_JS = 'node'
FROZEN_CACHE = True
]])
  # LLVM 22's linker puts the stack first unless told; Emscripten 3.1.6 checks
  # that the stack lies behind the data.
  set(CMAKE_EXE_LINKER_FLAGS_INIT "-Wl,--no-stack-first")
  set(CMAKE_AR ${debian_llvm}/llvm-ar CACHE FILEPATH "" FORCE)
  set(CMAKE_RANLIB ${debian_llvm}/llvm-ranlib CACHE FILEPATH "" FORCE)
endif()

# Both are read by every run of emcc: by CMake's own (through ENV), and by the
# build's (through the launchers). NODE_PATH is where Debian keeps acorn.
set(ENV{EM_CONFIG} ${debian_config})
set(ENV{NODE_PATH} /usr/share/nodejs)
set(CMAKE_C_COMPILER_LAUNCHER
    env EM_CONFIG=${debian_config} NODE_PATH=/usr/share/nodejs)
set(CMAKE_C_LINKER_LAUNCHER ${CMAKE_C_COMPILER_LAUNCHER})
include(${debian_emscripten}/cmake/Modules/Platform/Emscripten.cmake)
