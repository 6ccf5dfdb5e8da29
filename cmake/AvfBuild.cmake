# Flags and the helpers that every folder uses.

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
	set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

# The layout of an installation, so that the library finds avf-vmm beside
# itself in the build tree too.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(AVF_LIBEXEC_OUTPUT "${CMAKE_BINARY_DIR}/libexec/libvirtualization")
set(AVF_LIBEXECDIR "${CMAKE_INSTALL_LIBEXECDIR}/libvirtualization")

# Flags of everything that is ours. An interface target, so that nothing of it
# reaches a project that embeds us.
add_library(avf_flags INTERFACE)
target_include_directories(avf_flags INTERFACE
	"${PROJECT_SOURCE_DIR}/lib" "${PROJECT_SOURCE_DIR}/include"
	"${PROJECT_SOURCE_DIR}/include/avf/ndk")
target_compile_definitions(avf_flags INTERFACE _GNU_SOURCE)
target_compile_options(avf_flags INTERFACE
	-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
	-Wmissing-prototypes -Wcast-qual -Wpointer-arith -Wundef -Wvla
	-Wwrite-strings -Wimplicit-fallthrough -Wformat=2
	-fno-common -fstack-protector-strong
	-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
if(AVF_WERROR)
	target_compile_options(avf_flags INTERFACE -Werror)
endif()
if(AVF_FUZZ)
	set(AVF_SANITIZE address,undefined)
	target_compile_options(avf_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(AVF_SANITIZE)
	target_compile_options(avf_flags INTERFACE
		-fsanitize=${AVF_SANITIZE} -fno-omit-frame-pointer
		-fno-sanitize-recover=all)
	target_link_options(avf_flags INTERFACE -fsanitize=${AVF_SANITIZE})
	# gcc's TSan does not follow fences; they order us against a guest, which
	# it cannot see in any case
	if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND AVF_SANITIZE MATCHES "thread")
		target_compile_options(avf_flags INTERFACE -Wno-tsan)
	endif()
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
	target_compile_options(avf_flags INTERFACE
		-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()

# avf_module(NAME SOURCES file... [LIBS target...])
# One folder of lib/, as an object library "avf_NAME". Use it by linking
# "avf_NAME" and naming its objects through avf_link_modules().
function(avf_module name)
	cmake_parse_arguments(M "" "" "SOURCES;LIBS" ${ARGN})
	add_library(avf_${name} STATIC ${M_SOURCES})
	set_target_properties(avf_${name} PROPERTIES
		OUTPUT_NAME avf_module_${name}
		ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/modules")
	target_link_libraries(avf_${name} PRIVATE avf_flags)
	target_link_libraries(avf_${name} PUBLIC ${M_LIBS})
endfunction()

# avf_unit_test(module/test_x LIBS avf_x...): tests/unit/module/test_x.c with
# criterion, registered under its path.
function(avf_unit_test path)
	cmake_parse_arguments(T "" "" "LIBS;SOURCES" ${ARGN})
	string(REPLACE "/" "_" target "unit_${path}")
	add_executable(${target} "${PROJECT_SOURCE_DIR}/tests/unit/${path}.c"
		${T_SOURCES})
	set_target_properties(${target} PROPERTIES
		RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
	target_include_directories(${target} PRIVATE
		"${PROJECT_SOURCE_DIR}/tests")
	target_link_libraries(${target} PRIVATE avf_flags ${T_LIBS}
		PkgConfig::CRITERION)
	add_test(NAME unit/${path} COMMAND ${target})
	set_tests_properties(unit/${path} PROPERTIES LABELS unit TIMEOUT 120)
endfunction()
