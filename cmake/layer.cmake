# troupe_layer(name SOURCES … MAY_USE …): the library of one folder. MAY_USE is the whole list of what it may include.
add_library(troupe_flags INTERFACE)
target_compile_options(troupe_flags INTERFACE -Wall -Wextra -Wpedantic -Werror)
target_include_directories(troupe_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(troupe_flags INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)
if(TROUPE_SANITIZE)
  # CAF's function-actor factory binds null references: facts of 0.17.6, not ours to report.
  target_compile_options(troupe_flags INTERFACE -fsanitize=${TROUPE_SANITIZE} -fno-omit-frame-pointer -g1)
  target_link_options(troupe_flags INTERFACE -fsanitize=${TROUPE_SANITIZE})
  if(TROUPE_SANITIZE MATCHES undefined)
    target_compile_options(troupe_flags INTERFACE -fno-sanitize=null,vptr -fno-sanitize-recover=undefined)
  endif()
endif()

function(troupe_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;MAY_USE;WITH")
  list(TRANSFORM arg_MAY_USE PREPEND troupe_)
  if(arg_SOURCES)
    add_library(troupe_${name} STATIC ${arg_SOURCES})
    target_link_libraries(troupe_${name} PUBLIC troupe_flags ${arg_MAY_USE} ${arg_WITH})
  else()
    add_library(troupe_${name} INTERFACE)
    target_link_libraries(troupe_${name} INTERFACE troupe_flags ${arg_MAY_USE} ${arg_WITH})
  endif()
endfunction()

# What tools/sanitize builds: every program of tests, no benchmark.
add_custom_target(troupe_tests)

# troupe_test(name SOURCES … MAY_USE … WITH … PREFIX …): one GoogleTest program; PREFIX goes before its tests' names.
function(troupe_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "PREFIX" "SOURCES;MAY_USE;WITH")
  list(TRANSFORM arg_MAY_USE PREPEND troupe_)
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE troupe_flags ${arg_MAY_USE} ${arg_WITH} GTest::gtest_main)
  add_dependencies(troupe_tests ${name})
  install(TARGETS ${name} COMPONENT tests RUNTIME DESTINATION bin)
  gtest_discover_tests(${name} TEST_PREFIX "${arg_PREFIX}" DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 900)
endfunction()
