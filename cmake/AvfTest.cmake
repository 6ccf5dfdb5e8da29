# What has the label threads, to be built without all else.
add_custom_target(thread_tests)

# avf_program_test(PATH LABELS label... [LIBS target...] [TIMEOUT s] [ARGS a...])
# tests/PATH.c as a plain program under ctest. It prints "ok NAME",
# "not ok NAME" or "skip NAME: REASON" per test, and exits 77 after
# "SKIP: REASON" when it can do nothing here. Labels say where
# scripts/test.sh runs it: host, lab, emulated, threads.
function(avf_program_test path)
	cmake_parse_arguments(T "" "TIMEOUT" "ARGS;LABELS;LIBS" ${ARGN})
	string(REPLACE "/" "_" target "${path}")
	add_executable(${target} "${PROJECT_SOURCE_DIR}/tests/${path}.c")
	set_target_properties(${target} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
	target_include_directories(${target} PRIVATE
		"${PROJECT_SOURCE_DIR}/tests")
	target_link_libraries(${target} PRIVATE avf_flags ${T_LIBS})
	add_test(NAME ${path} COMMAND ${target} ${T_ARGS})
	if("threads" IN_LIST T_LABELS)
		add_dependencies(thread_tests ${target})
	endif()
	if(NOT T_TIMEOUT)
		set(T_TIMEOUT 120)
	endif()
	set_tests_properties(${path} PROPERTIES LABELS "${T_LABELS}"
		TIMEOUT ${T_TIMEOUT} SKIP_RETURN_CODE 77)
endfunction()
