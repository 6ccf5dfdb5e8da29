# Python of the architecture that we build for: headers below CMAKE_SYSROOT.
# Its interpreter cannot be asked here, so the rest goes by Debian's names:
# Python3_EXECUTABLE and Python3_STDLIB are those of the machine that the tests
# run on.
file(GLOB headers "${CMAKE_SYSROOT}/usr/include/python3.*/Python.h")
if(NOT headers)
	return()
endif()
list(GET headers -1 header)
get_filename_component(Python3_INCLUDE_DIR "${header}" DIRECTORY)
string(REGEX MATCH "3\\.[0-9]+$" version "${Python3_INCLUDE_DIR}")
find_package(Python3 ${version} QUIET COMPONENTS Development.Module)
set(Python3_EXECUTABLE "${AVF_FOREIGN_PYTHON}")
set(Python3_STDLIB "/usr/lib/python${version}")
string(REPLACE "." "" version "${version}")
set(Python3_SOABI "cpython-${version}-${CMAKE_LIBRARY_ARCHITECTURE}")
