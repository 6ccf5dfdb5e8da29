# avf_add_aidl(TARGET FILES file.aidl... [LANG ndk|java] [BASE dir] [VERSION n])
#
# Code of AIDL files, made with the compiler "aidl" when the project is built.
# A file's place below BASE (default: the current source folder) is its
# package, as in com/example/IEcho.aidl.
#
#   LANG ndk (the default): TARGET is a static library with its include
#       folders: link it, and #include <aidl/com/example/IEcho.h>.
#       The project has CXX among its languages.
#   LANG java: TARGET is a custom target, and its property
#       AVF_AIDL_SOURCES lists the .java files.
#   VERSION n: what the interfaces answer to getInterfaceVersion().

# Where one file's output goes, and what aidl calls it.
function(_avf_aidl_outputs file base lang out)
	file(RELATIVE_PATH relative "${base}" "${file}")
	if(relative MATCHES "^\\.\\.")
		message(FATAL_ERROR "avf_add_aidl: ${file} is not below ${base}; "
			"say BASE, the folder that the packages begin in")
	endif()
	string(REGEX REPLACE "\\.aidl$" "" stem "${relative}")
	if(lang STREQUAL "java")
		set(outputs "${out}/${stem}.java")
	else()
		set(outputs "${out}/${stem}.cpp")
	endif()
	set(outputs "${outputs}" PARENT_SCOPE)
endfunction()

function(avf_add_aidl target)
	cmake_parse_arguments(A "" "LANG;BASE;VERSION" "FILES" ${ARGN})
	find_program(AVF_AIDL aidl DOC "compiler of AIDL files")
	if(NOT AVF_AIDL)
		message(FATAL_ERROR
			"avf_add_aidl: no aidl; on Debian: apt install aidl")
	endif()
	if(NOT A_LANG)
		set(A_LANG ndk)
	elseif(NOT A_LANG MATCHES "^(ndk|java)$")
		message(FATAL_ERROR "avf_add_aidl: LANG is ndk or java, not ${A_LANG}")
	endif()
	set(version)
	if(DEFINED A_VERSION)
		if(NOT A_VERSION MATCHES "^[1-9][0-9]*$")
			message(FATAL_ERROR "avf_add_aidl: VERSION is a number "
				"from 1 on, not ${A_VERSION}")
		endif()
		set(version --version=${A_VERSION})
	endif()
	if(NOT A_FILES)
		message(FATAL_ERROR "avf_add_aidl: no FILES for ${target}")
	endif()
	get_filename_component(base "${A_BASE}" ABSOLUTE
		BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
	set(out "${CMAKE_CURRENT_BINARY_DIR}/${target}.aidl")
	file(MAKE_DIRECTORY "${out}/include")

	set(sources)
	foreach(file ${A_FILES})
		get_filename_component(file "${file}" ABSOLUTE)
		_avf_aidl_outputs("${file}" "${base}" ${A_LANG} "${out}")
		set(headers)
		if(A_LANG STREQUAL "ndk")
			set(headers --header_out "${out}/include")
		endif()
		# parcelables with fields are "structured"; interfaces do not mind
		add_custom_command(OUTPUT ${outputs}
			COMMAND "${AVF_AIDL}" --structured --lang=${A_LANG}
				${version}
				-I "${base}" --out "${out}" ${headers} "${file}"
			DEPENDS "${file}" ${A_FILES}
			WORKING_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}"
			COMMENT "Generating ${A_LANG} code of ${file}" VERBATIM)
		list(APPEND sources ${outputs})
	endforeach()

	if(A_LANG STREQUAL "java")
		add_custom_target(${target} DEPENDS ${sources})
		set_target_properties(${target} PROPERTIES
			AVF_AIDL_SOURCES "${sources}")
		return()
	endif()
	add_library(${target} STATIC ${sources})
	target_compile_features(${target} PUBLIC cxx_std_17)
	set_target_properties(${target} PROPERTIES
		POSITION_INDEPENDENT_CODE ON)
	target_include_directories(${target} PUBLIC "${out}/include")
	target_link_libraries(${target} PUBLIC libvirtualization::binder)
endfunction()
