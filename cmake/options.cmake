# How everything of ours is compiled. Presets (CMakePresets.json) choose; this file says what a choice means.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

set(PBXGW_SANITIZE "" CACHE STRING "address (with undefined), thread, fuzzer (clang), or empty")
# Not in the optimized presets, which users build: what gcc's optimizer warns of differs from version to version, and is
# often not there.
option(PBXGW_WERROR "Treat warnings in our own code as errors" ON)

# Set by scripts/images.sh, which asks git.
set(PBXGW_VERSION ${PROJECT_VERSION} CACHE STRING "What the programs say they are: --version, pbxgw_build_info")

option(PBXGW_TESTS "The tests and bench/ besides the programs; they need GoogleTest" ON)
option(PBXGW_PRECOMPILE "Precompile the headers that most files of a target include" ON)

# ccache, when it is there: a second clean build of the same sources takes seconds.
find_program(CCACHE ccache)
if(CCACHE)
  # Cached by what the sources are, not by where the checkout lies. The sloppiness is what ccache's manual asks for with
  # precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
endif()

# mold or lld, when they are there: linking gRPC with bfd takes longer than compiling most files.
find_program(MOLD mold)
find_program(LLD ld.lld)
if(MOLD AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  add_link_options(-fuse-ld=mold)
elseif(LLD)
  add_link_options(-fuse-ld=lld)
endif()

# Applied by pbxgw_library() and pbxgw_program() only, so that generated code is not judged by it.
set(PBXGW_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
if(PBXGW_WERROR)
  list(APPEND PBXGW_WARNINGS -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # gcc 12 sees uninitialized members in coroutine frames that are not there (gcc bug 101515 and kin).
  # With sanitizers it also takes Asio's awaitable frames for deleted by another operator than theirs.
  list(APPEND PBXGW_WARNINGS -Wno-maybe-uninitialized -Wno-mismatched-new-delete)
endif()

if(PBXGW_SANITIZE STREQUAL address)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
elseif(PBXGW_SANITIZE STREQUAL thread)
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # Asio fences what its mutexes order anyway; gcc warns that the sanitizer does not see fences.
    list(APPEND PBXGW_WARNINGS -Wno-tsan)
  endif()
  add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
  add_link_options(-fsanitize=thread)
elseif(PBXGW_SANITIZE STREQUAL fuzzer)
  # -fno-sanitize=function: clang 14 cannot assemble coroutines with it.
  add_compile_options(-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize=function
                      -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined -fno-sanitize=function)
endif()

# pbxgw_library(NAME SOURCES... ) a layer under libs/, included as "name/header.h".
function(pbxgw_library name)
  add_library(${name} STATIC ${ARGN})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR}/libs)
  target_compile_options(${name} PRIVATE ${PBXGW_WARNINGS})
endfunction()

# pbxgw_program(NAME SOURCES...) an executable; its services/ headers are included as "service/header.h".
function(pbxgw_program name)
  add_executable(${name} ${ARGN})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/libs ${PROJECT_SOURCE_DIR}/services)
  target_compile_options(${name} PRIVATE ${PBXGW_WARNINGS})
endfunction()

# pbxgw_precompile(TARGET HEADERS...) Libraries' headers that most files of the target include: they cost more to read
# than our code. pbxgw_precompile(TARGET REUSE_FROM OTHER) shares OTHER's. Files still include what they use; the release
# preset, which precompiles nothing, checks that.
function(pbxgw_precompile target)
  if(NOT PBXGW_PRECOMPILE)
    return()
  endif()
  if("${ARGV1}" STREQUAL REUSE_FROM)
    target_precompile_headers(${target} ${ARGN})
  else()
    target_precompile_headers(${target} PRIVATE ${ARGN})
  endif()
  # As ccache wants it of gcc.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess>)
endfunction()
