# avf_static_library(NAME module...): libvirtualization.a, an archive of one
# object that defines nothing but the public functions. The modules' archives
# are linked into that object, then hidden symbols are made local to it: an
# application with a gmem_map() of its own links against it.
# NAME is what programs of this build link.
function(avf_static_library name)
	set(object "${CMAKE_CURRENT_BINARY_DIR}/${name}.o")
	set(archive "${CMAKE_BINARY_DIR}/lib/libvirtualization.a")
	set(targets "${ARGN}")
	list(TRANSFORM targets PREPEND avf_)
	set(files "${targets}")
	list(TRANSFORM files REPLACE "(.+)" "$<TARGET_FILE:\\1>")
	add_custom_command(OUTPUT "${archive}"
		COMMAND "${CMAKE_LINKER}" -r -o "${object}" --whole-archive
			${files}
		COMMAND "${CMAKE_OBJCOPY}" --localize-hidden "${object}"
		COMMAND "${CMAKE_COMMAND}" -E rm -f "${archive}"
		COMMAND "${CMAKE_AR}" rcs "${archive}" "${object}"
		DEPENDS ${targets} ${files}
		COMMENT "Linking libvirtualization.a" VERBATIM)
	add_custom_target(${name}_archive ALL DEPENDS "${archive}")
	add_library(${name} STATIC IMPORTED GLOBAL)
	set_target_properties(${name} PROPERTIES
		IMPORTED_LOCATION "${archive}"
		INTERFACE_INCLUDE_DIRECTORIES "${PROJECT_SOURCE_DIR}/include")
	target_link_libraries(${name} INTERFACE PkgConfig::JANSSON
		PkgConfig::ZSTD PkgConfig::LZ4 PkgConfig::LZMA PkgConfig::ZLIB)
	add_dependencies(${name} ${name}_archive)
endfunction()
