# dg_unit_test(NAME SOURCES... LIBRARIES...): a cmocka program as one ctest with the label "unit".
function(dg_unit_test name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE dg_flags ${arg_LIBRARIES} PkgConfig::cmocka)
  target_compile_definitions(${name} PRIVATE DG_TEST_DATA="${CMAKE_SOURCE_DIR}/tests")
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()
