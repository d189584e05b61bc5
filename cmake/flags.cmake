# One INTERFACE target carries every warning and hardening flag; each room links it privately.
add_library(dg_flags INTERFACE)
target_compile_options(dg_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith
  -Wcast-qual -Wwrite-strings -Wvla -Wundef -Wformat=2 -Wimplicit-fallthrough
  -Wno-gnu-zero-variadic-macro-arguments -fno-strict-aliasing -fstack-protector-strong -fvisibility=hidden)
target_include_directories(dg_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(dg_flags INTERFACE _GNU_SOURCE DG_VERSION="${PROJECT_VERSION}")
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT DRAGOMAN_SANITIZE)
  target_compile_options(dg_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
  target_link_options(dg_flags INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)
endif()
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(dg_flags INTERFACE -Wno-pedantic-ms-format -fstack-clash-protection)
endif()
if(DRAGOMAN_SANITIZE)
  target_compile_options(dg_flags INTERFACE -fsanitize=${DRAGOMAN_SANITIZE} -fno-omit-frame-pointer
                         -fno-sanitize-recover=all)
  target_link_options(dg_flags INTERFACE -fsanitize=${DRAGOMAN_SANITIZE})
endif()
