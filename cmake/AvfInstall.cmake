# What an application needs to build against us and to run: headers, the
# shared and the static library, pkg-config and CMake files, and the VMM.
# Other programs are installed by the folders that build them.
include(CMakePackageConfigHelpers)

set(AVF_CMAKEDIR "${CMAKE_INSTALL_LIBDIR}/cmake/libvirtualization")

install(DIRECTORY include/avf DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
	FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(TARGETS avf_shared avf_binder_shared avf_binder_tls_shared
		avf_ndk_shared
	EXPORT libvirtualization
	LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(EXPORT libvirtualization NAMESPACE libvirtualization::
	FILE libvirtualizationTargets.cmake DESTINATION "${AVF_CMAKEDIR}")
if(TARGET avf_static)
	install(FILES "${CMAKE_BINARY_DIR}/lib/libvirtualization.a"
		DESTINATION "${CMAKE_INSTALL_LIBDIR}")
endif()

# The CLI finds the library wherever the tree is installed.
set_target_properties(avf PROPERTIES
	INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
install(TARGETS avf-vmm RUNTIME DESTINATION "${AVF_LIBEXECDIR}")

configure_package_config_file(cmake/libvirtualizationConfig.cmake.in
	"${CMAKE_CURRENT_BINARY_DIR}/libvirtualizationConfig.cmake"
	INSTALL_DESTINATION "${AVF_CMAKEDIR}"
	PATH_VARS CMAKE_INSTALL_BINDIR CMAKE_INSTALL_DATADIR
		CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR)
write_basic_package_version_file(
	"${CMAKE_CURRENT_BINARY_DIR}/libvirtualizationConfigVersion.cmake"
	COMPATIBILITY SameMinorVersion)
install(FILES
	"${CMAKE_CURRENT_BINARY_DIR}/libvirtualizationConfig.cmake"
	"${CMAKE_CURRENT_BINARY_DIR}/libvirtualizationConfigVersion.cmake"
	cmake/AvfAidl.cmake
	cmake/AvfPayload.cmake
	DESTINATION "${AVF_CMAKEDIR}")

# The prefix is told relative to the file, so that a tree can be moved.
file(RELATIVE_PATH AVF_PC_PREFIX
	"/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
foreach(pc libvirtualization libvirtualization-binder
		libvirtualization-binder-tls libavf)
	configure_file(pkgconfig/${pc}.pc.in
		"${CMAKE_CURRENT_BINARY_DIR}/${pc}.pc" @ONLY)
	install(FILES "${CMAKE_CURRENT_BINARY_DIR}/${pc}.pc"
		DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endforeach()
