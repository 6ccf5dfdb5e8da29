# avf_add_payload(TARGET SOURCES file... [LIBRARIES target...]
#                 [PACKAGE [ASSETS dir] [PROGRAMS file...]])
#
# A payload in C or C++: the library lib<TARGET>.so, whose AVmPayload_main()
# the guest calls. LIBRARIES are linked into it, as a target of avf_add_aidl().
# With PACKAGE it is packed, too: <TARGET>.avfpkg in the current build folder,
# with what ASSETS has as its assets/ and PROGRAMS in its bin/.
#
# The guest has the C library, libvm_payload and libvirtualization-binder, but
# no C++ runtime: that is linked into the library. docs/payloads.md says more.

# The program that packs; in our own tree it is a target.
function(_avf_packer)
	if(TARGET avf AND NOT CMAKE_CROSSCOMPILING)
		set(packer $<TARGET_FILE:avf> PARENT_SCOPE)
		return()
	endif()
	find_program(AVF_PROGRAM avf HINTS "${AVF_PROGRAM_DIR}"
		DOC "the command line tool of libvirtualization")
	if(NOT AVF_PROGRAM)
		message(FATAL_ERROR "avf_add_payload: PACKAGE needs the program "
			"avf of this computer; set AVF_PROGRAM to its path")
	endif()
	set(packer "${AVF_PROGRAM}" PARENT_SCOPE)
endfunction()

function(_avf_pack_payload target assets programs)
	_avf_packer()
	set(package "${CMAKE_CURRENT_BINARY_DIR}/${target}.avfpkg")
	set(arguments)
	set(inputs)
	if(assets)
		get_filename_component(assets "${assets}" ABSOLUTE)
		file(GLOB_RECURSE files CONFIGURE_DEPENDS "${assets}/*")
		list(APPEND arguments --assets "${assets}")
		list(APPEND inputs ${files})
	endif()
	foreach(program ${programs})
		# as sources are found; what is none there is made in the build
		if(EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${program}")
			set(program "${CMAKE_CURRENT_SOURCE_DIR}/${program}")
		endif()
		list(APPEND arguments --program "${program}")
		list(APPEND inputs "${program}")
	endforeach()
	add_custom_command(OUTPUT "${package}"
		COMMAND ${packer} package create --output "${package}"
			--name "${target}" ${arguments} $<TARGET_FILE:${target}>
		DEPENDS ${packer} ${target} ${inputs}
		COMMENT "Packing ${target}.avfpkg" VERBATIM)
	add_custom_target(${target}_package ALL DEPENDS "${package}")
endfunction()

function(avf_add_payload target)
	cmake_parse_arguments(P "PACKAGE" "ASSETS"
		"SOURCES;LIBRARIES;PROGRAMS" ${ARGN})
	if(NOT P_SOURCES)
		message(FATAL_ERROR "avf_add_payload: no SOURCES for ${target}")
	endif()
	add_library(${target} SHARED ${P_SOURCES})
	# the guest has none of this computer's folders
	set_target_properties(${target} PROPERTIES BUILD_WITH_INSTALL_RPATH ON)
	# before the libraries, which are needed when something of them is used
	target_link_options(${target} PRIVATE LINKER:--as-needed
		LINKER:--gc-sections LINKER:--exclude-libs,ALL -static-libgcc
		$<$<LINK_LANGUAGE:CXX>:-static-libstdc++>)
	target_link_libraries(${target} PRIVATE ${P_LIBRARIES}
		libvirtualization::vm_payload libvirtualization::binder)
	if(P_PACKAGE)
		_avf_pack_payload(${target} "${P_ASSETS}" "${P_PROGRAMS}")
	endif()
endfunction()
